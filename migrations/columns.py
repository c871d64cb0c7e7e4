"""Types of columns that steps share. What a step has built stands: types are added here, and none is ever changed."""

import sqlalchemy as sa


def address() -> sa.types.TypeEngine[str]:
    """Return the type of a column that holds a JID: compared by code point."""
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
