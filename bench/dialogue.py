"""A scripted exchange on one connection: say something, wait for a pattern, say the next thing."""

import re
import ssl
from collections.abc import Callable, Generator

from .connection import Connection, ignore

# A script yields the pattern that it waits for, or the context for a TLS handshake, and is resumed with the match.
Script = Generator[re.Pattern[bytes] | ssl.SSLContext, re.Match[bytes], None]


class NegotiationError(Exception):
    """The server did not do what a script needs."""


class Dialogue:
    """Runs a script on a connection and tells `done` how it ended: None, or what went wrong."""

    def __init__(
        self, connection: Connection, script: Script, done: Callable[[Connection, NegotiationError | None], None]
    ) -> None:
        self._connection = connection
        self._script = script
        self._done = done
        self._buffer = b""
        self._pattern: re.Pattern[bytes] | None = None

    def start(self) -> None:
        """Say the first thing."""
        self._connection.receive = self._received
        self._connection.lost = self._lost
        self._go_on(None)

    def _received(self, data: bytes) -> None:
        self._buffer += data
        self._match()

    def _match(self) -> None:
        while self._pattern is not None:
            found = self._pattern.search(self._buffer)
            if found is None:
                return
            self._buffer = self._buffer[found.end() :]
            self._pattern = None
            self._go_on(found)

    def _go_on(self, found: re.Match[bytes] | None) -> None:
        try:
            wanted = next(self._script) if found is None else self._script.send(found)
        except StopIteration:
            self._end(None)
        except NegotiationError as error:
            self._end(error)
        else:
            self._wait_for(wanted)

    def _wait_for(self, wanted: re.Pattern[bytes] | ssl.SSLContext) -> None:
        if isinstance(wanted, ssl.SSLContext):
            self._buffer = b""
            self._connection.secure(wanted, lambda: self._go_on(None))
        else:
            self._pattern = wanted

    def _lost(self, reason: str) -> None:
        self._end(NegotiationError(f"{self._connection.name.decode()}: {reason}; last heard {self._buffer[-300:]!r}"))

    def _end(self, error: NegotiationError | None) -> None:
        self._pattern = None
        self._connection.receive = ignore
        self._connection.lost = self._connection.count_loss
        self._done(self._connection, error)
