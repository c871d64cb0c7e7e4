"""One connection of the administration socket: requests in, rows, results and errors out.

Requests of a connection run side by side. Their number and the length of a line are bounded; rows wait while the other
side does not read; when the other side goes, everything it has asked for is cancelled.
"""

import socket
from asyncio import BaseTransport, Protocol, Transport
from collections.abc import Callable
from typing import Any, Final, cast

from twisted.internet.defer import CancelledError, Deferred

from ..core.administration import Administration
from ..core.commands import Caller, CommandError, Exit, Origin
from ..core.log import Log
from ..core.results import Row, plain, plain_result
from .wire import LONGEST_REQUEST, Request, failure, line, read_request

MOST_REQUESTS: Final = 16
"""Requests of one connection that may be under way."""

log = Log("admin")
CALLER: Final = Caller(Origin.SOCKET)


class Connection(Protocol):
    """Serves one `xmppctl`.

    :param gone: told when the connection has ended.
    :param trusts: says whether the process at the other end may stay; None if nobody may (there are too many).
    """

    def __init__(
        self,
        administration: Administration,
        gone: Callable[["Connection"], None],
        trusts: Callable[[socket.socket], bool] | None,
    ) -> None:
        self._administration = administration
        self._gone = gone
        self._trusts = trusts
        self._transport: Transport | None = None
        self._received = bytearray()
        self._running: dict[int, Deferred[None]] = {}
        self._writable: Deferred[None] | None = None

    def connection_made(self, transport: BaseTransport) -> None:
        """Let the other side stay, or tell it why not."""
        self._transport = transport = cast(Transport, transport)  # uvloop's are none by inheritance
        if self._trusts is None:
            self._refuse("too many connections")
            return
        descriptor = transport.get_extra_info("socket").fileno()
        with socket.fromfd(descriptor, socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            trusted = self._trusts(peer)
        if not trusted:
            self._refuse("only the server's own user and root may administer it")

    def data_received(self, data: bytes) -> None:
        """Take the lines that are complete."""
        self._received += data
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        for given in lines:
            if self._transport is None or self._transport.is_closing():
                return
            self._take(bytes(given))
        if len(self._received) > LONGEST_REQUEST:
            self._refuse(f"a request has at most {LONGEST_REQUEST} bytes")

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel everything that the other side has asked for."""
        self._transport = None
        for work in list(self._running.values()):
            work.cancel()
        self._gone(self)

    def pause_writing(self) -> None:
        """Let rows wait."""
        self._writable = Deferred()

    def resume_writing(self) -> None:
        """Let rows go on."""
        waiting, self._writable = self._writable, None
        if waiting is not None:
            waiting.callback(None)

    def close(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, given: bytes) -> None:
        request = Request()
        try:
            if len(given) > LONGEST_REQUEST:
                raise CommandError(f"a request has at most {LONGEST_REQUEST} bytes", code=Exit.USAGE)
            request = read_request(given)
            self._accept(request)
        except CommandError as error:
            self._send({"id": request.id, "error": failure(error)})

    def _accept(self, request: Request) -> None:
        if request.cancel:
            work = self._running.get(request.id)
            if work is not None:
                work.cancel()
            return
        if request.id in self._running:
            raise CommandError(f"request {request.id} is under way", code=Exit.USAGE)
        if len(self._running) >= MOST_REQUESTS:
            raise CommandError(f"at most {MOST_REQUESTS} requests may be under way", code=Exit.USAGE)
        work = Deferred.fromCoroutine(self._answer(request))
        if not work.called:
            self._running[request.id] = work
            work.addBoth(self._finished, request.id)

    def _finished(self, result: object, number: int) -> None:
        del self._running[number]

    async def _answer(self, request: Request) -> None:
        """Do what a request asks; whatever happens is an answer, but for a caller that has gone."""
        try:
            self._send({"id": request.id, **await self._do(request)})
        except CommandError as error:
            self._send({"id": request.id, "error": failure(error)})
        except CancelledError:
            self._send({"id": request.id, "result": {"kind": "done", "text": ""}})
        except Exception as error:  # an answer that cannot be written included
            log.failure("{command} failed", error, command=" ".join(request.command))
            fault = CommandError("the command failed", "the server's log has the details", Exit.INTERNAL)
            self._send({"id": request.id, "error": failure(fault)})

    async def _do(self, request: Request) -> dict[str, Any]:
        if request.describe:
            return {"commands": [command.describe() for command in self._administration.registry]}

        async def each(row: Row) -> None:
            self._send({"id": request.id, "row": plain(row)})
            if self._writable is not None:
                await self._until_writable(self._writable)

        command = self._administration.registry.find(request.command)
        return {"result": plain_result(await self._administration.run(CALLER, command, request.arguments, each))}

    async def _until_writable(self, writable: Deferred[None]) -> None:
        """Wait with others for the same event; cancelling one of them leaves the others waiting."""
        mine: Deferred[None] = Deferred()

        def release(result: None) -> None:
            if not mine.called:
                mine.callback(None)

        writable.addCallback(release)
        await mine

    def _send(self, message: dict[str, Any]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(line(message))

    def _refuse(self, why: str) -> None:
        self._send({"id": 0, "error": failure(CommandError(why, code=Exit.REFUSED))})
        if self._transport is not None:
            self._transport.close()
