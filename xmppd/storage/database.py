"""One shard: a database, and the lanes that lead to it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.sql import Executable
from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from ..core.shards import Row, StorageUnavailable
from .jobs import Clock, Committer, Limits, Outage, Runner
from .link import Link
from .sqlite import SqliteLink, is_memory, sqlite_engine
from .statements import Parameters, Statements
from .tables import slot_map
from .tallies import Tallies
from .workers import CallInLoop, InlineLane, Lane, ThreadLane

T = TypeVar("T")

DEFAULTS: Final = Limits()
LOOK: Final = select(slot_map.c.version).limit(1)
POSTGRES: Final = ("postgresql", "postgres", "postgresql+psycopg2")


class Database:
    """One shard. Nothing is opened before it is needed.

    :param url: "sqlite:////var/lib/xmppd/xmppd.db", "sqlite://" (in memory; needs `threads=0`) or
        "postgresql://user:password@host/database"; libpq's parameters may follow behind a question mark.
    :param call_in_loop: `reactor.callFromThread` or `loop.call_soon_threadsafe`; not used if `limits.threads` is 0.
    :param call_soon: `loop.call_soon`, which costs less in the loop's own thread.
    :ivar place: how messages call it; never has the password.
    :ivar tallies: what its transactions cost, by name.
    :raises ValueError: the URL is not one of these.
    """

    def __init__(
        self,
        url: str,
        call_in_loop: CallInLoop,
        limits: Limits = DEFAULTS,
        clock: Clock = monotonic,
        call_soon: CallInLoop | None = None,
    ) -> None:
        self._url = _parse(url)
        self.place = self._url.render_as_string(hide_password=True)
        self.is_sqlite = self._url.drivername == "sqlite"
        self.engine = _engine(self._url, limits)
        self.tallies = Tallies(self.place, limits.slow)
        self._outages: list[Outage] = []
        self._statements = Statements(self.engine.dialect)
        self._limits = limits
        self._clock = clock
        self._lane = partial(
            ThreadLane, call_in_loop=call_in_loop, limits=limits, tallies=self.tallies, call_soon=call_soon
        )
        if limits.threads:
            self._reads, self._writes = self._thread_lanes()
        else:
            self._reads, self._writes = self._inline_lanes()
        self._lanes = [self._reads] if self._writes is self._reads else [self._reads, self._writes]

    def fetch(self, name: str, statement: Executable, parameters: Parameters) -> Deferred[list[Row]]:
        """Run one SELECT; return all its rows."""
        return self._reads.submit(name, Link.fetch, (self._statements.reading(statement), parameters), True)

    def write(self, name: str, statement: Executable, rows: Sequence[Parameters], slot: int | None) -> Deferred[int]:
        """Run one statement for each of `rows`, all or none; return how many rows of the database it touched.

        :param slot: what it writes to; None if that is no owner's.
        :raises SlotElsewhere: the shard does not hold the slot.
        """
        query = self._statements.writing(statement, rows[0])
        return self._writes.submit(name, _write, (query, rows, slot), False)

    def write_each(
        self, name: str, statement: Executable, rows: Sequence[Parameters], slots: Sequence[int]
    ) -> Deferred[None]:
        """Run one plain statement for each of `rows`, all or none; they are of all these slots.

        :raises SlotElsewhere: the shard does not hold one of them.
        """
        query = self._statements.writing(statement, rows[0])
        assert query.raw, "what is written for many owners is a plain statement"
        return self._writes.submit(name, _write_each, (query, rows, slots), False)

    def transaction(self, name: str, work: Callable[[Connection], T], slot: int | None) -> Deferred[T]:
        """Run `work` in one transaction in a storage thread; return what it returns. Raises as `write` does."""
        return self._writes.submit(name, _transact, (work, slot), False)

    def read(self, name: str, call: Callable[..., T], args: tuple[Any, ...]) -> Deferred[T]:
        """Have `call(link, *args)` made in a storage thread; it may be called twice, which must do no harm."""
        return self._reads.submit(name, call, args, True)

    def writer_lane(self) -> Lane:
        """Return the lane for a queue that gathers its writes by itself: SQLite's writer, or a connection of its own.

        On PostgreSQL each call opens another one. It is closed with the database.
        """
        if self.is_sqlite:
            return self._writes
        runner = self._runner(self._outages[0])
        if self._limits.threads:
            lane: Lane = self._lane("storage-log", [runner])
        else:
            lane = InlineLane(runner, self.tallies, self._clock)
        self._lanes.append(lane)
        return lane

    @property
    def down(self) -> str | None:
        """Why the database cannot be used, as far as its last jobs have told; None if it can."""
        return next((outage.reason for outage in self._outages if outage.reason is not None), None)

    def look(self) -> Deferred[None]:
        """Find out whether the database answers, to reads and to writes; `down` knows it then. Nothing is written."""
        asked: list[Deferred[Any]] = [self.fetch("storage.look", LOOK, {})]
        if self._writes is not self._reads:
            asked.append(self.transaction("storage.look", lambda connection: None, None))
        looks = [job.addErrback(_expected) for job in asked]
        return gatherResults(looks, consumeErrors=True).addCallback(lambda found: None)

    @contextmanager
    def blocking(self) -> Iterator[Connection]:
        """Lend a connection of the calling thread: for start-up and migrations, never in the loop.

        On SQLite transactions are begun and ended by statements alone (see `sqlite`).

        :raises StorageUnavailable: the database cannot be reached.
        """
        try:
            connection = self.engine.connect()
        except (DBAPIError, OSError) as error:
            raise StorageUnavailable(f"{self.place} is down: {str(error).partition(chr(10))[0]}") from error
        with connection:
            yield connection

    def close(self) -> Deferred[Any]:
        """Refuse new jobs, wait for those in the queues, close the connections."""
        return gatherResults([lane.close() for lane in self._lanes]).addBoth(self._dispose)

    def _dispose(self, result: T) -> T:
        self.engine.dispose()
        return result

    def _inline_lanes(self) -> tuple[Lane, Lane]:
        write: Runner[Any] = self._committer() if self.is_sqlite else self._runner(self._outage())
        read = self._runner(write.outage, writable=True)
        return InlineLane(read, self.tallies, self._clock), InlineLane(write, self.tallies, self._clock)

    def _thread_lanes(self) -> tuple[Lane, Lane]:
        outage = self._outage()
        readers = [self._runner(outage) for _ in range(self._limits.threads)]
        reads = self._lane("storage", readers, prompt=self.is_sqlite)
        if not self.is_sqlite:
            return reads, reads
        return reads, self._lane("storage-writer", [self._committer()], together=self._limits.together)

    def _outage(self) -> Outage:
        outage = Outage(self.place, self._limits.retry)
        self._outages.append(outage)
        return outage

    def _runner(self, outage: Outage, *, writable: bool = False) -> Runner[Any]:
        connect = self._reader(writable) if self.is_sqlite else self._postgres_link
        return Runner(connect, outage, self._limits.patience, self._clock)

    def _reader(self, writable: bool) -> Callable[[], Link]:
        return lambda: SqliteLink(self.engine, writable)

    def _committer(self) -> Committer:
        """A frozen disk stops the writer, not the readers: its outage is its own."""
        return Committer(lambda: SqliteLink(self.engine), self._outage(), self._limits.patience, self._clock)

    def _postgres_link(self) -> Link:
        from .postgres import PostgresLink

        return PostgresLink(self.engine)


def _expected(failure: Failure) -> None:
    failure.trap(StorageUnavailable)  # type: ignore[no-untyped-call]


def _write(link: Link, *args: Any) -> int:
    return link.write(*args)


def _write_each(link: Link, *args: Any) -> None:
    link.write_each(*args)


def _transact(link: Link, work: Callable[[Connection], T], slot: int | None) -> T:
    return link.transact(work, slot)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError("this is no database URL") from error  # it may hold a password
    if parsed.drivername not in ("sqlite", *POSTGRES):
        raise ValueError(f"{parsed.drivername!r} is no kind of database that xmppd knows: sqlite or postgresql")
    return parsed


def _engine(url: URL, limits: Limits) -> Engine:
    if url.drivername == "sqlite":
        if limits.threads and is_memory(url):
            raise ValueError("a database in memory takes no threads")
        return sqlite_engine(url, limits.lock)
    from .postgres import postgres_engine

    return postgres_engine(url, connect=limits.connect, lock=limits.lock, statement=limits.statement)
