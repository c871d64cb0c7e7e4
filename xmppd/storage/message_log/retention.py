"""Retention: rows that are too old go, and with them messages that nobody has fetched.

What nobody keeps any longer goes by whole partitions. Who keeps for a shorter time than others is looked through owner
by owner, a chunk of rows at a time, so that nothing is held up.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select
from twisted.internet.defer import Deferred

from ...core.clock import Clock
from ...core.log import Log
from ...core.message_log import StorageUnavailable, id_at
from ...core.shards import Row
from ...protocol.jid import Jid
from ..database import Database
from .partitions import drop_before, forget_writers, make_ahead
from .tables import log_head

log = Log("storage")

Keep = Callable[[Jid], float | None]
"""For how long an owner's rows are kept, in seconds; None is for ever."""

Longest = Callable[[], float | None]
"""The longest of these times; None is for ever."""

DAY: Final = 86_400.0
AGAIN: Final = 60.0
"""Seconds until what could not be done is tried again."""

OWNERS: Final = 500
PAGE: Final = (
    select(log_head.c.owner, log_head.c.jid)
    .where(log_head.c.owner > bindparam("after"))
    .order_by(log_head.c.owner)
    .limit(OWNERS)
)


def for_ever(owner: Jid | None = None) -> None:
    """Keep everything."""


class Retention:
    """Looks after the age of rows, and after partitions, once a day.

    :param wall_clock: seconds since the epoch.
    :param purge: removes an owner's rows below an id.
    :param keep: for how long an owner's rows are kept.
    :param longest: the longest of these times.
    """

    def __init__(
        self,
        databases: tuple[Database, ...],
        clock: Clock,
        wall_clock: Callable[[], float],
        purge: Callable[[Jid, int], Awaitable[int]],
        keep: Keep,
        longest: Longest,
    ) -> None:
        self._databases = databases
        self._clock = clock
        self._wall_clock = wall_clock
        self._purge = purge
        self._keep = keep
        self._longest = longest
        self._timer: Any = None
        self._running: Deferred[None] | None = None
        self._stopped = False

    def start(self) -> None:
        """Do now what is due, and then every day."""
        self._timer = None
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(lambda failure: log.failure("old messages are not removed", failure.value))

    async def stop(self) -> None:
        """Wait for what is under way; do no more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._running is not None:
            await self._running

    async def tend(self) -> bool:
        """Do what is due on every shard; return whether all of it could be done."""
        done = True
        for database in self._databases:
            try:
                done &= await self._tend(database)
            except StorageUnavailable as error:
                log.warn("{place}: old messages stay: {error}", place=database.place, error=str(error))
                done = False
        return done

    async def _run(self) -> None:
        done = await self.tend()
        if not self._stopped:
            self._timer = self._clock.callLater(DAY if done else AGAIN, self.start)

    async def _tend(self, database: Database) -> bool:
        now, longest = self._wall_clock(), self._longest()
        done = True
        if not database.is_sqlite:
            done = await make_ahead(database, now)
            await forget_writers(database)
            if longest is not None:
                done &= await drop_before(database, id_at(now - longest))
        await self._look_through(database, now, longest)
        return done

    async def _look_through(self, database: Database, now: float, longest: float | None) -> None:
        """Purge owner by owner, but for those whose rows go with their partition."""
        after = b""
        owners: Sequence[Row] = ()
        while not owners or len(owners) == OWNERS:
            owners = await database.fetch("log.owners", PAGE, {"after": after})
            if not owners:
                return
            after = owners[-1][0]
            for _, jid in owners:
                await self._look_at(Jid(jid), now, None if database.is_sqlite else longest)

    async def _look_at(self, owner: Jid, now: float, longest: float | None) -> None:
        kept = self._keep(owner)
        if kept is not None and kept != longest and not self._stopped:
            await self._purge(owner, id_at(now - kept))
