"""The loopback HTTP port, on a transport in memory."""

from email.parser import BytesParser

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs

from xmppd.transport.http import HttpSite

HOST = b"Host: localhost\r\n"


def broken() -> tuple[int, str, bytes]:
    raise ZeroDivisionError


PAGES = {
    "/metrics": lambda: (200, "application/openmetrics-text", b"xmppd_sessions 3\n"),
    "/health/ready": lambda: (503, "application/json", b'{"ready": false}'),
    "/broken": broken,
}


def ask(request: bytes, *, access_log: bool = False) -> tuple[str, dict[str, str], bytes]:
    """Send one request; return status line, headers and body."""
    transport = StringTransport()
    channel = HttpSite(PAGES, Clock(), access_log=access_log).buildProtocol(None)
    channel.makeConnection(transport)
    channel.dataReceived(request)
    head, _, body = transport.value().partition(b"\r\n\r\n")
    status, _, lines = head.partition(b"\r\n")
    headers = {name.lower(): value for name, value in BytesParser().parsebytes(lines + b"\r\n\r\n").items()}
    return status.decode(), headers, body


def get(path: bytes) -> tuple[str, dict[str, str], bytes]:
    return ask(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")


def test_a_page() -> None:
    """Status, type and body are the page's."""
    status, headers, body = get(b"/metrics")

    assert status == "HTTP/1.1 200 OK"
    assert headers["content-type"] == "application/openmetrics-text"
    assert headers["content-length"] == "17"
    assert body == b"xmppd_sessions 3\n"


def test_a_page_that_is_not_well() -> None:
    """Readiness is told by the status."""
    status, _, body = get(b"/health/ready?verbose=1")

    assert status == "HTTP/1.1 503 Service Unavailable"
    assert body == b'{"ready": false}'


@pytest.mark.parametrize("path", [b"/metrics", b"/nothing"])
def test_strict_headers(path: bytes) -> None:
    """A browser can do nothing with an answer, nobody keeps it, and it does not say what we are."""
    _, headers, _ = get(path)

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_head() -> None:
    """HEAD is GET without the body."""
    status, headers, body = ask(b"HEAD /metrics HTTP/1.1\r\n" + HOST + b"\r\n")

    assert status == "HTTP/1.1 200 OK"
    assert headers["content-length"] == "17"
    assert body == b""


@pytest.mark.parametrize("path", [b"/", b"/metrics/", b"/metrics/..", b"//metrics", b"/%6detrics", b"*"])
def test_other_paths(path: bytes) -> None:
    """Only the pages there are, by their exact names."""
    status, _, body = get(path)

    assert status == "HTTP/1.1 404 Not Found"
    assert body == b"404 Not Found\n"


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"BREW"])
def test_other_methods(method: bytes) -> None:
    """Nothing can be changed here; a body is thrown away."""
    status, headers, _ = ask(method + b" /metrics HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello")

    assert status == "HTTP/1.1 405 Method Not Allowed"
    assert headers["allow"] == "GET, HEAD"


def test_a_large_body_is_not_kept() -> None:
    """A megabyte takes no memory and no disk."""
    channel = HttpSite(PAGES, Clock()).buildProtocol(None)
    channel.makeConnection(StringTransport())
    channel.dataReceived(b"POST /metrics HTTP/1.1\r\n" + HOST + b"Content-Length: 2000000\r\n\r\n")
    channel.dataReceived(b"x" * 1_000_000)

    assert channel._channel.requests[0].content.getvalue() == b""


@pytest.mark.parametrize("hosts", [b"", HOST * 2])
def test_host_is_wanted_once(hosts: bytes) -> None:
    """RFC 9112, 3.2: no Host, or two of them, is a bad request."""
    assert ask(b"GET /metrics HTTP/1.1\r\n" + hosts + b"\r\n")[0] == "HTTP/1.1 400 Bad Request"


def test_http_1_0() -> None:
    """An old health check has no Host."""
    assert ask(b"GET /metrics HTTP/1.0\r\n\r\n")[0] == "HTTP/1.0 200 OK"


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: +5\r\n",
    ],
)
def test_requests_that_two_parsers_read_differently(headers: bytes) -> None:
    """Request smuggling: such a request is refused."""
    assert "400" in ask(b"GET /metrics HTTP/1.1\r\n" + HOST + headers + b"\r\nhello")[0]


def test_a_page_that_fails() -> None:
    """The log has the traceback, the answer has not."""
    with capturedLogs() as events:
        status, _, body = get(b"/broken")

    assert status == "HTTP/1.1 500 Internal Server Error"
    assert body == b"500 Internal Server Error\n"
    assert [event["log_failure"].type for event in events] == [ZeroDivisionError]


def test_access_log() -> None:
    """A line for each request, if it is wanted."""
    with capturedLogs() as events:
        ask(b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n")
        assert events == []
        ask(b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n", access_log=True)

    assert [(event["method"], event["path"], event["status"]) for event in events] == [("GET", "/metrics", 200)]


def test_idle_connections_end() -> None:
    """Nobody holds a connection by saying nothing."""
    clock, transport = Clock(), StringTransport()
    channel = HttpSite(PAGES, clock).buildProtocol(None)
    channel.makeConnection(transport)
    clock.advance(31)

    assert transport.disconnecting
