"""The foundation: accounts, their credentials, and which slots a shard holds."""

import sqlalchemy as sa
from alembic import op

from xmppd.migrations.columns import address

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Lets one transaction write to a slot. The lock is shared among writers and kept until they commit; who moves a slot
# takes it exclusively. It is an advisory one, since row locks would write to the log for each of them.
HOLD_SLOT = """
    CREATE FUNCTION xmppd_hold_slot(wanted integer) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(1936486260, wanted);  -- "slot"
        PERFORM 1 FROM slot_here WHERE slot = wanted AND state = 'open';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'slot % is not open here', wanted USING ERRCODE = 'XM001';
        END IF;
    END $$
"""


def upgrade() -> None:
    """Create the tables."""
    _create_accounts()
    _create_slots()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(HOLD_SLOT)


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("owner", address(), nullable=False),
        sa.Column("host", address(), nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("last_seen", sa.Double),
        sa.Column("last_status", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_accounts"),
    )
    op.create_index("ix_accounts_host_owner", "accounts", ["host", "owner"])
    op.create_table(
        "credentials",
        sa.Column("owner", address(), nullable=False),
        sa.Column("hash_name", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("iterations", sa.Integer, nullable=False),
        sa.Column("stored_key", sa.LargeBinary, nullable=False),
        sa.Column("server_key", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("owner", "hash_name", name="pk_credentials"),
        sa.ForeignKeyConstraint(["owner"], ["accounts.owner"], name="fk_credentials_owner", ondelete="CASCADE"),
    )


def _create_slots() -> None:
    op.create_table(
        "slot_map",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("first_slot", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("last_slot", sa.Integer, nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("version", "first_slot", name="pk_slot_map"),
    )
    op.create_table(
        "slot_here",
        sa.Column("slot", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("slot", name="pk_slot_here"),
    )
