"""The foundation's tables. Every shard has all of them; a module's tables live in the module.

`owner` is a bare JID and decides the shard (see `slots`). Addresses sort by code point everywhere, so that pages of
several shards can be merged. A bare JID has at most 2047 bytes and fits a btree entry (2704 bytes on PostgreSQL); an
index over two addresses does not and has to hold digests.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Address: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""The type of a column that holds a JID: compared by code point, as Python and SQLite do it."""

accounts: Final = Table(
    "accounts",
    metadata,
    Column("owner", Address, primary_key=True),
    Column("host", Address, nullable=False),
    Column("role", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created", Double, nullable=False),  # seconds since the epoch
    Column("last_seen", Double),  # likewise; null before the first session ended
    Column("last_status", Text, nullable=False),
    Index(None, "host", "owner"),
)

credentials: Final = Table(
    "credentials",
    metadata,
    Column("owner", Address, ForeignKey(accounts.c.owner, ondelete="CASCADE"), primary_key=True),
    Column("hash_name", Text, primary_key=True),  # as SASL writes it: "SHA-256"
    Column("salt", LargeBinary, nullable=False),
    Column("iterations", Integer, nullable=False),
    Column("stored_key", LargeBinary, nullable=False),
    Column("server_key", LargeBinary, nullable=False),
)

slot_map: Final = Table(
    "slot_map",  # in shard 0 only; the newest version counts
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("first_slot", Integer, primary_key=True, autoincrement=False),
    Column("last_slot", Integer, nullable=False),
    Column("shard", Integer, nullable=False),
)

slot_here: Final = Table(
    "slot_here",  # what this shard holds; every write looks here, whatever map its node has
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # "open" takes writes; any other state refuses them
)
