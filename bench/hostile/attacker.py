"""What attacks are written with: connections and sessions, bytes sent with or without an eye on what comes back."""

import asyncio
import contextlib
import re
import ssl
from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from ..dialogue import NegotiationError, Script
from ..negotiation import Target, online, opening, registered, stream

PATIENCE = 60.0  # seconds; what takes longer is told as such
CONDITION = re.compile(rb"<stream:error>.*?<([a-z-]+) xmlns=.urn:ietf:params:xml:ns:xmpp-streams", re.DOTALL)
CHUNK = 65536
KEPT = 4096  # bytes of what came last


class Line:
    """One connection to the server.

    :ivar name: the account's localpart, if there is one.
    :ivar received: how many bytes came.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: bytes = b"") -> None:
        self.name = name
        self.received = 0
        self.ended = False
        self._reader = reader
        self._writer = writer
        self._seen = b""
        self._reading: asyncio.Task[None] | None = None

    def send(self, data: bytes) -> None:
        """Send without waiting."""
        self._writer.write(data)

    async def floods(self, pieces: Iterable[bytes]) -> int:
        """Send as long as the server takes it; return how many bytes it was given."""
        sent = 0
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                for piece in pieces:
                    if self.ended or self._writer.is_closing():
                        break
                    self._writer.write(piece)
                    sent += len(piece)
                    await self._writer.drain()
        return sent

    async def follows(self, script: Script) -> None:
        """Lead a negotiation."""
        wanted = next(script)
        while True:
            if isinstance(wanted, ssl.SSLContext):
                await self._writer.start_tls(wanted, server_hostname="localhost")
                found: Any = None
            else:
                found = await self.hears(wanted)
            try:
                wanted = script.send(found)
            except StopIteration:
                return

    async def hears(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """Read until something matches; forget it and what came before."""
        while (found := pattern.search(self._seen)) is None:
            data = await asyncio.wait_for(self._reader.read(CHUNK), PATIENCE)
            if not data:
                raise NegotiationError(f"the server closed; last heard {self._seen[-300:]!r}")
            self._take(data)
        self._seen = self._seen[found.end() :]
        return found

    def listens(self) -> None:
        """Read from now on, and forget all but the end."""
        self._reading = asyncio.ensure_future(self._read_on())

    async def _read_on(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(CHUNK):
                self._take(data)
                self._seen = self._seen[-KEPT:]
        self.ended = True

    def _take(self, data: bytes) -> None:
        self.received += len(data)
        self._seen += data

    async def outcome(self) -> str:
        """Read to the end; return the stream error, or how it ended."""
        if self._reading is None:
            self.listens()
        assert self._reading is not None
        done, _ = await asyncio.wait([self._reading], timeout=PATIENCE)
        found = CONDITION.search(self._seen)
        if found is not None:
            return found[1].decode()
        return "closed" if done else "still open"

    async def fate(self) -> str:
        """End the session in good order if it goes on; return the stream error if it does not."""
        self.send(b"</stream:stream>")
        outcome = await self.outcome()
        return "taken, the session goes on" if outcome == "closed" else outcome

    def closes(self) -> None:
        """Close without a word."""
        if self._reading is not None:
            self._reading.cancel()
        self._writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closes()


class Attacker:
    """Makes connections to one server."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._known: set[bytes] = set()

    async def line(self, name: bytes = b"") -> Line:
        """Return a connection on which nothing was said."""
        return Line(*await asyncio.open_connection(self.target.host, self.target.port), name)

    async def lines(self, count: int) -> list[Line]:
        """Return many of them."""
        return list(await asyncio.gather(*(self.line() for _ in range(count))))

    async def stranger(self, script: Any = opening) -> Line:
        """Return a connection whose stream is open and whose authentication is due."""
        line = await self.line()
        await line.follows(_until_end(script(line, self.target)))
        return line

    async def in_clear(self) -> Line:
        """Return a connection whose stream is open, without TLS."""
        return await self.stranger(stream)

    async def session(self, name: str) -> Line:
        """Return a session of an account, which is registered when it is first asked for."""
        encoded = name.encode()
        if encoded not in self._known:
            self._known.add(encoded)
            async with await self.line(encoded) as line:
                await line.follows(registered(line, self.target))  # type: ignore[arg-type]  # a line is enough
        line = await self.line(encoded)
        await line.follows(online(line, self.target))  # type: ignore[arg-type]
        return line


def _until_end(script: Any) -> Script:
    """Return a script without its result."""
    yield from script


async def outcomes(lines: Iterable[Line]) -> str:
    """Return how the lines ended, and how many so."""
    counted = Counter(await asyncio.gather(*(line.outcome() for line in lines)))
    return ", ".join(f"{outcome} x {count}" for outcome, count in sorted(counted.items()))
