"""Callers of an administration socket, on a real event loop."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from twisted.internet.defer import Deferred

from xmppd.admin.socket import AdminSocket
from xmppd.core.administration import Administration


def run(
    work: Coroutine[Any, Any, None], loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
) -> None:
    """Run a test's coroutine on a loop of its own."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work)


async def started(socket: AdminSocket) -> AdminSocket:
    """Start a socket from a coroutine of asyncio."""
    await Deferred.fromCoroutine(socket.start()).asFuture(asyncio.get_running_loop())
    return socket


@asynccontextmanager
async def listening(path: Path, administration: Administration, **options: Any) -> AsyncIterator[AdminSocket]:
    """Have a socket as long as the block lasts."""
    socket = await started(AdminSocket(path, administration, asyncio.get_running_loop(), **options))
    try:
        yield socket
    finally:
        socket.stop()


@dataclass
class Caller:
    """One connection, that speaks lines of JSON."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, path: Path) -> Self:
        return cls(*await asyncio.open_unix_connection(path, limit=1 << 24))

    def sends(self, **request: Any) -> None:
        self.writer.write(json.dumps(request).encode() + b"\n")

    def sends_bytes(self, data: bytes) -> None:
        self.writer.write(data)

    async def receives(self) -> dict[str, Any]:
        """Return the next answer."""
        line = await self.reader.readline()
        assert line.endswith(b"\n"), "the server has closed the connection"
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def asks(self, **request: Any) -> dict[str, Any]:
        self.sends(**request)
        return await self.receives()

    async def is_closed(self) -> bool:
        """Return whether the server closes the connection without another word."""
        try:
            return await self.reader.read() == b""
        except ConnectionResetError:  # it left something unread
            return True

    def hangs_up(self) -> None:
        self.writer.close()
