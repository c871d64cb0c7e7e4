"""Archives: what accounts want to be in them."""

import sqlalchemy as sa
from alembic import op

from xmppd.migrations.columns import address

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "archive_preferences",
        sa.Column("owner", address(), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("always", sa.Text, nullable=False),
        sa.Column("never", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_archive_preferences"),
    )
