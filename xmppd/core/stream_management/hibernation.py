"""What a session is written to while it has no connection: its queue."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from ...protocol.errors import StreamError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from .managed import Managed


class Hibernation:
    """The wire of a session that waits to be resumed.

    :param end: ends the session for good, for the reason that it is given.
    :ivar managed: the session.
    :ivar reason: why the connection ended.
    :ivar since: when it did.
    """

    __slots__ = ("_end", "_soon", "connected_at", "last_heard", "managed", "peer_address", "reason", "secure", "since")

    is_connected = False
    acknowledges = True

    def __init__(
        self,
        managed: "Managed",
        reason: str,
        since: float,
        end: Callable[["Managed", str], None],
        soon: Callable[[Callable[[], None]], object],
    ) -> None:
        driver = managed.driver
        self.managed = managed
        self._end = end
        self._soon = soon
        self.reason = reason
        self.since = since
        self.peer_address: str = driver.peer_address
        self.secure: bool = driver.secure
        self.connected_at: float = driver.connected_at
        self.last_heard: float = driver.last_heard
        managed.outgoing.asked()  # nobody can be

    def write_stanza(self, data: bytes, row: int = 0) -> bool:
        """Keep a stanza for the next connection; one too many ends the session, behind this turn."""
        if self.managed.is_over:
            return False
        outgoing = self.managed.outgoing
        was_over = outgoing.is_over
        if outgoing.add(data, row) and outgoing.is_over and not was_over:
            self._soon(self._overflow)
        return True

    def _overflow(self) -> None:
        if self.managed.hibernation is self:
            self._end(self.managed, "too much was unacknowledged")

    def unacknowledged(self) -> Collection[int]:
        """Return the rows that nobody has acknowledged."""
        return self.managed.rows()

    def room(self) -> "Deferred[None] | None":
        """Return what fires when there is a connection again, or when the session is over."""
        return self.managed.room()

    def close(self, error: StreamError | None = None) -> None:
        """End the session."""
        self._end(self.managed, "" if error is None else str(error))
