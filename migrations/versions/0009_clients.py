"""Clients: which installations have logged in to an account, and what their tokens are made of."""

import sqlalchemy as sa
from alembic import op

from xmppd.migrations.columns import address

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "clients",
        sa.Column("owner", address(), nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("software", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("mark", sa.LargeBinary, nullable=False),
        sa.Column("first_seen", sa.Double, nullable=False),
        sa.Column("last_seen", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("owner", "client", name="pk_clients"),
    )
    op.create_table(
        "fast_tokens",
        sa.Column("owner", address(), nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("slot", sa.SmallInteger, nullable=False),
        sa.Column("mechanism", sa.Text, nullable=False),
        sa.Column("serial", sa.LargeBinary, nullable=False),
        sa.Column("mark", sa.LargeBinary, nullable=False),
        sa.Column("issued", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", "client", "slot", name="pk_fast_tokens"),
    )
