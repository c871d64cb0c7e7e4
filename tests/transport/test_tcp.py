"""TCP connections: over real sockets on both loops, and on a transport that only takes notes."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from OpenSSL import SSL
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from xmppd.protocol.errors import Misuse
from xmppd.transport.certificates import CertificateStore
from xmppd.transport.flush import FlushQueue
from xmppd.transport.listener import Security
from xmppd.transport.measures import TransportMetrics
from xmppd.transport.tcp import TURN, TcpConnection
from xmppd.transport.tcp import Port as Shared
from xmppd.transport.throttle import Throttle
from xmppd.transport.tls import SLICE
from xmppd.transport.tls_contexts import TlsContexts

from .authority import Authority
from .peers import Client, Port, Recorder, TlsPeer, run


class Notes:
    """An asyncio transport that keeps what it is told."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.reading = True
        self.waiting = 0
        self.ended = ""

    def write(self, data: bytes) -> None:
        if data:
            self.sent.append(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def set_write_buffer_limits(self, high: int) -> None:
        self.high = high

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write_eof(self) -> None:
        self.ended += "eof "

    def close(self) -> None:
        self.ended += "close "

    def abort(self) -> None:
        self.ended += "abort "


class Turns:
    """A loop that runs what is due when it is told to."""

    def __init__(self) -> None:
        self.calls: list[Callable[..., object]] = []

    def call_soon(self, call: Callable[..., object]) -> None:
        self.calls.append(call)

    def turn(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Bench:
    """One connection between a recorder and a transport that takes notes."""

    def __init__(self, contexts: TlsContexts | None = None, *, direct: bool = False) -> None:
        self.turns = Turns()
        self.clock = Clock()
        self.left: list[str] = []
        self.shared = Shared(
            number=5222,
            queue=FlushQueue(self.turns),  # type: ignore[arg-type]
            clock=self.clock,
            metrics=TransportMetrics(),
            throttle=Throttle(self.clock),
            left=self.left.append,
            contexts=contexts,
            direct=direct,
        )
        self.transport = Notes()
        self.receiver = Recorder()
        self.connection = TcpConnection(self.shared, self.receiver, "192.0.2.1", 40000)
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]

    def secure(self, peer: TlsPeer) -> None:
        """Do the handshake."""
        while not self.connection.secure:
            peer.handshake()
            self.connection.data_received(peer.take())
            peer.give(b"".join(self.transport.sent))
            self.transport.sent.clear()
        peer.open()

    def flush(self) -> list[bytes]:
        """Run one turn; return what it sent."""
        self.turns.turn()
        sent, self.transport.sent = self.transport.sent, []
        return sent


# Writing


def test_writes_of_one_turn_leave_together() -> None:
    """However often the core writes in a turn, the kernel is asked once."""
    bench = Bench()
    for word in (b"<a/>", b"<r/>", b"<presence/>"):
        bench.connection.write(word)

    assert bench.transport.sent == []
    assert bench.flush() == [b"<a/><r/><presence/>"]
    assert bench.flush() == []


def test_writes_of_one_turn_are_one_record(contexts: TlsContexts) -> None:
    """Under TLS the plaintext is joined first: one record, not three."""
    bench, peer = Bench(contexts, direct=True), TlsPeer()
    bench.secure(peer)
    for word in (b"<a/>", b"<r/>", b"<presence/>"):
        bench.connection.write(word)
    (record,) = bench.flush()

    assert len(record) == 5 + len(b"<a/><r/><presence/>") + 1 + 16  # header, type and tag
    assert peer.open(record) == b"<a/><r/><presence/>"


def test_pending_counts_this_turn_and_the_kernel_s() -> None:
    """What was written counts until the kernel has it."""
    bench = Bench()
    bench.transport.waiting = 1000
    bench.connection.write(b"12345")
    assert bench.connection.pending() == 1005

    bench.flush()
    assert bench.connection.pending() == 1000


def test_writes_before_the_handshake_wait_for_it(contexts: TlsContexts) -> None:
    """On a direct TLS port nothing ever leaves in clear."""
    bench, peer = Bench(contexts, direct=True), TlsPeer()
    bench.connection.write(b"<stream:stream>")
    assert bench.flush() == []
    assert bench.connection.pending() == 15

    while not peer.handshake():
        bench.connection.data_received(peer.take())
        peer.give(b"".join(bench.flush()))
    bench.connection.data_received(peer.take())
    assert peer.open(b"".join(bench.flush())) == b"<stream:stream>"


def test_high_water_mark_is_passed_on() -> None:
    """The kernel's back-pressure is the receiver's."""
    bench = Bench()
    bench.connection.pause_writing()
    bench.connection.resume_writing()

    assert bench.transport.high == 65536
    assert bench.receiver.events == ["made", "pause", "resume"]


# Reading


def test_nothing_is_delivered_while_paused(contexts: TlsContexts) -> None:
    """Pausing in the middle of a burst holds the rest back; resuming delivers it from a later turn, in order."""
    bench, peer = Bench(contexts, direct=True), TlsPeer()
    bench.secure(peer)
    bench.receiver._react = lambda receiver, data: receiver.connection.pause_reading()
    text = bytes(range(256)) * 400
    bench.connection.data_received(peer.seal(text))
    assert 0 < len(bench.receiver.data) < len(text)
    assert not bench.transport.reading

    rounds = 0
    while len(bench.receiver.data) < len(text):
        before = len(bench.receiver.data)
        bench.connection.resume_reading()
        assert len(bench.receiver.data) == before
        bench.turns.turn()
        rounds += 1
    assert bench.receiver.data == text
    assert rounds > 3
    assert not bench.transport.reading

    bench.connection.resume_reading()
    bench.turns.turn()
    assert bench.transport.reading


def test_a_flood_is_cut_into_turns(contexts: TlsContexts) -> None:
    """One connection decrypts a bounded part of what came in each turn, and reads no more meanwhile."""
    bench, peer = Bench(contexts, direct=True), TlsPeer()
    bench.secure(peer)
    bench.connection.data_received(peer.seal(b"x" * 250_000))

    assert 0 < len(bench.receiver.data) <= TURN
    assert not bench.transport.reading
    turns = 0
    while bench.turns.calls:
        before = len(bench.receiver.data)
        bench.turns.turn()
        assert len(bench.receiver.data) - before <= TURN + SLICE  # and what was left of a record
        turns += 1
    assert len(bench.receiver.data) == 250_000
    assert turns == 3
    assert bench.transport.reading


def test_a_failing_receiver_ends_its_own_connection(contexts: TlsContexts) -> None:
    """A fault that shows in a later turn is logged, and closes this connection only."""
    bench, peer = Bench(contexts, direct=True), TlsPeer()
    bench.secure(peer)
    bench.connection.data_received(peer.seal(b"x" * 250_000))

    def fail(receiver: Recorder, data: bytes) -> None:
        raise ZeroDivisionError

    bench.receiver._react = fail
    with capturedLogs() as events:
        bench.turns.turn()

    assert [event["log_failure"].type for event in events] == [ZeroDivisionError]
    assert bench.transport.ended == "abort "


# STARTTLS


def test_proceed_goes_out_in_clear(contexts: TlsContexts) -> None:
    """RFC 6120, 5.4.2.3: what was written before start_tls is not encrypted; what follows is."""
    bench, peer = Bench(contexts), TlsPeer()
    bench.connection.write(b"<proceed/>")
    bench.connection.start_tls("capulet.example")
    assert bench.flush() == [b"<proceed/>"]
    assert not bench.connection.secure

    bench.secure(peer)
    assert peer.shown == "capulet.example"
    assert bench.receiver.events == ["made", "tls"]


def test_start_tls_where_there_is_none() -> None:
    """A port without certificates cannot start TLS: a mistake of ours."""
    with pytest.raises(Misuse, match="5222"):
        Bench().connection.start_tls(None)


def test_start_tls_twice(contexts: TlsContexts) -> None:
    """TLS starts once."""
    bench = Bench(contexts, direct=True)

    with pytest.raises(Misuse):
        bench.connection.start_tls(None)


def test_starttls_over_a_socket(loop: asyncio.AbstractEventLoop, contexts: TlsContexts) -> None:
    """The whole exchange; bytes that came behind the request in its own segment never reach the TLS engine."""

    def answer(receiver: Recorder, data: bytes) -> None:
        if not receiver.connection.secure:
            receiver.connection.write(b"<proceed/>")
            receiver.connection.start_tls(None)
        else:
            receiver.connection.write(data.upper())

    async def story() -> None:
        port = Port(loop)
        port.react = answer
        await port.open(Security.STARTTLS, contexts)
        client, receiver = await port.connect()
        await client.send(b"<starttls/><iq>injected</iq>")
        assert await client.receive(10) == b"<proceed/>"
        await client.secure(TlsPeer(sni="capulet.example", alpn=("xmpp-client",)))
        await client.send(b"hello")

        assert await client.receive(5) == b"HELLO"
        assert receiver.events == ["made", "data", "tls", "data"]
        assert receiver.connection.secure
        assert receiver.connection.tls_version == "TLSv1.3"
        assert receiver.connection.sni == "capulet.example"
        assert receiver.connection.local_port == port.listener.port
        assert receiver.connection.peer_port == client.writer.get_extra_info("sockname")[1]
        await port.close()

    run(loop, story())


# Direct TLS


def test_direct_tls_over_a_socket(loop: asyncio.AbstractEventLoop, contexts: TlsContexts) -> None:
    """XEP-0368: TLS from the first byte; made, then established, then data; bindings equal on both sides."""

    async def story() -> None:
        port = Port(loop)
        port.react = lambda receiver, data: receiver.connection.write(data.upper())
        await port.open(Security.DIRECT, contexts)
        client, receiver = await port.connect()
        peer = TlsPeer(alpn=("xmpp-client",))
        await client.secure(peer)
        await client.send(b"hello")

        assert await client.receive(5) == b"HELLO"
        assert receiver.events == ["made", "tls", "data"]
        exported = peer.tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
        assert receiver.connection.channel_bindings()["tls-exporter"] == exported
        assert receiver.connection.cipher == peer.tls.get_cipher_name()
        assert port.metrics.handshakes == {"TLSv1.3": 1}
        await port.close()

    run(loop, story())


def test_client_certificates(loop: asyncio.AbstractEventLoop, asking: TlsContexts, authority: Authority) -> None:
    """A trusted certificate, one of anybody's and none: three handshakes that succeed, three answers."""

    async def story() -> list[tuple[bool, bool]]:
        port = Port(loop)
        await port.open(Security.DIRECT, asking)
        verdicts = []
        for certificate in (authority.issue("romeo.example"), Authority("Another").issue("romeo.example"), None):
            client, receiver = await port.connect()
            await client.secure(TlsPeer(certificate=certificate))
            await receiver.until_event("tls")
            connection = receiver.connection
            verdicts.append((connection.peer_certificate() is not None, connection.peer_certificate_verified()))
        await port.close()
        return verdicts

    assert run(loop, story()) == [(True, True), (True, False), (False, False)]


def test_certificate_is_swapped_under_a_live_connection(
    loop: asyncio.AbstractEventLoop,
    contexts: TlsContexts,
    store: CertificateStore,
    authority: Authority,
    tmp_path: Path,
) -> None:
    """A reload shows the new certificate to new connections and does not disturb the others."""

    async def story() -> None:
        port = Port(loop)
        port.react = lambda receiver, data: receiver.connection.write(data.upper())
        await port.open(Security.DIRECT, contexts)
        old, _ = await port.connect()
        await old.secure(TlsPeer())
        authority.files(tmp_path, "montague.example", authority.issue("new.example", "montague.example"))
        assert store.reload() == ["montague.example"]
        new, _ = await port.connect()
        await new.secure(TlsPeer())
        await old.send(b"hello")

        assert old.peer is not None
        assert new.peer is not None
        assert (old.peer.shown, new.peer.shown) == ("montague.example", "new.example")
        assert await old.receive(5) == b"HELLO"
        await port.close()

    run(loop, story())


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\nHost: montague.example\r\n\r\n", b"<stream:stream>" * 9])
def test_garbage_instead_of_a_client_hello(
    loop: asyncio.AbstractEventLoop, contexts: TlsContexts, garbage: bytes
) -> None:
    """One line in the log, no traceback, and the connection is over."""

    async def story() -> tuple[Recorder, TransportMetrics]:
        port = Port(loop)
        await port.open(Security.DIRECT, contexts)
        client, receiver = await port.connect()
        await client.send(garbage)
        await client.receive_all()
        client.close()
        await receiver.until_event("lost")
        await port.close()
        return receiver, port.metrics

    with capturedLogs() as events:
        receiver, metrics = run(loop, story())

    assert receiver.lost is not None
    assert receiver.lost.startswith("the TLS handshake failed: ")
    assert receiver.data == b""
    assert metrics.handshake_failures == 1
    assert len(events) == 1
    assert "log_failure" not in events[0]


def test_many_failures_are_few_lines(contexts: TlsContexts) -> None:
    """Who fails handshakes by the thousand does not fill the disk."""
    with capturedLogs() as events:
        bench = Bench(contexts, direct=True)
        for _ in range(1000):
            connection = TcpConnection(bench.shared, Recorder(), "192.0.2.1", 40000)
            connection.connection_made(Notes())  # type: ignore[arg-type]
            connection.data_received(b"nonsense, again and again")

    assert len(events) == 1
    assert bench.shared.metrics.handshake_failures == 1000


def test_a_forged_record_ends_the_connection(contexts: TlsContexts) -> None:
    """The peer gets the alert, the receiver the reason."""
    bench, peer = Bench(contexts, direct=True), TlsPeer()
    bench.secure(peer)
    record = bytearray(peer.seal(b"<message/>"))
    record[-1] ^= 1
    bench.connection.data_received(bytes(record))

    assert bench.transport.ended == "eof "
    with pytest.raises(SSL.Error, match="bad record mac"):
        peer.open(b"".join(bench.transport.sent))
    bench.connection.connection_lost(None)
    assert bench.receiver.lost is not None
    assert bench.receiver.lost.startswith("TLS failed: ")


def test_a_write_that_fails_ends_the_connection(contexts: TlsContexts) -> None:
    """Where OpenSSL cannot write any more the connection ends once, even if that shows while it is being closed."""
    bench, peer = Bench(contexts, direct=True), TlsPeer()
    bench.secure(peer)
    assert bench.connection._tls is not None
    bench.connection._tls.shutdown()
    bench.connection.write(b"</stream:stream>")
    bench.connection.close()
    assert bench.transport.ended == "eof "

    bench.connection.connection_lost(None)
    assert bench.receiver.lost is not None
    assert bench.receiver.lost.startswith("TLS failed: ")
    assert not bench.clock.getDelayedCalls()


def test_wishes_to_renegotiate_do_not_pile_up(contexts: TlsContexts) -> None:
    """TLS 1.2: each wish gets its alert at once, also if data came with it."""
    bench, peer = Bench(contexts, direct=True), TlsPeer(versions=(SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION))
    bench.secure(peer)
    peer.tls.renegotiate()
    with pytest.raises(SSL.WantReadError):
        peer.tls.do_handshake()
    bench.connection.data_received(peer.take())

    assert len(bench.transport.sent) == 1
    assert bench.transport.ended == ""


# Ending


async def end_of(client: Client) -> bytes:
    """Read to the end; a reset is an end too."""
    try:
        return await client.receive_all()
    except ConnectionError:
        return b""


def test_close_sends_what_was_written(loop: asyncio.AbstractEventLoop) -> None:
    """A megabyte and a last word arrive, though close follows in the same turn."""

    def answer(receiver: Recorder, data: bytes) -> None:
        receiver.connection.write(b"x" * 1_000_000)
        receiver.connection.write(b"</stream:stream>")
        receiver.connection.close()
        receiver.connection.write(b"too late")

    async def story() -> None:
        port = Port(loop)
        port.react = answer
        await port.open(Security.NONE)
        client, receiver = await port.connect()
        await client.send(b"<stream:stream>")

        assert await client.receive_all() == b"x" * 1_000_000 + b"</stream:stream>"
        client.close()
        await receiver.until_event("lost")
        assert receiver.lost == ""
        await port.close()

    run(loop, story())


def test_close_under_tls_says_so(loop: asyncio.AbstractEventLoop, contexts: TlsContexts) -> None:
    """RFC 5246, 7.2.1: a close_notify is the last thing that is sent."""

    def answer(receiver: Recorder, data: bytes) -> None:
        receiver.connection.write(b"y" * 300_000)
        receiver.connection.close()

    async def story() -> None:
        port = Port(loop)
        port.react = answer
        await port.open(Security.DIRECT, contexts)
        client, receiver = await port.connect()
        peer = TlsPeer()
        await client.secure(peer)
        await client.send(b"bye")

        assert await client.receive_all() == b"y" * 300_000
        assert peer.closed
        client.close()
        await receiver.until_event("lost")
        assert receiver.lost == ""
        await port.close()

    run(loop, story())


def test_close_discards_what_still_comes(loop: asyncio.AbstractEventLoop) -> None:
    """A peer that goes on writing gets our last words, not a reset, and is not listened to any more."""

    def answer(receiver: Recorder, data: bytes) -> None:
        receiver.connection.write(b"<stream:error/>")
        receiver.connection.close()

    async def story() -> None:
        port = Port(loop)
        port.react = answer
        await port.open(Security.NONE)
        client, receiver = await port.connect()
        await client.send(b"one")
        await receiver.until_event("data")
        for _ in range(50):
            await client.send(b"more" * 1000)

        assert await client.receive_all() == b"<stream:error/>"
        client.close()
        await receiver.until_event("lost")
        assert receiver.data == b"one"
        await port.close()

    run(loop, story())


def test_close_does_not_wait_for_ever(loop: asyncio.AbstractEventLoop) -> None:
    """A peer that neither reads nor closes is cut off after the time of grace."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.NONE)
        _, receiver = await port.connect()
        receiver.connection.write(b"x" * 20_000_000)
        receiver.connection.close()
        assert receiver.lost is None
        port.clock.advance(port.listener.endpoint.grace)
        await receiver.until_event("lost")

        assert receiver.lost == "the peer did not close in time"
        assert receiver.connection.pending() == 0
        await port.close()

    run(loop, story())


def test_abort_is_at_once(loop: asyncio.AbstractEventLoop) -> None:
    """Nothing more is sent, and the connection is lost in the next turns."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.NONE)
        client, receiver = await port.connect()
        receiver.connection.write(b"never sent")
        receiver.connection.abort()
        await receiver.until_event("lost")

        assert receiver.lost == "the connection was aborted"
        assert await end_of(client) == b""
        assert port.admission.open == 0
        await port.close()

    run(loop, story())


def test_half_close(loop: asyncio.AbstractEventLoop) -> None:
    """A peer that shuts its side still gets its answer; then the connection ends in good order."""

    async def story() -> None:
        port = Port(loop)
        port.react = lambda receiver, data: receiver.connection.write(data.upper())
        await port.open(Security.NONE)
        client, receiver = await port.connect()
        client.writer.write(b"hello")
        client.writer.write_eof()

        assert await client.receive_all() == b"HELLO"
        await receiver.until_event("lost")
        assert receiver.lost == ""
        await port.close()

    run(loop, story())


@pytest.mark.parametrize("polite", [True, False])
def test_end_of_a_tls_peer(loop: asyncio.AbstractEventLoop, contexts: TlsContexts, polite: bool) -> None:
    """A close_notify is answered by ours and is a good end; without it the reason says that the stream may be cut."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.DIRECT, contexts)
        client, receiver = await port.connect()
        peer = TlsPeer()
        await client.secure(peer)
        await receiver.until_event("tls")
        if polite:
            peer.tls.shutdown()
            client.writer.write(peer.take())
        client.writer.write_eof()
        await client.receive_all()
        await receiver.until_event("lost")

        assert peer.closed
        assert receiver.lost == ("" if polite else "the peer ended the connection without close_notify")
        await port.close()

    run(loop, story())


def test_reset_by_the_peer(loop: asyncio.AbstractEventLoop) -> None:
    """A reset is told as the kernel tells it."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.NONE)
        client, receiver = await port.connect()
        raw: socket.socket = client.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.writer.transport.abort()
        await receiver.until_event("lost")

        assert receiver.lost == "Connection reset by peer"
        await port.close()

    run(loop, story())


def test_slow_reader(loop: asyncio.AbstractEventLoop) -> None:
    """A peer that does not read pauses the writer past the mark; what it then reads lets the writer go on."""

    async def story() -> None:
        port = Port(loop)
        await port.open(Security.NONE, high_water=100_000)
        client, receiver = await port.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        written = 0
        while "pause" not in receiver.events:
            receiver.connection.write(b"x" * 50_000)
            written += 50_000
            assert receiver.connection.pending() <= 100_000 + 50_000 + 50_000
            port.queue._flush()
        assert receiver.connection.pending() > 100_000

        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        await client.receive(written)
        await receiver.until_event("resume")
        assert receiver.connection.pending() < 100_000
        await port.close()

    run(loop, story())


def test_everything_is_harmless_after_the_end() -> None:
    """The core may still hold the connection."""
    bench = Bench()
    bench.connection.connection_lost(None)
    bench.connection.write(b"late")
    bench.connection.pause_reading()
    bench.connection.resume_reading()
    bench.connection.start_tls(None)
    bench.connection.close()
    bench.connection.abort()
    bench.turns.turn()

    assert bench.connection.pending() == 0
    assert bench.transport.sent == []
    assert bench.receiver.events == ["made", "lost"]
    assert bench.left == ["192.0.2.1"]


def test_nothing_is_told_without_tls() -> None:
    """In clear there is no version, no cipher, no name, no binding and no certificate."""
    connection = Bench().connection

    assert (connection.secure, connection.tls_version, connection.cipher, connection.sni) == (False, None, None, None)
    assert connection.channel_bindings() == {}
    assert connection.peer_certificate() is None
    assert not connection.peer_certificate_verified()
