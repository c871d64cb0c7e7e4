"""A link: one connection that knows its faults by name."""

import sqlite3

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError

from xmppd.storage.link import Link
from xmppd.storage.sqlite import SqliteLink, sqlite_engine
from xmppd.storage.statements import Prepared


@pytest.fixture
def link() -> Link:
    return SqliteLink(sqlite_engine(make_url("sqlite://"), 1.0))


def prepared(link: Link, sql: str) -> Prepared:
    return Prepared(text(sql), link.connection.dialect, None)


def test_fetch(link: Link) -> None:
    """A query is run with its parameters; rows are plain tuples."""
    assert link.fetch(prepared(link, "SELECT :number + 1, :word"), {"number": 4, "word": "x"}) == [(5, "x")]


def test_errors_of_the_driver_get_the_names_of_sqlalchemy(link: Link) -> None:
    """A store catches one class, whatever the driver; the message holds no parameters."""
    with pytest.raises(sqlite3.OperationalError) as raised:
        link.fetch(prepared(link, "SELECT secret FROM missing WHERE x = :x"), {"x": "value"})

    named = link.named(raised.value)
    assert isinstance(named, OperationalError)
    assert "value" not in str(named)
    assert isinstance(link.named(sqlite3.IntegrityError("UNIQUE constraint failed: t.x")), IntegrityError)


def test_other_errors_keep_their_names(link: Link) -> None:
    """A store's own exceptions come through as they are."""
    error = LookupError("no such room")
    assert error is link.named(error)


def test_close_in_the_middle(link: Link) -> None:
    """A link is closed whatever state it is in."""
    assert isinstance(link, SqliteLink)
    link.begin()
    link.close()
    with pytest.raises(sqlite3.ProgrammingError):
        link.raw.execute("SELECT 1")
