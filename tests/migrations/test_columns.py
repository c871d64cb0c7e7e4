"""Types that steps share are what they were when the first step ran."""

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from xmppd.migrations.columns import address
from xmppd.storage.tables import Address


@pytest.mark.parametrize(
    ("dialect", "written"), [(SQLiteDialect_pysqlite(), "TEXT"), (PGDialect_psycopg2(), 'TEXT COLLATE "C"')]
)
def test_addresses_compare_by_code_point(dialect: Dialect, written: str) -> None:
    """SQLite does so by itself, PostgreSQL with the collation "C"; the code's own tables agree."""
    assert address().compile(dialect) == written
    assert Address.compile(dialect) == written
