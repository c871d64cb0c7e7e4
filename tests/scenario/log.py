"""A log that can be made to wait, and to fail."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from xmppd.core.message_log import Done, Entry, Position, Row
from xmppd.protocol.jid import Jid


class HeldLog:
    """Implements `xmppd.core.message_log.MessageLog` over a real one; while it is held no commit is told of.

    :ivar held: what to call to tell of the commits, the oldest first.
    :ivar held_reads: what fires once those who read may have what they have read, the oldest first.
    :ivar is_split: whether no two owners live on one shard.
    """

    def __init__(self, log: Any, soon: Callable[[Callable[[], None]], None]) -> None:
        self._log = log
        self._soon = soon
        self._is_held = False
        self._reads_are_held = False
        self._error: Exception | None = None
        self._read_error: Exception | None = None
        self.held: deque[Callable[[], None]] = deque()
        self.held_reads: deque[Deferred[None]] = deque()
        self.is_split = False

    def hold(self) -> None:
        """Let commits happen, and nobody know, from now on."""
        self._is_held = True

    def release(self, number: int | None = None) -> None:
        """Tell of the first so many commits, or of all, and of later ones at once."""
        if number is None:
            self._is_held = False
        for _ in range(len(self.held) if number is None else number):
            self.held.popleft()()

    def fail(self, error: Exception | None) -> None:
        """Let what is appended from now on fail with an error; None lets it succeed again."""
        self._error = error

    def hold_reads(self) -> None:
        """Let readers of what waits have their answers later, as they were true when they asked."""
        self._reads_are_held = True

    def release_reads(self, number: int | None = None) -> None:
        """Let the first so many readers have their answers, or all, and later ones at once."""
        if number is None:
            self._reads_are_held = False
        for _ in range(len(self.held_reads) if number is None else number):
            self.held_reads.popleft().callback(None)

    def fail_reads(self, error: Exception | None) -> None:
        """Let readers of what waits fail with an error from now on; None lets them succeed again."""
        self._read_error = error

    def together(self, one: Jid, other: Jid) -> bool:
        return not self.is_split and bool(self._log.together(one, other))

    def append(self, entries: Sequence[Entry], done: Done) -> None:
        error = self._error
        if error is not None:
            self._soon(lambda: done(error))
            return

        def told(outcome: Exception | None) -> None:
            if self._is_held:
                self.held.append(lambda: done(outcome))
            else:
                done(outcome)

        self._log.append(entries, told)

    async def position(self, owner: Jid) -> Position:
        self._may_read()
        found: Position = await self._log.position(owner)
        await self._read()
        return found

    async def waiting(self, owner: Jid, after: int, open: Iterable[int], limit: int) -> list[Row]:
        self._may_read()
        found: list[Row] = await self._log.waiting(owner, after, open, limit)
        await self._read()
        return found

    def _may_read(self) -> None:
        if self._read_error is not None:
            raise self._read_error

    async def _read(self) -> None:
        if self._reads_are_held:
            waiter: Deferred[None] = Deferred()
            self.held_reads.append(waiter)
            await waiter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)
