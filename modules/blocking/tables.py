"""The table of block lists, keyed by the owner, so that a list is whole on one shard."""

from hashlib import blake2b
from typing import Final

from sqlalchemy import Column, LargeBinary, MetaData, Table, Text

from xmppd.protocol.jid import Jid

metadata: Final = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

Address: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""The type of a column that holds a JID: compared by code point."""

blocked: Final = Table(
    "blocked",
    metadata,
    Column("owner", Address, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),  # of `jid`: two addresses may be too long for one index entry
    Column("jid", Address, nullable=False),
)


def digest_of(jid: Jid) -> bytes:
    """Return the key of a blocked address."""
    return blake2b(jid.encode(), digest_size=16).digest()
