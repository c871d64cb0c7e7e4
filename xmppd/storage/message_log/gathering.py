"""What is delivered gathers in memory, for every owner, until somebody writes it."""

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock

from ...core.log import Log
from ...core.message_log import StorageUnavailable
from ...protocol.jid import Jid
from ..faults import SlotElsewhere
from ..workers import Lane
from .cursors import Cursor, Cursors, Delivered, Gathered
from .measures import LogMetrics

log = Log("storage")


class Gathering:
    """Cursors that are not written yet. Used from the loop's thread only.

    :param lane_of: the lane of the shard that has an owner.
    :param refresh: has the slot map read anew.
    """

    def __init__(
        self,
        cursors: Cursors,
        lane_of: Callable[[Jid], Lane],
        refresh: Callable[[], Deferred[None]],
        metrics: LogMetrics,
    ) -> None:
        self._cursors = cursors
        self._lane_of = lane_of
        self._refresh = refresh
        self._metrics = metrics
        self._gathered: Gathered = {}
        self._writing: Gathered = {}
        self._one_by_one = DeferredLock()

    def __bool__(self) -> bool:
        """Whether anything is not written yet."""
        return bool(self._gathered or self._writing)

    def add(self, owner: Jid, cursor: Cursor, purge: Iterable[int] = ()) -> None:
        """Gather what is delivered, and what is to be purged."""
        news = self._gathered.get(owner)
        if news is None:
            self._gathered[owner] = Delivered(cursor, set(purge))
        else:
            news.add(cursor, purge)

    def known(self, owner: Jid) -> Cursor:
        """Return what is delivered beside what is stored, or being stored."""
        cursor = Cursor()
        for place in (self._gathered, self._writing):
            if owner in place:
                cursor = cursor.united(place[owner].cursor)
        return cursor

    def drop(self, owner: Jid) -> None:
        """Forget what was gathered for an owner."""
        self._gathered.pop(owner, None)

    async def write(self) -> None:
        """Write what is gathered; return when it is committed, or goes back to wait for the next time."""
        await self._one_by_one.acquire()
        try:
            self._writing, self._gathered = self._gathered, {}
            asked = [self._write(lane, part) for lane, part in self._by_lane(self._writing)]
            for written in asked:
                await written
        finally:
            self._writing = {}
            self._one_by_one.release()

    def _by_lane(self, gathered: Gathered) -> list[tuple[Lane, Gathered]]:
        parts: dict[int, tuple[Lane, Gathered]] = {}
        for owner, news in gathered.items():
            lane = self._lane_of(owner)
            parts.setdefault(id(lane), (lane, {}))[1][owner] = news
        return list(parts.values())

    def _write(self, lane: Lane, part: Gathered) -> Deferred[None]:
        """Have the cursors of one shard written."""
        written = self._cursors.write(lane, part)
        return Deferred.fromCoroutine(self._outcome(written, part))

    async def _outcome(self, written: list[Deferred[int]], part: Gathered) -> None:
        """Hear of every chunk; put all back if one was not written: writing a cursor twice does no harm."""
        failed: Exception | None = None
        for chunk in written:
            try:
                self._metrics.purged += await chunk
            except Exception as error:  # the other chunks have to be heard too
                failed = error
        if failed is None:
            self._metrics.cursors += len(part)
        elif isinstance(failed, StorageUnavailable | SlotElsewhere):
            await self._put_back(part, failed)
        else:
            log.failure("delivery cursors are not written", failed)

    async def _put_back(self, part: Gathered, failed: Any) -> None:
        for owner, news in part.items():
            self.add(owner, news.cursor, news.purge)
        if isinstance(failed, SlotElsewhere):
            try:
                await self._refresh()
            except StorageUnavailable as error:
                log.warn("the slot map cannot be read: {error}", error=str(error))
