"""The other side: a TLS client in memory, a receiver that takes notes, and a listener to connect to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.task import Clock

from xmppd.core.connection import Connection
from xmppd.transport.admission import Admission
from xmppd.transport.flush import FlushQueue
from xmppd.transport.listener import Endpoint, Listener, Security, Surroundings, listen
from xmppd.transport.measures import TransportMetrics
from xmppd.transport.tls import TlsSession
from xmppd.transport.tls_contexts import TlsContexts

from .authority import NOW, Signed

T = TypeVar("T")


class TlsPeer:
    """A TLS client in memory, pyOpenSSL's own: bytes in, bytes out."""

    def __init__(
        self,
        sni: str | None = None,
        alpn: tuple[str, ...] = (),
        certificate: Signed | None = None,
        versions: tuple[int, int] = (0, 0),
        ciphers: bytes = b"DEFAULT",
    ) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(versions[0])
        context.set_max_proto_version(versions[1])
        context.set_cipher_list(ciphers)
        if certificate is not None:
            context.use_certificate(certificate.certificate)
            context.use_privatekey(certificate.key)
        self.tls = SSL.Connection(context, None)
        if sni is not None:
            self.tls.set_tlsext_host_name(sni.encode("ascii"))
        if alpn:
            self.tls.set_alpn_protos([name.encode("ascii") for name in alpn])
        self.tls.set_connect_state()

    def handshake(self) -> bool:
        """Go on; return whether our side is done."""
        try:
            self.tls.do_handshake()
        except SSL.WantReadError:
            return False
        return True

    def take(self) -> bytes:
        """Return what is to be sent."""
        pieces = []
        try:
            while True:
                pieces.append(self.tls.bio_read(65536))
        except SSL.WantReadError:
            return b"".join(pieces)

    def give(self, data: bytes) -> None:
        """Take what was received."""
        if data:
            self.tls.bio_write(data)

    def seal(self, data: bytes) -> bytes:
        """Return `data` as records."""
        self.tls.sendall(data)
        return self.take()

    def open(self, data: bytes = b"") -> bytes:
        """Return the plaintext that has come."""
        self.give(data)
        pieces = []
        try:
            while True:
                pieces.append(self.tls.recv(65536))
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return b"".join(pieces)

    @property
    def closed(self) -> bool:
        """Whether a close_notify has come."""
        return bool(self.tls.get_shutdown() & SSL.RECEIVED_SHUTDOWN)

    @property
    def shown(self) -> str:
        """The common name of the certificate that the server has shown."""
        certificate = self.tls.get_peer_certificate(as_cryptography=True)
        assert certificate is not None
        return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def shake_hands(session: TlsSession, peer: TlsPeer, size: int = 1 << 20) -> None:
    """Do the whole handshake in memory; the peer's bytes come in pieces of `size`."""
    for _ in range(10):
        peer.handshake()
        flight = peer.take()
        for start in range(0, len(flight), size):
            session.feed(flight[start : start + size])
            while session.waiting and not session.established:
                session.handshake()
                peer.give(session.outgoing())
        if session.established:
            peer.open()
            return
    raise AssertionError("the handshake does not end")


class Recorder:
    """A receiver that notes what happens; `react` is called with each piece of data, if given."""

    def __init__(self, react: Callable[["Recorder", bytes], None] | None = None) -> None:
        self.connection: Connection
        self.events: list[str] = []
        self.pieces: list[bytes] = []
        self.lost: str | None = None
        self._react = react
        self._waiter: asyncio.Future[None] | None = None

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    def connection_made(self, connection: Connection) -> None:
        self.connection = connection
        self._note("made")

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        self._note("data")
        if self._react is not None:
            self._react(self, data)

    def tls_established(self) -> None:
        self._note("tls")

    def connection_lost(self, reason: str) -> None:
        self.lost = reason
        self._note("lost")

    def pause_writing(self) -> None:
        self._note("pause")

    def resume_writing(self) -> None:
        self._note("resume")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for an event behind which `condition` holds."""
        while not condition():
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    async def until_event(self, name: str) -> None:
        await self.until(lambda: name in self.events)

    async def until_data(self, size: int) -> bytes:
        await self.until(lambda: len(self.data) >= size)
        return self.data

    def _note(self, event: str) -> None:
        self.events.append(event)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Client:
    """A client over a real socket, in clear until `secure`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.peer: TlsPeer | None = None

    async def send(self, data: bytes) -> None:
        self.writer.write(data if self.peer is None else self.peer.seal(data))
        await self.writer.drain()

    async def receive(self, size: int) -> bytes:
        """Return the next `size` bytes of plaintext."""
        if self.peer is None:
            return await self.reader.readexactly(size)
        data = self.peer.open()
        while len(data) < size:
            piece = await self.reader.read(65536)
            assert piece, f"the connection ended behind {data!r}"
            data += self.peer.open(piece)
        return data

    async def receive_all(self) -> bytes:
        """Return everything up to the end of the connection."""
        rest = await self.reader.read()
        return rest if self.peer is None else self.peer.open(rest)

    async def secure(self, peer: TlsPeer) -> None:
        """Do the TLS handshake."""
        self.peer = peer
        while not peer.handshake():
            self.writer.write(peer.take())
            piece = await self.reader.read(65536)
            assert piece, "the server ended the handshake"
            peer.give(piece)
        self.writer.write(peer.take())
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()


class Port:
    """One listener under test, with its clock, its counters and the receivers of its connections."""

    def __init__(self, loop: asyncio.AbstractEventLoop, total: int = 100, per_address: int = 100) -> None:
        self.loop = loop
        self.clock = Clock()
        self.clock.advance(NOW)
        self.admission = Admission(total, per_address)
        self.metrics = TransportMetrics()
        self.receivers: list[Recorder] = []
        self.react: Callable[[Recorder, bytes], None] | None = None
        self.faults: list[dict[str, object]] = []
        self.listener: Listener
        self.queue = FlushQueue(loop)
        self._arrived: asyncio.Event = asyncio.Event()
        self._clients: list[Client] = []
        loop.set_exception_handler(lambda loop, context: self.faults.append(context))

    async def open(
        self, security: Security, contexts: TlsContexts | None = None, *, proxied: bool = False, high_water: int = 65536
    ) -> None:
        endpoint = Endpoint("127.0.0.1", 0, security, proxy_protocol=proxied, high_water=high_water)
        surroundings = Surroundings(self.loop, self.queue, self.clock, self.admission, self.metrics)
        self.listener = await listen(endpoint, self._receiver, surroundings, contexts)

    def _receiver(self) -> Recorder:
        receiver = Recorder(self.react)
        self.receivers.append(receiver)
        self._arrived.set()
        return receiver

    async def client(self) -> Client:
        """Connect; the server may not have noticed yet."""
        client = Client(*await asyncio.open_connection("127.0.0.1", self.listener.port))
        self._clients.append(client)
        return client

    async def connect(self) -> tuple[Client, Recorder]:
        """Connect, and return both ends."""
        before = len(self.receivers)
        client = await self.client()
        while len(self.receivers) == before:
            self._arrived.clear()
            await self._arrived.wait()
        receiver = self.receivers[before]
        await receiver.until_event("made")
        return client, receiver

    async def close(self) -> None:
        """End everything, and wait for it."""
        self.listener.close()
        for client in self._clients:
            client.writer.transport.abort()
        for receiver in self.receivers:
            if receiver.lost is None:
                receiver.connection.abort()
                await receiver.until_event("lost")
        assert self.clock.getDelayedCalls() == []
        assert self.faults == []


def run(loop: asyncio.AbstractEventLoop, story: Awaitable[T]) -> T:
    """Run a test's coroutine; the limit only turns a hang into a failure."""
    return loop.run_until_complete(asyncio.wait_for(story, 60))
