"""Announcements: what hosts tell their users, and who was told."""

import sqlalchemy as sa
from alembic import op

from xmppd.migrations.columns import address

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "announcement_texts",
        sa.Column("owner", address(), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", "kind", name="pk_announcement_texts"),
    )
    op.create_table(
        "announcement_readers",
        sa.Column("owner", address(), nullable=False),
        sa.Column("motd", sa.BigInteger, nullable=False),
        sa.Column("welcome", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_announcement_readers"),
    )
