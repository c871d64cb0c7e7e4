"""The tables of rosters. Both are keyed by the owner, so a roster is whole on one shard."""

from hashlib import blake2b
from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Double, LargeBinary, MetaData, Table, Text

from xmppd.protocol.jid import Jid

metadata: Final = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

Address: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""The type of a column that holds a JID: compared by code point."""

rosters: Final = Table(
    "rosters",
    metadata,
    Column("owner", Address, primary_key=True),
    Column("version", BigInteger, nullable=False),  # grows with each change of the owner's items
)

items: Final = Table(
    "roster_items",
    metadata,
    Column("owner", Address, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),  # of `jid`: two addresses may be too long for one index entry
    Column("jid", Address, nullable=False),
    Column("name", Text, nullable=False),
    Column("groups", Text, nullable=False),  # a JSON array of strings
    Column("subscription", Text, nullable=False),  # "none", "to", "from" or "both"
    Column("asks", Boolean, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("request", LargeBinary),  # the contact's request that has no answer yet, as a stanza
    Column("received", Double),  # when it came, in seconds since the epoch
)


def digest_of(jid: Jid) -> bytes:
    """Return the key of a contact's row."""
    return blake2b(jid.encode(), digest_size=16).digest()
