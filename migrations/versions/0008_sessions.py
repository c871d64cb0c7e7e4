"""Sessions: which resources are connected, to which node, and who was shown what of them."""

import sqlalchemy as sa
from alembic import op

from xmppd.migrations.columns import address

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "sessions",
        sa.Column("owner", address(), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("resource", address(), nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("bound_at", sa.Double, nullable=False),
        sa.Column("presence", sa.LargeBinary),
        sa.Column("directed", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner", "digest", name="pk_sessions"),
    )
