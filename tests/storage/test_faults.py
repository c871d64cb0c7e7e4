"""Which errors mean "ask again later" and which mean "you asked wrongly"."""

import sqlite3
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from xmppd.storage.faults import ELSEWHERE, Fault, hush, is_elsewhere, postgres_fault, sqlite_fault


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("told by SQLite")
    error.sqlite_errorcode = code
    return error


class PostgresError(Exception):
    """As psycopg2's: a SQLSTATE, or none where the connection broke."""

    def __init__(self, state: str | None, message: str = "told by PostgreSQL") -> None:
        super().__init__(f"{message}\nDETAIL: Key (owner)=(juliet) exists")
        self.pgcode = state
        self.pgerror = message
        self.diag = SimpleNamespace(message_primary=message if state else None)


@pytest.mark.parametrize(
    ("code", "lost"),
    [
        (sqlite3.SQLITE_BUSY, False),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, False),
        (sqlite3.SQLITE_LOCKED, False),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_NOMEM, False),
        (sqlite3.SQLITE_INTERRUPT, False),
        (sqlite3.SQLITE_READONLY, True),
        (sqlite3.SQLITE_READONLY_DBMOVED, True),
        (sqlite3.SQLITE_IOERR_FSYNC, True),
        (sqlite3.SQLITE_CANTOPEN, True),
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_PROTOCOL, True),
    ],
)
def test_sqlite_out_of_order(code: int, lost: bool) -> None:
    """Busy and full pass by; a file that cannot be read or written is opened anew."""
    assert Fault("told by SQLite", lost) == sqlite_fault(sqlite_error(code))
    assert Fault("told by SQLite", lost) == sqlite_fault(OperationalError("x", None, sqlite_error(code)))


@pytest.mark.parametrize("code", [sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_MISMATCH])
def test_sqlite_asked_wrongly(code: int) -> None:
    """A missing table, a broken constraint, a wrong type are the statement's fault."""
    assert sqlite_fault(sqlite_error(code)) is None


@pytest.mark.parametrize(
    ("state", "lost"),
    [
        ("08006", True),
        ("25006", True),
        ("57P01", True),
        ("57P03", True),
        ("25P03", True),
        ("40001", False),
        ("40P01", False),
        ("53100", False),
        ("53200", False),
        ("55P03", False),
        ("57014", False),
        ("58030", False),
    ],
)
def test_postgres_out_of_order(state: str, lost: bool) -> None:
    """A server that goes away or is no primary any longer is left; a full, slow or locked one is kept."""
    assert Fault("told by PostgreSQL", lost) == postgres_fault(PostgresError(state), closed=False)


@pytest.mark.parametrize("state", ["23505", "42P01", "22001", ELSEWHERE])
def test_postgres_asked_wrongly(state: str) -> None:
    """A broken constraint, a missing table, a value that does not fit are the statement's fault."""
    assert postgres_fault(PostgresError(state), closed=False) is None


def test_broken_connection() -> None:
    """A connection that broke has no SQLSTATE; what is told is one line, without details."""
    told = PostgresError(None, "server closed the connection unexpectedly")
    assert Fault("server closed the connection unexpectedly", True) == postgres_fault(told, closed=True)
    assert postgres_fault(told, closed=False) is None


def test_hushed() -> None:
    """Lines behind the first one hold values: they are cut, in an exception and in whatever it came from."""
    cause = PostgresError("23505", "duplicate key")
    wrapped = IntegrityError("INSERT", None, cause)
    told = LookupError("taken")
    told.__cause__ = wrapped
    told.__context__ = told
    hush(told)

    assert str(cause) == "duplicate key"
    assert "juliet" not in str(wrapped)
    assert str(told) == "taken"


def test_slot_elsewhere() -> None:
    """One SQLSTATE is ours."""
    assert is_elsewhere(PostgresError(ELSEWHERE))
    assert not is_elsewhere(PostgresError("23505"))
    assert not is_elsewhere(ValueError())


def test_other_exceptions() -> None:
    """What is no database error says nothing of the database."""
    assert sqlite_fault(ValueError()) is None
    assert postgres_fault(ValueError(), closed=False) is None
