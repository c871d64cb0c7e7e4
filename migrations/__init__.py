r"""Migrations: one schema for all shards, in numbered steps.

The file `versions/NNNN_<what>.py` is revision "NNNN"; its `down_revision` is the number before. `xmppd.storage.migrate`
runs what is missing on each shard, in one transaction and under a lock. To add a step, copy the newest file, or say

    python -c "from alembic import command; from xmppd.storage.migrate import configuration; \
               command.revision(configuration(), 'roster', rev_id='0002')"

set `down_revision = "0001"` if it is not there, and write `upgrade` with `alembic.op`:

    def upgrade() -> None:
        op.create_table(
            "roster",
            sa.Column("owner", address(), primary_key=True),
            ...
        )

Rules, since nodes of two releases run side by side during an upgrade:

* Expand, then contract. A step only adds what the release before does not mind: tables, indexes, nullable columns and
  columns with a server default. What is no longer used is dropped one release later. There are no downgrades.
* A step is literal. It imports no table from the code, which goes on changing; the code's tables say what the schema is
  *now*, and a test compares the two. What steps may share is in `columns`, where nothing changes either.
* A column that holds a JID compares by code point: `columns.address()` here, `storage.tables.Address` in the code.
* An ALTER on SQLite goes through `op.batch_alter_table`.
* Every shard gets every step.
"""
