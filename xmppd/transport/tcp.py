"""One TCP connection on the loop, with or without TLS: the transport's `Connection`.

The life of the object: `connection_made` (the peer is known) - reading and writing, in clear or under TLS - closing -
`connection_lost`. **Closing lingers**: after the last bytes our side of the socket is shut, and what still comes in is
thrown away until the peer has closed too, for a few seconds at most. Closing at once would make the kernel answer what
is still on its way with a reset, and a reset can take the `<stream:error/>` from the peer that has not read it yet.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..core.clock import Clock
from ..core.connection import Connection, Receiver
from ..core.log import Log
from ..protocol.errors import Misuse
from .flush import FlushQueue
from .measures import TransportMetrics
from .throttle import Throttle
from .tls import SLICE, TlsError, TlsSession
from .tls_contexts import TlsContexts

TURN: Final = 65536
"""How many bytes of ciphertext one connection may have decrypted in one turn of the loop."""

log = Log("transport")


@dataclass(slots=True)
class Port:
    """What all connections of one listener share.

    :ivar number: the local port.
    :ivar contexts: makes TLS sessions; None if this listener has no TLS.
    :ivar direct: TLS begins with the first byte (XEP-0368); otherwise `start_tls` begins it.
    :ivar high_water: `pause_writing` is called when more bytes than this wait for the kernel.
    :ivar grace: how long a closing connection waits for its peer, in seconds.
    :ivar left: called with the peer's address when a connection is lost.
    """

    number: int
    queue: FlushQueue
    clock: Clock
    metrics: TransportMetrics
    throttle: Throttle
    left: Callable[[str], None]
    contexts: TlsContexts | None = None
    direct: bool = False
    high_water: int = 65536
    grace: float = 5.0


class TcpConnection(asyncio.Protocol):
    """A connection to one peer. The public methods are those of `core.connection.Connection`.

    :ivar peer_address: see `Connection`; so are `peer_port` and the properties.
    """

    __slots__ = (
        "_deadline",
        "_eof",
        "_open",
        "_out",
        "_out_size",
        "_paused",
        "_port",
        "_reason",
        "_receiver",
        "_tls",
        "_transport",
        "peer_address",
        "peer_port",
    )

    def __init__(self, port: Port, receiver: Receiver, peer_address: str, peer_port: int) -> None:
        self._port = port
        self._receiver = receiver
        self.peer_address = peer_address
        self.peer_port = peer_port
        self._transport: Any = None  # an asyncio.Transport from connection_made to connection_lost
        self._tls: TlsSession | None = None
        self._out: list[bytes] = []  # what was written in this turn, or before the handshake was done
        self._out_size = 0
        self._open = True  # until close() or abort()
        self._paused = False  # the receiver wants nothing now
        self._eof = False  # the peer has shut its side
        self._reason = ""
        self._deadline: Any = None  # ends the lingering

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; a direct TLS port waits for the ClientHello from here on."""
        self._transport = transport
        self._transport.set_write_buffer_limits(high=self._port.high_water)
        if self._port.direct and self._port.contexts is not None:
            self._tls = self._port.contexts.session(None)
        self._receiver.connection_made(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the kernel."""
        if not self._open:
            return
        tls = self._tls
        if tls is None:
            self._receiver.data_received(data)
        elif tls.established and len(data) <= SLICE and not tls.waiting:
            self._decrypt(tls, data)
        else:
            tls.feed(data)
            self._pump()

    def eof_received(self) -> bool:
        """The peer sends no more: it gets what was written, then the connection ends."""
        self._eof = True
        if self._open and self._tls is not None and not self._tls.peer_closed:
            self._reason = "the peer ended the connection without close_notify"
        self.close()
        return False  # the loop closes the socket once everything is sent

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self._receiver.pause_writing()

    def resume_writing(self) -> None:
        """The kernel has taken most of what waited."""
        self._receiver.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, whoever ended it."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._tls is not None:
            self._tls.release()
        self._open = False
        self._transport = None
        self._out.clear()
        self._out_size = 0
        self._port.left(self.peer_address)
        receiver, self._receiver = self._receiver, NOBODY
        receiver.connection_lost(self._reason or _describe(exc))

    # What the core calls

    def write(self, data: bytes) -> None:
        """See `Connection.write`."""
        if not self._open:
            return
        out = self._out
        if not out:
            self._port.queue.add(self)
        out.append(data)
        self._out_size += len(data)

    def flush(self) -> None:
        """Send what was written; called once for each turn."""
        out, tls = self._out, self._tls
        if not out or self._transport is None or (tls is not None and not tls.established):
            return
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        self._out_size = 0
        if tls is not None:
            try:
                data = tls.encrypt(data)
            except TlsError as error:
                self._fail(f"TLS failed: {error}")
                return
        self._transport.write(data)

    def close(self) -> None:
        """See `Connection.close`."""
        if not self._open:
            return
        self.flush()
        transport = self._transport
        if transport is None or not self._open:  # never there, or the last flush failed and ended it
            return
        self._open = False
        if self._tls is not None:
            transport.write(self._tls.shutdown())
        self._linger(transport)

    def abort(self) -> None:
        """See `Connection.abort`."""
        self._reason = self._reason or "the connection was aborted"
        self._open = False
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """See `Connection.pause_reading`."""
        self._paused = True
        if self._transport is not None and self._open:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See `Connection.resume_reading`."""
        self._paused = False
        if self._transport is None or not self._open:
            return
        if self._tls is not None and self._tls.waiting:
            self._port.queue.later(self._go_on)
        else:
            self._transport.resume_reading()

    def pending(self) -> int:
        """See `Connection.pending`."""
        if self._transport is None:
            return 0
        waiting: int = self._transport.get_write_buffer_size()
        return waiting + self._out_size

    def start_tls(self, host: str | None) -> None:
        """See `Connection.start_tls`."""
        if self._transport is None or not self._open:
            return
        if self._tls is not None:
            raise Misuse("TLS is already on")
        if self._port.contexts is None:
            raise Misuse(f"port {self._port.number} has no TLS")
        self.flush()
        self._tls = self._port.contexts.session(host)

    # Reading under TLS

    def _pump(self) -> None:
        """Work on the ciphertext that has come, a bounded part of it in one turn, until the receiver pauses."""
        tls, transport = self._tls, self._transport
        if tls is None or transport is None:
            return
        for _ in range(TURN // SLICE):
            if self._paused or not self._open or not tls.waiting:
                break
            if tls.established:
                self._decrypt(tls, None)
            else:
                self._negotiate(tls)
        if not self._open:
            return
        if not tls.waiting:
            if not self._paused:
                transport.resume_reading()
            return
        transport.pause_reading()
        if not self._paused:
            self._port.queue.later(self._go_on)

    def _go_on(self) -> None:
        """Work on what an earlier turn left; a fault of the receiver ends this connection, as it does elsewhere."""
        try:
            self._pump()
        except Exception:
            log.failure("the receiver of a connection failed; the connection is closed")
            self.abort()

    def _negotiate(self, tls: TlsSession) -> None:
        """Go on with the handshake."""
        try:
            done = tls.handshake()
        except TlsError as error:
            self._port.metrics.handshake_failures += 1
            self._fail(f"the TLS handshake failed: {error}")
            return
        self._transport.write(tls.outgoing())
        if done:
            self._port.metrics.handshakes[tls.version or ""] += 1
            self.flush()
            self._receiver.tls_established()

    def _decrypt(self, tls: TlsSession, data: bytes | None) -> None:
        """Decrypt `data`, or the next slice of what waits, and pass it on."""
        try:
            plaintext = tls.read() if data is None else tls.decrypt(data)
        except TlsError as error:
            self._fail(f"TLS failed: {error}")
            return
        if plaintext:
            self._receiver.data_received(plaintext)
        if not plaintext or tls.chatty:
            self._answer(tls)

    def _answer(self, tls: TlsSession) -> None:
        """Do what a record without data asks for: send an alert, or end."""
        if self._transport is None or not self._open:
            return
        if answer := tls.outgoing():
            self._transport.write(answer)
        if tls.peer_closed:
            self.close()

    # Ending

    def _fail(self, reason: str) -> None:
        """End because of the peer's TLS; it gets the alert that explains it."""
        if (left_out := self._port.throttle.admit()) is not None:
            log.info(
                "{address} on port {port}: {reason} ({left_out} such lines left out)",
                address=self.peer_address,
                port=self._port.number,
                reason=reason,
                left_out=left_out,
            )
        self._reason = reason
        self._open = False
        self._out.clear()
        self._out_size = 0
        if self._transport is not None and self._tls is not None:
            self._transport.write(self._tls.outgoing())
            self._linger(self._transport)

    def _linger(self, transport: Any) -> None:
        """Shut our side, and wait a little for the peer to shut its own."""
        self._deadline = self._port.clock.callLater(self._port.grace, self._give_up)
        if self._eof:
            transport.close()
            return
        try:
            transport.write_eof()
        except OSError:  # the peer has reset the connection, and the loop has not told us yet
            transport.abort()
            return
        transport.resume_reading()  # or the peer's end would never be seen

    def _give_up(self) -> None:
        """The peer neither reads nor closes."""
        self._deadline = None
        self._reason = self._reason or "the peer did not close in time"
        if self._transport is not None:
            self._transport.abort()

    # What is known of the peer

    @property
    def local_port(self) -> int:
        """See `Connection`."""
        return self._port.number

    @property
    def secure(self) -> bool:
        """See `Connection`."""
        return self._tls is not None and self._tls.established

    @property
    def tls_version(self) -> str | None:
        """See `Connection`."""
        return None if self._tls is None else self._tls.version

    @property
    def cipher(self) -> str | None:
        """See `Connection`."""
        return None if self._tls is None else self._tls.cipher

    @property
    def sni(self) -> str | None:
        """See `Connection`."""
        return None if self._tls is None else self._tls.sni

    def channel_bindings(self) -> Mapping[str, bytes]:
        """See `Connection.channel_bindings`."""
        return {} if self._tls is None else self._tls.channel_bindings()

    def peer_certificate(self) -> bytes | None:
        """See `Connection.peer_certificate`."""
        return None if self._tls is None else self._tls.peer_certificate()

    def peer_certificate_verified(self) -> bool:
        """See `Connection.peer_certificate_verified`."""
        return self._tls is not None and self._tls.chain_trusted and self._tls.peer_certificate() is not None


class _Nobody:
    """Takes the place of a receiver that has been told of the end, so that the two do not hold each other."""

    __slots__ = ()

    def connection_made(self, connection: Connection) -> None: ...
    def data_received(self, data: bytes) -> None: ...
    def tls_established(self) -> None: ...
    def connection_lost(self, reason: str) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...


NOBODY: Final = _Nobody()


def _describe(error: Exception | None) -> str:
    """Return why the kernel ended a connection; nothing if it ended in good order."""
    if error is None:
        return ""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
