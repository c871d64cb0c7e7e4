"""The epoll loop under every connection of the generator."""

import select
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection

LONGEST_POLL = 0.05  # seconds; a predicate that hangs on the clock is asked at least that often


class Loop:
    """Waits for sockets and hands their events to their connections.

    :ivar lost: how many connections the server has ended so far.
    """

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.connections: dict[int, Connection] = {}
        self.lost = 0

    def add(self, connection: "Connection") -> None:
        """Watch a connection for input."""
        self.connections[connection.fd] = connection
        self.epoll.register(connection.fd, select.EPOLLIN)

    def remove(self, connection: "Connection") -> None:
        """Forget a connection; its socket is still open."""
        if self.connections.pop(connection.fd, None) is not None:
            self.epoll.unregister(connection.fd)

    def want_write(self, connection: "Connection", wanted: bool) -> None:
        """Watch a connection for room to write too, or no longer."""
        self.epoll.modify(connection.fd, select.EPOLLIN | select.EPOLLOUT if wanted else select.EPOLLIN)

    def turn(self, timeout: float) -> None:
        """Serve what is ready, waiting at most `timeout` seconds."""
        connections = self.connections
        for fd, events in self.epoll.poll(timeout, 4096):
            connection = connections.get(fd)
            if connection is not None:
                connection.ready(events)

    def until(self, holds: Callable[[], bool], limit: float) -> bool:
        """Run until `holds()` or for `limit` seconds; say whether it held."""
        end = time.monotonic() + limit
        while not holds():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.turn(min(left, LONGEST_POLL))
        return True

    def run(self, seconds: float) -> None:
        """Run for so many seconds."""
        self.until(lambda: False, seconds)
