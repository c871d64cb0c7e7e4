"""Which errors of a driver mean that the database is out of order, and which mean that a question was wrong.

The former become `StorageUnavailable`: ask again later. The latter are mistakes or broken constraints and are raised as
SQLAlchemy names them. No message says more than the first line of what the database said: what comes behind it (the
statement with its values, the key that exists) belongs in nobody's log.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import DBAPIError

ELSEWHERE: Final = "XM001"
"""The SQLSTATE by which `xmppd_hold_slot` refuses a write."""


class SlotElsewhere(Exception):
    """The slot is not open on this shard: the asker's slot map is old, or the slot is being moved."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The database did not do what it was asked for, though nothing was wrong with that.

    :ivar lost: the connection cannot be used any longer.
    """

    reason: str
    lost: bool


SQLITE_FAULTS: Final = {
    sqlite3.SQLITE_BUSY: False,
    sqlite3.SQLITE_LOCKED: False,
    sqlite3.SQLITE_NOMEM: False,
    sqlite3.SQLITE_FULL: False,
    sqlite3.SQLITE_INTERRUPT: False,
    sqlite3.SQLITE_PROTOCOL: True,
    sqlite3.SQLITE_READONLY: True,  # a file that was moved or remounted is opened anew
    sqlite3.SQLITE_IOERR: True,
    sqlite3.SQLITE_CORRUPT: True,
    sqlite3.SQLITE_CANTOPEN: True,
    sqlite3.SQLITE_NOTADB: True,
}
"""SQLite's primary result codes that are no fault of the statement, and whether the file has to be opened anew."""

POSTGRES_FAULTS: Final = {
    "08": True,  # connection exception
    "25006": True,  # read-only transaction: this server is no longer the primary
    "40001": False,  # serialization failure
    "40P01": False,  # deadlock
    "53": False,  # insufficient resources: disk full, out of memory
    "55P03": False,  # lock_timeout
    "57014": False,  # statement_timeout
    "57P": True,  # shutdown, crash, starting up, idle too long
    "58": False,  # system error
    "25P03": True,  # idle in transaction too long
}
"""SQLSTATEs, or how they begin, that are no fault of the statement; and whether the connection has gone with it."""


def driver_error(error: BaseException) -> Any:
    """Return the DBAPI's own exception, which SQLAlchemy may have wrapped."""
    return error.orig if isinstance(error, DBAPIError) else error


def sqlite_fault(error: BaseException) -> Fault | None:
    """Return what an exception says of an SQLite database, or None if the statement was wrong."""
    cause = driver_error(error)
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None or (lost := SQLITE_FAULTS.get(code & 0xFF)) is None:
        return None
    return Fault(str(cause), lost)


def postgres_fault(error: BaseException, closed: bool) -> Fault | None:
    """Return what an exception says of a PostgreSQL server, or None if the statement was wrong.

    :param closed: whether the driver has given the connection up.
    """
    cause = driver_error(error)
    state: str | None = getattr(cause, "pgcode", None)
    for known, lost in POSTGRES_FAULTS.items():
        if state is not None and state.startswith(known):
            return Fault(_primary(cause), lost or closed)
    return Fault(_primary(cause), True) if closed and state is None else None


def is_elsewhere(error: BaseException) -> bool:
    """Say whether a PostgreSQL shard refused a write to a slot."""
    return getattr(driver_error(error), "pgcode", None) == ELSEWHERE


def hush(error: BaseException) -> None:
    """Cut what database errors say to its first line, in an exception and in all that it came from."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        found = left.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, DBAPIError) or hasattr(found, "pgerror"):
            found.args = (str(found.args[0]).partition("\n")[0] if found.args else "", *found.args[1:])
        left += (found.__cause__, found.__context__, found.orig if isinstance(found, DBAPIError) else None)


def _primary(cause: Any) -> str:
    """Return the first line of the server's message; details, which may hold values, come in later ones."""
    told = getattr(getattr(cause, "diag", None), "message_primary", None)
    return told or str(cause).strip().partition("\n")[0]
