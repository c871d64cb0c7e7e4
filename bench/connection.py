"""One client socket of the generator, with or without TLS."""

import select
import socket
import ssl
from collections.abc import Callable

from .loop import Loop

CHUNK = 256 * 1024
WAITING = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def ignore(data: bytes) -> None:
    """Receive, and do nothing."""


class Connection:
    """A non-blocking socket on the loop.

    :ivar receive: called with every piece of input; replaced as the scenario goes on.
    :ivar lost: called with the reason if the server ends the connection; not after `close`.
    :ivar name: the localpart of the account, once there is one.
    """

    __slots__ = ("_pending", "_secured", "fd", "loop", "lost", "name", "open", "receive", "socket")

    def __init__(self, loop: Loop, host: str, port: int, name: bytes = b"") -> None:
        self.loop = loop
        self.socket: socket.socket | ssl.SSLSocket = socket.create_connection((host, port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.fd = self.socket.fileno()
        self.name = name
        self.open = True
        self.receive: Callable[[bytes], None] = ignore
        self.lost: Callable[[str], None] = self.count_loss
        self._pending = b""
        self._secured: Callable[[], None] | None = None
        loop.add(self)

    def send(self, data: bytes) -> None:
        """Send now what the socket takes, the rest when it has room."""
        if not self.open:
            return
        if self._pending:
            self._pending += data
            return
        sent = self._write(data)
        if sent < len(data) and self.open:
            self._pending = data[sent:]
            self.loop.want_write(self, True)

    def secure(self, context: ssl.SSLContext, then: Callable[[], None]) -> None:
        """Do the TLS handshake as the client, then call `then`."""
        self.loop.remove(self)
        self.socket = context.wrap_socket(self.socket, do_handshake_on_connect=False, server_hostname="localhost")
        self.loop.add(self)
        self._secured = then
        self._shake_hands()

    def tls(self) -> str:
        """Return the protocol and the cipher in use, or an empty string."""
        if not isinstance(self.socket, ssl.SSLSocket):
            return ""
        cipher = self.socket.cipher()
        return f"{self.socket.version()} {cipher[0] if cipher else ''}"

    def certificate(self) -> bytes:
        """Return the server's certificate as DER, or an empty string without TLS."""
        return (self.socket.getpeercert(True) or b"") if isinstance(self.socket, ssl.SSLSocket) else b""

    def ready(self, events: int) -> None:
        """Serve what epoll has reported."""
        if self._secured is not None:
            self._shake_hands()
            return
        if events & select.EPOLLOUT and self._pending:
            self._flush()
        if events & ~select.EPOLLOUT:
            self._read()

    def count_loss(self, reason: str) -> None:
        """Note that the server has ended a connection which the scenario needs."""
        self.loop.lost += 1

    def close(self) -> None:
        """End the stream and close the socket, without waiting for the other side."""
        if self.open:
            self.send(b"</stream:stream>")
            self._drop()

    def _read(self) -> None:
        while self.open:
            try:
                data = self.socket.recv(CHUNK)
            except WAITING:
                return
            except OSError as error:
                self._fail(str(error))
                return
            if not data:
                self._fail("closed by the server")
                return
            self.receive(data)
            # TLS may hold more records than one read returned, and epoll does not know of them
            if not isinstance(self.socket, ssl.SSLSocket) or not self.socket.pending():
                return

    def _write(self, data: bytes) -> int:
        try:
            return self.socket.send(data)
        except WAITING:
            return 0
        except OSError as error:
            self._fail(str(error))
            return 0

    def _flush(self) -> None:
        self._pending = self._pending[self._write(self._pending) :]
        if not self._pending and self.open:
            self.loop.want_write(self, False)

    def _shake_hands(self) -> None:
        assert isinstance(self.socket, ssl.SSLSocket)
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLWantWriteError:
            self.loop.want_write(self, True)
            return
        except OSError as error:
            self._fail(f"TLS handshake: {error}")
            return
        self.loop.want_write(self, False)
        then, self._secured = self._secured, None
        assert then is not None
        then()

    def _drop(self) -> None:
        self.open = False
        self.loop.remove(self)
        self.socket.close()

    def _fail(self, reason: str) -> None:
        if self.open:
            self._drop()
            self.lost(reason)
