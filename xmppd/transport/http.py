"""The loopback HTTP port: metrics and health, on Twisted's HTTP engine.

Pages are passed in by path; each is a callable that returns what to answer. Nothing else is served, only GET and HEAD
are understood, bodies of requests are thrown away unread, and every answer carries headers under which a browser can do
nothing with it.
"""

import io
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from twisted.internet.interfaces import IReactorTime
from twisted.web.http import HTTPFactory, Request

from ..core.log import Log

Page = Callable[[], tuple[int, str, bytes]]
"""Returns the status, the content type and the body."""

TEXT: Final = "text/plain; charset=utf-8"
TIMEOUT: Final = 30.0
"""Seconds that a connection may be idle."""

STRICT: Final = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'; sandbox",
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"cross-origin-resource-policy": b"same-origin",
}
ALLOWED: Final = (b"GET", b"HEAD")

log = Log("http")


class HttpSite(HTTPFactory):
    """Serves the pages; to be listened with on the reactor.

    :param pages: the pages by path, such as ``/metrics``.
    :param reactor: the clock for idle connections.
    :param access_log: write a line for each request.
    """

    def __init__(self, pages: Mapping[str, Page], reactor: IReactorTime, *, access_log: bool = False) -> None:
        super().__init__(timeout=TIMEOUT, reactor=reactor)
        self.pages = {path.encode("ascii"): page for path, page in pages.items()}
        self.access_log = access_log

    def buildProtocol(self, addr: Any) -> Any:
        """Return the channel of one connection."""
        channel: Any = super().buildProtocol(addr)
        channel.requestFactory = _PageRequest
        return channel

    def log(self, request: Request) -> None:
        """Log one request that was answered, if that is wanted."""
        if self.access_log:
            log.info(
                "{method} {path} was answered with {status}",
                method=request.method.decode("ascii", "backslashreplace"),
                path=request.path.decode("ascii", "backslashreplace"),
                status=request.code,
            )


class _PageRequest(Request):
    """One request."""

    def gotLength(self, length: int | None) -> None:
        """Keep nothing of a body."""
        self.content = io.BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """Throw a piece of the body away."""

    def process(self) -> None:
        """Answer."""
        status, kind, body = self._answer()
        headers = STRICT | {b"content-type": kind.encode("ascii"), b"content-length": b"%d" % len(body)}
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            headers[b"allow"] = b", ".join(ALLOWED)
        request: Any = self  # Twisted's methods have no types
        request.setResponseCode(status, HTTPStatus(status).phrase.encode("ascii"))
        for name, value in headers.items():
            request.setHeader(name, value)
        request.write(b"" if self.method == b"HEAD" else body)
        request.finish()

    def _answer(self) -> tuple[int, str, bytes]:
        """Find the page and ask it."""
        if self.method not in ALLOWED:
            return _error(HTTPStatus.METHOD_NOT_ALLOWED)
        if not self._has_one_host():
            return _error(HTTPStatus.BAD_REQUEST)
        page = self.channel.factory.pages.get(self.path)
        if page is None:
            return _error(HTTPStatus.NOT_FOUND)
        try:
            answer: tuple[int, str, bytes] = page()
        except Exception:
            log.failure("the page {path} failed", path=self.path.decode("ascii", "backslashreplace"))
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR)
        return answer

    def _has_one_host(self) -> bool:
        """RFC 9112, 3.2: an HTTP/1.1 request has exactly one Host."""
        hosts = self.requestHeaders.getRawHeaders(b"host", [])
        return len(hosts) == 1 or (self.clientproto == b"HTTP/1.0" and not hosts)


def _error(status: HTTPStatus) -> tuple[int, str, bytes]:
    return status, TEXT, f"{status.value} {status.phrase}\n".encode("ascii")
