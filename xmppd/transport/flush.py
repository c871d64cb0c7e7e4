"""The flush queue: all writes of one turn of the loop, to all connections, leave by one callback."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from ..core.log import Log

log = Log("transport")


class Flushable(Protocol):
    """A connection with something to send."""

    def flush(self) -> None:
        """Send what was written since the last flush."""

    def abort(self) -> None:
        """Close at once."""


class FlushQueue:
    """Connections written to in this turn; one for each loop.

    A connection enters itself with its first write of a turn and is flushed once, after the events of the turn.
    """

    __slots__ = ("_dirty", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._dirty: list[Flushable] = []

    def add(self, connection: Flushable) -> None:
        """Flush `connection` at the end of this turn; to be called once for each turn."""
        dirty = self._dirty
        if not dirty:
            self._loop.call_soon(self._flush)
        dirty.append(connection)

    def later(self, call: Callable[[], object]) -> None:
        """Make one call in the next turn, behind what is ready now."""
        self._loop.call_soon(call)

    def _flush(self) -> None:
        """Flush each; what one of them breaks is its own affair."""
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            try:
                connection.flush()
            except Exception:
                log.failure("a connection could not be flushed and is closed")
                connection.abort()
