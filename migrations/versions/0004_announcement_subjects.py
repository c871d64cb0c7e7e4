"""Announcements: the subject of what a host tells."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nodes that do not know it yet leave it empty."""
    with op.batch_alter_table("announcement_texts") as table:
        table.add_column(sa.Column("subject", sa.Text, nullable=False, server_default=""))
