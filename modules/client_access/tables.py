"""The table of clients: the installations that have logged in to an account."""

from typing import Final

from sqlalchemy import Column, Double, LargeBinary, MetaData, Table, Text

metadata: Final = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

Address: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""The type of a column that holds a JID: compared by code point."""

clients: Final = Table(
    "clients",
    metadata,
    Column("owner", Address, primary_key=True),
    Column("client", Text, primary_key=True),  # see `xmppd.core.client_identity`
    Column("software", Text, nullable=False),  # what it calls itself; empty if it does not, or that is not to be kept
    Column("device", Text, nullable=False),  # what it calls the device
    Column("mark", LargeBinary, nullable=False),  # of the last password that it has shown; empty if it has shown none
    Column("first_seen", Double, nullable=False),  # in seconds since the epoch
    Column("last_seen", Double, nullable=False),
)
