"""The table of tokens: two slots for each client (XEP-0484, Server-side handling of multiple active tokens)."""

from typing import Final

from sqlalchemy import BigInteger, Column, Double, LargeBinary, MetaData, SmallInteger, Table, Text

metadata: Final = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

Address: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""The type of a column that holds a JID: compared by code point."""

tokens: Final = Table(
    "fast_tokens",
    metadata,
    Column("owner", Address, primary_key=True),
    Column("client", Text, primary_key=True),  # see `xmppd.core.client_identity`
    Column("slot", SmallInteger, primary_key=True, autoincrement=False),
    Column("mechanism", Text, nullable=False),  # the only one that it is good for
    Column("serial", LargeBinary, nullable=False),  # with the server's secret it yields the token
    Column("mark", LargeBinary, nullable=False),  # of the password that holds; empty if the account had none
    Column("issued", Double, nullable=False),  # in seconds since the epoch
    Column("expires", Double, nullable=False),
    Column("count", BigInteger, nullable=False),  # the highest that was used with it
)
