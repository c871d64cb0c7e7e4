"""The message log over shards: the facade, which finds the owner's shard and asks its parts."""

from collections.abc import Callable, Iterable, Sequence
from secrets import randbits
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, delete, func, select, update
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.python.failure import Failure

from ...core.clock import Clock
from ...core.drive import drive_alone
from ...core.log import Log
from ...core.message_log import Done, Entry, Position, Query, Row, StorageUnavailable, id_at
from ...protocol.jid import Jid
from ..database import Database
from ..shards import SqlShards
from ..workers import Lane
from .batch import Item
from .cursors import Cursor, Cursors, stored_cursor
from .gathering import Gathering
from .keys import Keys
from .measures import LogMetrics
from .postgres_append import Busy, PostgresAppend, ask
from .reads import RECENT, WIDTH, Question, Reads, fetch, fetch_count, fetch_rows, fetch_traced
from .retention import Keep, Longest, Retention, for_ever
from .sqlite_append import SqliteAppend
from .tables import log as rows
from .tables import log_cursor, log_head
from .writer import Append, Bounds, Writer

T = TypeVar("T")

log = Log("storage")

TICK: Final = 1.0
"""Seconds between two writings of cursors, and looks at what waits for too long."""

CHUNK: Final = 1000
"""Rows removed by one statement."""

WAITS: Final = 8
"""How many times a lock is waited for that another node's batch holds: longer than a statement may take."""

WAIT_OUT: Final = (
    "WITH begun AS (SELECT FROM log_writer WHERE seen > now() - interval '1 day' FOR SHARE) SELECT count(*) FROM begun"
)
EVERY: Final = 2**63 - 1
NO_BOUNDS: Final = Bounds()

_OWN = rows.c.owner == bindparam("its_owner")
_OLDEST = select(rows.c.id).where(_OWN, rows.c.id < bindparam("before")).order_by(rows.c.id).limit(CHUNK).subquery()
PURGE: Final = delete(rows).where(_OWN, rows.c.id <= select(func.max(_OLDEST.c.id)).scalar_subquery())
REPLACE: Final = (
    update(rows)
    .where(_OWN, rows.c.id == bindparam("its_id"))
    .values(stanza=bindparam("content"), flags=bindparam("its_flags"))
)
FORGET_HEAD: Final = delete(log_head).where(log_head.c.owner == bindparam("its_owner"))
FORGET_CURSOR: Final = delete(log_cursor).where(log_cursor.c.owner == bindparam("its_owner"))


class SqlMessageLog:
    """The log of every owner. Implements `core.message_log.MessageLog`.

    It is started, and closed before the shards are. Beside the daily look at old rows its timer runs only while
    something waits.

    :param shards: with their slot map loaded when the first question comes.
    :param clock: for waiting.
    :param call_soon: asks the loop for a call, from its own thread.
    :param wall_clock: seconds since the epoch, by which SQLite numbers rows; the clock's own if not given.
    :param keep: for how long an owner's rows are kept, in seconds; None is for ever.
    :param longest: the longest of these times: older rows may be dropped without asking for whose they are.
    :param bounds: how much may wait in each shard's queue.
    :param gap: seconds between small batches (see `pace`); with 0 nothing waits for others.
    :ivar metrics: what the writers have done.
    """

    def __init__(
        self,
        shards: SqlShards,
        clock: Clock,
        call_soon: Callable[..., object],
        *,
        wall_clock: Callable[[], float] | None = None,
        keep: Keep = for_ever,
        longest: Longest = for_ever,
        bounds: Bounds = NO_BOUNDS,
        gap: float = 0.0,
    ) -> None:
        self.metrics = LogMetrics()
        self.shards = shards
        self._clock = clock
        self._wall_clock = wall_clock or clock.seconds
        self._keys = Keys()
        self._writers = [self._writer(database, call_soon, bounds, gap) for database in shards.databases]
        self._reads = [Reads(self._keys, database.engine.dialect) for database in shards.databases]
        cursors = Cursors(self._keys, shards.databases[0].is_sqlite)
        self._gathering = Gathering(cursors, self._lane_of, self._refresh, self.metrics)
        self._retention = Retention(shards.databases, clock, self._wall_clock, self.purge, keep, longest)
        self._timer: Any = None

    @property
    def queued(self) -> int:
        """How many rows wait to be sent."""
        return sum(writer.rows for writer in self._writers)

    def start(self) -> None:
        """Make partitions ahead and remove what is too old: now, and every day."""
        self._retention.start()

    async def tend(self) -> bool:
        """Do now what `start` does every day; return whether all of it could be done."""
        return await self._retention.tend()

    async def close(self) -> None:
        """Take no more, wait for what is queued, write the cursors."""
        await self._retention.stop()
        for writer in self._writers:
            await writer.close()
        await self._gathering.write()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Appending

    def together(self, one: Jid, other: Jid) -> bool:
        """Whether two owners' rows are committed by one statement, as they live on one shard."""
        return self._shard(one) == self._shard(other)

    def append(self, entries: Sequence[Entry], done: Done) -> None:
        """Commit `entries`, all or none, and call `done` once, never before this returns."""
        self._writers[self._shard(entries[0].owner)].append(entries, done)
        if self._timer is None:
            self._timer = self._clock.callLater(TICK, self._tick)

    def room(self, owner: Jid) -> Deferred[None] | None:
        """Return None if the owner's shard can take more, else what fires when it can."""
        return self._writers[self._shard(owner)].room()

    # Cursors

    async def position(self, owner: Jid) -> Position:
        """Return how far an owner's messages are delivered."""
        known = self._gathering.known(owner)  # before it is written, and again what has come since
        last, stored = await self._read(owner, "log.position", stored_cursor, self._keys[owner].digest)
        known = stored.united(known).united(self._gathering.known(owner))
        return Position(last, known.delivered, known.open)

    def delivered(self, owner: Jid, upto: int, open: Iterable[int], purge: Sequence[int] = ()) -> None:
        """Merge what is delivered into the owner's cursor, some time within the next second."""
        self._gathering.add(owner, Cursor().united(Cursor(upto, frozenset(open))), purge)
        if self._timer is None:
            self._timer = self._clock.callLater(TICK, self._tick)

    async def flush(self) -> None:
        """Write at once what `delivered` has gathered; returns when it is committed, or cannot be."""
        await self._gathering.write()

    # Questions

    async def waiting(self, owner: Jid, after: int, open: Iterable[int], limit: int) -> list[Row]:
        """Return received rows with `WAIT` above the id `after`, and those in `open`, in the order of ids."""
        return await self._rows(owner, "log.waiting", self._of(owner).waiting(owner, after, open, limit))

    async def count_waiting(self, owner: Jid) -> int:
        """Return how many messages wait for delivery."""
        asked = self._of(owner).count_waiting(owner, self._gathering.known(owner))
        return await self._read(owner, "log.count_waiting", fetch_count, asked)

    async def page(self, query: Query) -> list[Row]:
        """Return rows of an archive."""
        reads = self._of(query.owner)
        if not query.backwards:
            return await self._rows(query.owner, "log.page", reads.page(query))
        found = await self._last_rows(query, reads)
        found.reverse()
        return found

    async def count(self, query: Query) -> int:
        """Return how many rows a query is about, whatever its limit."""
        question = self._of(query.owner).count(query)
        return int((await self._read(query.owner, "log.count", fetch, question))[0][0])

    async def ends(self, owner: Jid) -> tuple[int, int] | None:
        """Return the first and the last id of an owner's archive, or None if it is empty."""
        first, last = (await self._read(owner, "log.ends", fetch, self._of(owner).ends(owner)))[0]
        return None if first is None else (first, last)

    async def missing(self, owner: Jid, ids: Sequence[int]) -> set[int]:
        """Return those of `ids` that the owner's archive does not have."""
        found = await self._read(owner, "log.missing", fetch, self._of(owner).present(owner, ids))
        return set(ids) - {id for (id,) in found}

    async def heads(self, owners: Sequence[Jid]) -> dict[Jid, int]:
        """Return the last id of each owner's log, for those that have one; not those of a shard that is down."""
        asked = [self._heads(part).addErrback(_nothing) for part in self._by_shard(owners)]
        answers = await _all(asked)
        return {owner: last for answer in answers for owner, last in answer.items()}

    async def find(self, owner: Jid, peer: Jid, origin_id: str, since: int = 0) -> list[Row]:
        """Return the rows above the id `since` that were exchanged with a peer and have that `origin_id`."""
        return await self._rows(owner, "log.find", self._of(owner).find(owner, peer, origin_id, since))

    async def keys(self, owner: Jid, peer: Jid, since: int, before: int, limit: int) -> list[bytes]:
        """Return the keys of the newest rows from the id `since` up to `before`, without it, exchanged with a peer."""
        await self._writers[self._shard(owner)].settled()
        question = self._of(owner).keys(owner, peer, since, before, limit)
        return [bytes(key) for (key,) in await self._read(owner, "log.keys", fetch, question)]

    async def newest(self) -> int:
        """Return the id of the last row of all owners, behind every batch that is under way now; 0 if there is none.

        A node that died may have one: PostgreSQL commits it all the same.
        """
        pairs = zip(self.shards.databases, self._reads, strict=True)
        return max(await _all([Deferred.fromCoroutine(_newest(database, reads)) for database, reads in pairs]))

    async def trace(self, origin_id: str, since: int) -> list[tuple[str, Row]]:
        """Return (owner, row) for the rows above `since` of all owners on all shards that have that `origin_id`."""
        asked = [
            database.read("log.trace", fetch_traced, (reads.trace(origin_id, since),))
            for database, reads in zip(self.shards.databases, self._reads, strict=True)
        ]
        return [row for answer in await _all(asked) for row in answer]

    # Changes

    async def replace(self, owner: Jid, id: int, stanza: bytes, flags: int) -> bool:
        """Put other content and flags in a row's place; return whether there is such a row."""
        row = {"its_owner": self._keys[owner].digest, "its_id": id, "content": stanza, "its_flags": flags}
        return await self.shards.write(owner, "log.replace", REPLACE, [row]) > 0

    async def purge(self, owner: Jid, before: int | None = None) -> int:
        """Remove an owner's rows below the id `before`, or all, in chunks; return how many."""
        row = {"its_owner": self._keys[owner].digest, "before": EVERY if before is None else before}
        removed = 0
        while chunk := await self.shards.write(owner, "log.purge", PURGE, [row]):
            removed += chunk
            self.metrics.purged += chunk
        return removed

    async def forget(self, owner: Jid) -> None:
        """Remove everything of an owner, also what is queued: its rows go last, so that none comes back."""
        await self._writers[self._shard(owner)].settled()
        await self._gathering.write()
        self._gathering.drop(owner)
        row = {"its_owner": self._keys[owner].digest}
        await self.shards.write(owner, "log.forget", FORGET_CURSOR, [row])
        await self.shards.write(owner, "log.forget", FORGET_HEAD, [row])
        await self.purge(owner)

    # Where things are

    def _writer(self, database: Database, call_soon: Callable[..., object], bounds: Bounds, gap: float) -> Writer:
        keys = self._keys
        how: Append
        if database.is_sqlite:
            how = SqliteAppend(keys, self._wall_clock)
        else:
            how = PostgresAppend(keys, randbits(62))
        return Writer(
            database, how, keys, self._clock, call_soon, self._refresh, self._route, self.metrics, bounds, gap
        )

    def _shard(self, owner: Jid) -> int:
        return self.shards.slots.shards[self._keys[owner].slot]

    def _of(self, owner: Jid) -> Reads:
        return self._reads[self._shard(owner)]

    def _lane_of(self, owner: Jid) -> Lane:
        return self._writers[self._shard(owner)].lane

    def _route(self, item: Item) -> None:
        self._writers[self._shard(item.entries[0].owner)].add(item)

    def _refresh(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.shards.refresh_map())

    def _read(self, owner: Jid, name: str, call: Callable[..., T], *args: Any) -> Deferred[T]:
        return self.shards.databases[self._shard(owner)].read(name, call, args)

    def _rows(self, owner: Jid, name: str, question: Question) -> Deferred[list[Row]]:
        return self._read(owner, name, fetch_rows, question)

    async def _last_rows(self, query: Query, reads: Reads) -> list[Row]:
        """Return the last rows of a query, last first; from the last weeks alone if they are enough."""
        end = id_at(self._wall_clock())
        recent = (end if query.before is None else min(query.before, end)) - RECENT
        if query.after >= recent or query.ids is not None or recent <= 0:
            return await self._rows(query.owner, "log.page", reads.page(query))
        found = await self._rows(query.owner, "log.page", reads.page(_bounded(query, recent, query.before)))
        if len(found) < query.limit:
            older = _bounded(query, query.after, recent + 1, query.limit - len(found))
            found += await self._rows(query.owner, "log.page", reads.page(older))
        return found

    def _by_shard(self, owners: Sequence[Jid]) -> list[list[Jid]]:
        """Return owners in groups for one question each."""
        shards: dict[int, list[Jid]] = {}
        for owner in owners:
            shards.setdefault(self._shard(owner), []).append(owner)
        return [group[start : start + WIDTH] for group in shards.values() for start in range(0, len(group), WIDTH)]

    def _heads(self, owners: Sequence[Jid]) -> Deferred[dict[Jid, int]]:
        names = {self._keys[owner].digest: owner for owner in owners}
        asked = self._read(owners[0], "log.heads", fetch, self._of(owners[0]).heads(owners))
        return asked.addCallback(lambda found: {names[bytes(digest)]: last for digest, last in found})

    # Time

    def _tick(self) -> None:
        """Give up what is late and write cursors; go on for as long as there is anything to look after."""
        self._timer = None
        for writer in self._writers:
            writer.give_up_late()
        if self._gathering:
            drive_alone(self._gathering.write(), lambda error: log.failure("cursors are not written", error))
        if self._gathering or any(writer.is_busy for writer in self._writers):
            self._timer = self._clock.callLater(TICK, self._tick)


def _bounded(query: Query, after: int, before: int | None, limit: int | None = None) -> Query:
    return Query(
        query.owner, after, before, query.peer, query.ids, query.limit if limit is None else limit, query.backwards
    )


async def _newest(database: Database, reads: Reads) -> int:
    if not database.is_sqlite:
        await _wait_out(database)
    last = (await database.read("log.newest", fetch, (reads.newest(),)))[0][0]
    return last or 0


async def _wait_out(database: Database) -> None:
    """Wait until the batches that are under way have ended; raise `Busy` if one does not end."""
    for _ in range(WAITS):
        try:
            await database.read("log.wait_out", ask, (WAIT_OUT,))
            return
        except Busy:
            log.info("{place}: a batch of another node is under way", place=database.place)
    raise Busy(f"{database.place}: a batch of another node does not end")


def _nothing(failure: Failure) -> dict[Jid, int]:
    """Return no heads: the shard's outage is told by who has met it, and the other shards are not concerned."""
    failure.trap(StorageUnavailable)  # type: ignore[no-untyped-call]
    return {}


async def _all(asked: Sequence[Deferred[T]]) -> list[T]:
    """Wait for several answers; raise what the first failure was."""
    try:
        answers: list[T] = await gatherResults(asked, consumeErrors=True)
    except FirstError as error:
        error.subFailure.raiseException()
    return answers
