"""Rosters: the version of each, and its items."""

import sqlalchemy as sa
from alembic import op

from xmppd.migrations.columns import address

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "rosters",
        sa.Column("owner", address(), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_rosters"),
    )
    op.create_table(
        "roster_items",
        sa.Column("owner", address(), nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("jid", address(), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("groups", sa.Text, nullable=False),
        sa.Column("subscription", sa.Text, nullable=False),
        sa.Column("asks", sa.Boolean, nullable=False),
        sa.Column("approved", sa.Boolean, nullable=False),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("request", sa.LargeBinary),
        sa.Column("received", sa.Double),
        sa.PrimaryKeyConstraint("owner", "digest", name="pk_roster_items"),
    )
