"""Block lists: the addresses that accounts do not hear of."""

import sqlalchemy as sa
from alembic import op

from xmppd.migrations.columns import address

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "blocked",
        sa.Column("owner", address(), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("jid", address(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "digest", name="pk_blocked"),
    )
