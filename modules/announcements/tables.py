"""The tables of announcements: what a host tells is a row of the host's, what an account was told one of its own."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, MetaData, Table, Text

metadata: Final = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

Address: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""The type of a column that holds a JID: compared by code point."""

texts: Final = Table(
    "announcement_texts",
    metadata,
    Column("owner", Address, primary_key=True),  # a host
    Column("kind", Text, primary_key=True),  # "motd" or "welcome"
    Column("text", Text, nullable=False),  # empty if there is none any more; the number stays
    Column("number", BigInteger, nullable=False),  # grows with each message that everybody is to see
    Column("subject", Text, nullable=False, server_default=""),  # of the message; empty if it has none
)

readers: Final = Table(
    "announcement_readers",
    metadata,
    Column("owner", Address, primary_key=True),  # an account
    Column("motd", BigInteger, nullable=False),  # the number of the last message of the day that it was given
    Column("welcome", Boolean, nullable=False),  # whether the welcome message is still to come
)
