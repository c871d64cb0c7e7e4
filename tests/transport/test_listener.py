"""Listening ports: opening them, limits, and what stands before a connection."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from xmppd.transport.admission import Admission
from xmppd.transport.flush import FlushQueue
from xmppd.transport.listener import PROXY_TIME, Endpoint, Security, Surroundings, listen
from xmppd.transport.measures import TransportMetrics
from xmppd.transport.tls_contexts import TlsContexts

from .peers import Client, Port, Recorder, TlsPeer, run

V1 = b"PROXY TCP4 203.0.113.7 192.0.2.2 56324 5222\r\n"
V2_LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"


def surroundings(loop: asyncio.AbstractEventLoop) -> Surroundings:
    return Surroundings(loop, FlushQueue(loop), Clock(), Admission(1, 1), TransportMetrics())


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def end_of(client: Client) -> bytes:
    try:
        return await client.receive_all()
    except ConnectionError:
        return b""


def test_a_port_that_is_taken(loop: asyncio.AbstractEventLoop, taken: int) -> None:
    """The error names address and port, and keeps its number."""
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {taken}: Address already in use") as raised:
        run(loop, listen(Endpoint("127.0.0.1", taken, Security.NONE), Recorder, surroundings(loop)))
    assert raised.value.errno == 98


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.DIRECT])
def test_tls_without_certificates(loop: asyncio.AbstractEventLoop, security: Security) -> None:
    """A port that should speak TLS and cannot is not opened."""
    with pytest.raises(ValueError, match="no certificate"):
        run(loop, listen(Endpoint("127.0.0.1", 0, security), Recorder, surroundings(loop)))


def test_a_plain_port_has_no_tls(loop: asyncio.AbstractEventLoop, contexts: TlsContexts) -> None:
    """`security = none` means none, even where there are certificates."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.NONE, contexts)
        _, receiver = await port.connect()

        with pytest.raises(Exception, match="has no TLS"):
            receiver.connection.start_tls(None)
        await port.close()

    run(loop, story())


def test_sockets_are_prepared(loop: asyncio.AbstractEventLoop) -> None:
    """No delay for small stanzas, and the kernel looks after dead peers."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.NONE)
        _, receiver = await port.connect()
        raw = receiver.connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]

        assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
        await port.close()

    run(loop, story())


def test_limit_per_address(loop: asyncio.AbstractEventLoop) -> None:
    """Connections beyond the limit are closed at once, counted, and told in one line; those there go on."""

    async def story() -> Port:
        port = Port(loop, per_address=2)
        port.react = lambda receiver, data: receiver.connection.write(data.upper())
        await port.open(Security.NONE)
        first, _ = await port.connect()
        second, second_receiver = await port.connect()
        for _ in range(5):
            assert await end_of(await port.client()) == b""
        await first.send(b"hello")
        assert await first.receive(5) == b"HELLO"

        second.close()
        await second_receiver.until_event("lost")
        await port.connect()
        await port.close()
        return port

    with capturedLogs() as events:
        port = run(loop, story())
    assert len(port.receivers) == 3
    assert port.metrics.refused == {"too many connections from this address": 5}
    assert sum(port.metrics.accepted.values()) == 3
    assert len(events) == 1


def test_closing_a_listener(loop: asyncio.AbstractEventLoop) -> None:
    """A closed port takes nobody new; who is there stays."""

    async def story() -> None:
        port = Port(loop)
        port.react = lambda receiver, data: receiver.connection.write(data.upper())
        await port.open(Security.NONE)
        client, _ = await port.connect()
        port.listener.close()
        with pytest.raises(OSError):
            await port.client()
        await client.send(b"hello")

        assert await client.receive(5) == b"HELLO"
        await port.close()

    run(loop, story())


# The PROXY protocol


def test_the_client_s_address_counts(loop: asyncio.AbstractEventLoop) -> None:
    """Behind a proxy the limits and the connection see the client; what follows the header is the stream."""

    async def story() -> None:
        port = Port(loop, per_address=1)
        await port.open(Security.NONE, proxied=True)
        client = await port.client()
        for byte in V1:
            client.writer.write(bytes([byte]))
            await client.writer.drain()
        await client.send(b"<stream:stream>")
        other = await port.client()
        await other.send(V1.replace(b"203.0.113.7", b"203.0.113.8") + b"<presence/>")
        excess = await port.client()
        await excess.send(V1)

        assert await end_of(excess) == b""
        first, second = port.receivers
        assert await first.until_data(15) == b"<stream:stream>"
        assert await second.until_data(11) == b"<presence/>"
        assert (first.connection.peer_address, first.connection.peer_port) == ("203.0.113.7", 56324)
        assert second.connection.peer_address == "203.0.113.8"
        await port.close()

    run(loop, story())


def test_tls_behind_the_header(loop: asyncio.AbstractEventLoop, contexts: TlsContexts) -> None:
    """Direct TLS begins behind the header, also in the same segment."""

    async def story() -> None:
        port = Port(loop)
        port.react = lambda receiver, data: receiver.connection.write(data.upper())
        await port.open(Security.DIRECT, contexts, proxied=True)
        client = await port.client()
        peer = TlsPeer()
        peer.handshake()
        await client.send(V1 + peer.take())
        await client.secure(peer)
        await client.send(b"hello")

        assert await client.receive(5) == b"HELLO"
        assert port.receivers[0].connection.peer_address == "203.0.113.7"
        await port.close()

    run(loop, story())


def test_the_proxy_s_own_connections(loop: asyncio.AbstractEventLoop) -> None:
    """LOCAL: a health check keeps the address that its socket has."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.NONE, proxied=True)
        client = await port.client()
        await client.send(V2_LOCAL + b"x")
        while not port.receivers:
            port._arrived.clear()
            await port._arrived.wait()
        await port.receivers[0].until_data(1)

        assert port.receivers[0].connection.peer_address == "127.0.0.1"
        await port.close()

    run(loop, story())


def test_no_header(loop: asyncio.AbstractEventLoop) -> None:
    """A client that comes without a header is closed before the core sees it."""

    async def story() -> Port:
        port = Port(loop)
        await port.open(Security.NONE, proxied=True)
        client = await port.client()
        await client.send(b"<stream:stream>")

        assert await end_of(client) == b""
        await port.close()
        return port

    with capturedLogs() as events:
        port = run(loop, story())
    assert port.receivers == []
    assert port.metrics.proxy_failures == 1
    assert [event["reason"] for event in events] == ["the connection does not begin with a PROXY header"]


def test_a_header_that_does_not_come(loop: asyncio.AbstractEventLoop) -> None:
    """Silence is answered by the end, in time."""

    async def story() -> Port:
        port = Port(loop)
        await port.open(Security.NONE, proxied=True)
        client = await port.client()
        accepted = loop.create_future()
        accept = port.clock.callLater

        def noted(delay: float, call: object, *rest: object) -> object:
            accepted.set_result(None)
            return accept(delay, call, *rest)  # type: ignore[arg-type]

        port.clock.callLater = noted  # type: ignore[method-assign]
        if not port.clock.getDelayedCalls():
            await accepted
        port.clock.advance(PROXY_TIME)

        assert await end_of(client) == b""
        await port.close()
        return port

    assert run(loop, story()).metrics.proxy_failures == 1


def test_a_proxy_that_leaves(loop: asyncio.AbstractEventLoop) -> None:
    """A connection that ends before its header is forgotten, with its timer."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.NONE, proxied=True)
        leaving = await port.client()
        leaving.close()
        client = await port.client()
        await client.send(V1 + b"x")
        while not port.receivers:
            port._arrived.clear()
            await port._arrived.wait()
        await port.receivers[0].until_data(1)
        await port.close()

    run(loop, story())
