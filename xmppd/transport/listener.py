"""A listening port: who may come in, and what a connection becomes.

Refused connections are closed before anything is read or built for them. Behind a load balancer the limits are those of
the client that the PROXY header names, so they are applied when the header has come, and it must come soon.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ..core.clock import Clock
from ..core.connection import Receiver
from ..core.log import Log
from .admission import Admission
from .flush import FlushQueue
from .measures import TransportMetrics
from .proxy_protocol import ProxyHeader, ProxyParser, ProxyProtocolError
from .tcp import Port, TcpConnection
from .throttle import Throttle
from .tls_contexts import TlsContexts

PROXY_TIME: Final = 5.0
"""Seconds within which a load balancer must have sent its header."""

log = Log("transport")


class Security(StrEnum):
    """How TLS begins on a port."""

    NONE = "none"
    STARTTLS = "starttls"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to listen.

    :ivar address: an IP address; "::" takes IPv6 only, so that IPv4 has its own endpoint and its own addresses.
    :ivar port: the port; 0 takes a free one.
    :ivar proxy_protocol: every connection must begin with a PROXY protocol header.
    :ivar backlog: how many connections the kernel keeps while we are busy.
    :ivar high_water: see `Port`; so is `grace`.
    """

    address: str
    port: int
    security: Security = Security.STARTTLS
    proxy_protocol: bool = False
    backlog: int = 1024
    high_water: int = 65536
    grace: float = 5.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the listeners of one process share.

    :ivar loop: the loop that the reactor runs on.
    :ivar admission: the limits; listeners may share one or have their own.
    """

    loop: asyncio.AbstractEventLoop
    queue: FlushQueue
    clock: Clock
    admission: Admission
    metrics: TransportMetrics


async def listen(
    endpoint: Endpoint,
    receivers: Callable[[], Receiver],
    surroundings: Surroundings,
    contexts: TlsContexts | None = None,
) -> "Listener":
    """Open a port; `receivers` makes the receiver of each connection.

    :raises OSError: the port cannot be opened; the text names address and port.
    :raises ValueError: the endpoint wants TLS and there are no contexts.
    """
    if endpoint.security is not Security.NONE and contexts is None:
        raise ValueError(f"{endpoint.address} port {endpoint.port} wants TLS, and there is no certificate")
    opened = _open(endpoint)
    listener = Listener(endpoint, opened.getsockname()[1], receivers, surroundings, contexts)
    listener.server = await surroundings.loop.create_server(listener.accept, sock=opened, backlog=endpoint.backlog)
    return listener


def _open(endpoint: Endpoint) -> socket.socket:
    """Return a bound socket. Linux hands its options on to the connections that it accepts."""
    family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((endpoint.address, endpoint.port))
    except OSError as error:
        opened.close()
        raise OSError(
            error.errno, f"cannot listen on {endpoint.address} port {endpoint.port}: {error.strerror}"
        ) from None
    return opened


class Listener:
    """One open port.

    :ivar port: its number.
    :ivar server: the loop's own object.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        port: int,
        receivers: Callable[[], Receiver],
        surroundings: Surroundings,
        contexts: TlsContexts | None,
    ) -> None:
        self.endpoint = endpoint
        self.port = port
        self.server: Any = None
        self._receivers = receivers
        self._surroundings = surroundings
        self._refusals = Throttle(surroundings.clock)
        self._label = str(port)
        self._shared = Port(
            number=port,
            queue=surroundings.queue,
            clock=surroundings.clock,
            metrics=surroundings.metrics,
            throttle=Throttle(surroundings.clock),
            left=surroundings.admission.leave,
            contexts=None if endpoint.security is Security.NONE else contexts,
            direct=endpoint.security is Security.DIRECT,
            high_water=endpoint.high_water,
            grace=endpoint.grace,
        )

    def accept(self) -> asyncio.Protocol:
        """Return what a new socket talks to first."""
        return _Proxied(self) if self.endpoint.proxy_protocol else _Direct(self)

    def close(self) -> None:
        """Accept no more; open connections go on."""
        if self.server is not None:
            self.server.close()

    def admit(self, transport: Any, address: str, port: int) -> TcpConnection | None:
        """Hand a socket over to a connection, or close it and return None."""
        surroundings = self._surroundings
        refusal = surroundings.admission.enter(address)
        if refusal is not None:
            surroundings.metrics.refused[refusal.value] += 1
            self.report(address, refusal.value)
            transport.abort()
            return None
        surroundings.metrics.accepted[self._label] += 1
        connection = TcpConnection(self._shared, self._receivers(), address, port)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        return connection

    def refuse_header(self, transport: Any, address: str, reason: str) -> None:
        """Close a connection whose PROXY header is wrong or missing."""
        self._surroundings.metrics.proxy_failures += 1
        self.report(address, reason)
        transport.abort()

    def report(self, address: str, reason: str) -> None:
        """Log why a connection was closed at once, but not each time."""
        if (left_out := self._refusals.admit()) is not None:
            log.warn(
                "port {port} refuses {address}: {reason} ({left_out} such lines left out)",
                port=self.port,
                address=address,
                reason=reason,
                left_out=left_out,
            )

    def call_later(self, delay: float, call: Callable[[], None]) -> Any:
        """Return a call that can be cancelled."""
        return self._surroundings.clock.callLater(delay, call)


class _Direct(asyncio.Protocol):
    """Asks for admission as soon as the socket is there."""

    __slots__ = ("_listener",)

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        if peer is None:  # it was gone before we looked
            transport.abort()  # type: ignore[attr-defined]  # a stream transport
            return
        self._listener.admit(transport, peer[0], peer[1])


class _Proxied(asyncio.Protocol):
    """Waits for the PROXY header, then asks for admission in the client's name."""

    __slots__ = ("_deadline", "_listener", "_parser", "_peer", "_transport")

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._parser = ProxyParser()
        self._transport: Any = None
        self._peer: tuple[str, int] = ("", 0)
        self._deadline: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if peer is None:
            self._transport.abort()
            return
        self._peer = (peer[0], peer[1])
        self._deadline = self._listener.call_later(PROXY_TIME, self._too_late)

    def data_received(self, data: bytes) -> None:
        try:
            header = self._parser.feed(data)
        except ProxyProtocolError as error:
            self._stop_waiting()
            self._listener.refuse_header(self._transport, self._peer[0], str(error))
            return
        if header is not None:
            self._stop_waiting()
            self._hand_over(header)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()

    def _hand_over(self, header: ProxyHeader) -> None:
        """Let the connection begin, with the bytes that came behind the header."""
        address, port = self._peer if header.address is None else (header.address, header.port)
        connection = self._listener.admit(self._transport, address, port)
        if connection is not None and header.rest:
            connection.data_received(header.rest)

    def _too_late(self) -> None:
        self._deadline = None
        self._listener.refuse_header(self._transport, self._peer[0], "no PROXY header came in time")

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
