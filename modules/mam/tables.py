"""The table of what accounts want to be archived: a row of the account's own, if it has ever said."""

from typing import Final

from sqlalchemy import Column, MetaData, Table, Text

metadata: Final = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

Address: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""The type of a column that holds a JID: compared by code point."""

preferences: Final = Table(
    "archive_preferences",
    metadata,
    Column("owner", Address, primary_key=True),
    Column("rule", Text, nullable=False),  # "always", "never" or "roster": for all that no list is about
    Column("always", Text, nullable=False),  # a JSON array of JIDs
    Column("never", Text, nullable=False),  # a JSON array of JIDs
)
