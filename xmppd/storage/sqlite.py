"""SQLite: one file in WAL mode, or a database in memory.

The transaction belongs to the link, not to SQLAlchemy: the writer commits several jobs together, each in a savepoint
unless it is alone. Hence the driver runs in autocommit mode and `commit()` and `rollback()` of its connection do
nothing. A constraint must be immediate (SQLite's default): one that is checked at commit would take its neighbours
down.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, StaticPool, create_engine

from .faults import Fault, SlotElsewhere, sqlite_fault
from .link import Link
from .statements import Parameters, Prepared

T = TypeVar("T")

MEMORY: Final = ":memory:"

WRITING: Final = ("PRAGMA cache_size = -16384", "PRAGMA wal_autocheckpoint = 4000")
"""What the writer needs. The log's rows touch a page of their owner's each: those should be in memory (16 MiB), and
copied from the WAL to the database once for many commits (16 MiB of them), not once for a few.
"""

HOLDS_SLOT: Final = "SELECT 1 FROM slot_here WHERE slot = ? AND state = 'open'"


class _Connection(sqlite3.Connection):
    """A connection in WAL mode whose transactions are begun and ended by statements alone."""

    def __init__(self, database: str, *args: Any, **arguments: Any) -> None:
        if database != MEMORY:
            _create_private(Path(database))
        super().__init__(database, *args, **arguments)
        _use_wal(self)
        self.execute("PRAGMA synchronous = FULL")
        self.execute("PRAGMA foreign_keys = ON")

    def commit(self) -> None:
        """Do nothing: the link commits."""

    def rollback(self) -> None:
        """Do nothing: the link rolls back."""


def sqlite_engine(url: URL, lock: float) -> Engine:
    """Return an engine for a file, or for one database in memory that all its connections share.

    :param lock: how long to wait for another process's transaction, in seconds.
    """
    arguments = {"factory": _Connection, "isolation_level": None, "check_same_thread": False, "timeout": lock}
    pool = StaticPool if is_memory(url) else NullPool  # each thread keeps its own connection
    # "named" makes parameters of both dialects mappings
    return create_engine(url, poolclass=pool, connect_args=arguments, paramstyle="named", hide_parameters=True)


def is_memory(url: URL) -> bool:
    """Say whether the URL names a database in memory."""
    return url.database in (None, "", MEMORY)


def _create_private(file: Path) -> None:
    """Create the file for our eyes only: it holds credentials."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


class SqliteLink(Link):
    """One connection to an SQLite database.

    :param writable: whether it is the writer's.
    """

    def __init__(self, engine: Engine, writable: bool = True) -> None:
        super().__init__(engine)
        self._is_alone = False
        for pragma in WRITING if writable else ("PRAGMA query_only = ON",):
            self.raw.execute(pragma)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; SQLite rolls back by itself when its disk is full."""
        return bool(self.raw.in_transaction)

    def begin(self, *, is_alone: bool = False) -> None:
        """Begin a transaction, and wait for other processes' now rather than in its middle.

        :param is_alone: it is for one job: if that fails all is undone, which needs no savepoint.
        """
        self.raw.execute("BEGIN IMMEDIATE")
        self._is_alone = is_alone

    def commit(self) -> None:
        """Make everything since `begin` durable."""
        self.raw.execute("COMMIT")

    def abandon(self) -> None:
        """Undo everything since `begin`, if anything is left to undo."""
        if self.in_transaction:
            self.raw.execute("ROLLBACK")

    def write(self, query: Prepared, rows: Sequence[Parameters], slot: int | None) -> int:
        """Run the statement inside the open transaction."""
        self._hold(slot)
        if query.raw and len(rows) == 1:
            return self._write_raw(query, rows)  # SQLite undoes a single statement that fails
        with self.undoing():
            return self._write_raw(query, rows) if query.raw else self._write_by_sqlalchemy(query, rows)

    def write_each(self, query: Prepared, rows: Sequence[Parameters], slots: Sequence[int]) -> None:
        """Run the statement for each row inside the open transaction."""
        for slot in slots:
            self._hold(slot)
        with self.undoing():
            self._write_raw(query, rows)

    def transact(self, work: Callable[[Connection], T], slot: int | None) -> T:
        """Run `work` inside the open transaction."""
        self._hold(slot)
        with self.undoing(), self.connection.begin():
            return work(self.connection)

    def fault_of(self, error: Exception) -> Fault | None:
        return sqlite_fault(error)

    def interrupt(self) -> None:
        self.raw.interrupt()

    def _hold(self, slot: int | None) -> None:
        """Make sure that the slot is here; the transaction keeps it so."""
        if slot is not None and self.raw.execute(HOLDS_SLOT, (slot,)).fetchone() is None:
            raise SlotElsewhere(f"slot {slot}")

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """Undo what is done within, and nothing else of the open transaction, if it fails.

        A savepoint has SQLite write down every page again that changes behind it. So there is none where all that can
        be undone is what is done within.
        """
        if self._is_alone:
            try:
                yield
            except BaseException:
                self.abandon()
                raise
            return
        self.raw.execute("SAVEPOINT job")
        try:
            yield
        except BaseException:
            if self.in_transaction:
                self.raw.execute("ROLLBACK TO job")
                self.raw.execute("RELEASE job")
            raise
        self.raw.execute("RELEASE job")


def _use_wal(raw: sqlite3.Connection) -> None:
    """Switch a file to WAL. That fails at once while another process is about it: wait for its lock and try again."""
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL").close()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        raw.execute("BEGIN EXCLUSIVE")  # waits, but not for longer than the limit
        raw.execute("COMMIT")
