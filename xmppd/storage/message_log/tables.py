"""The tables of the message log. All are keyed by a digest of the owner's bare JID, so each is whole on one shard.

An index over two addresses would be too wide for a btree entry, hence digests of 16 bytes. On PostgreSQL `log` is
partitioned by range of id; there is also `log_writer`, which only the function that appends knows (migration 0005).

On SQLite `log` has rowids: rows of many owners share the page at the end, and only the index's small entries go where
their owners are. What a message costs there is how many pages it touches, so there is one index for everything, and no
key beside it: ids are unique since the head is counted up in the same transaction. Questions about a peer read the
entries of the owner's other peers too, a hundred to a page, but not their rows. With a key and an index by peer a
message costs twice as much; without rowids more than that.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from ..tables import Address, metadata

OpenIds: Final = Text().with_variant(ARRAY(BigInteger), "postgresql")
"""The type of a set of ids: an array, or a JSON array where there are none."""

log: Final = Table(
    "log",
    metadata,
    Column("owner", LargeBinary, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("peer_key", LargeBinary, nullable=False),  # digest of the peer's bare JID
    Column("peer", Address, nullable=False),  # as the stanza has it
    Column("direction", SmallInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("flags", SmallInteger, nullable=False),
    Column("origin_id", Text),
    Column("key", LargeBinary),
    Column("stanza", LargeBinary, nullable=False),
    Index(None, "owner", "peer_key", "id", info={"only": "postgresql"}).ddl_if(dialect="postgresql"),
    Index(None, "owner", "id", "peer_key", info={"only": "sqlite"}).ddl_if(dialect="sqlite"),
    postgresql_partition_by="RANGE (id)",
)

log_head: Final = Table(
    "log_head",
    metadata,
    Column("owner", LargeBinary, primary_key=True),
    Column("jid", Address, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("before_id", BigInteger, nullable=False),  # the last id before the last batch
    postgresql_with={"fillfactor": 50},  # an update stays in its page and touches no index
    sqlite_with_rowid=False,
)

log_cursor: Final = Table(
    "log_cursor",
    metadata,
    Column("owner", LargeBinary, primary_key=True),
    Column("delivered", BigInteger, nullable=False),
    Column("open", OpenIds, nullable=False),
    postgresql_with={"fillfactor": 50},
    sqlite_with_rowid=False,
)
