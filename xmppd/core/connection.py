"""A connection, as the core sees it: a byte stream to one peer that may become TLS on the way.

The transport implements `Connection`, the core's driver implements `Receiver`. A WebSocket and the memory transport of
the tests fit the same two classes.

The contract, in the order of a connection's life:

1. `Receiver.connection_made` is called once, when the peer's address is known (behind a proxy: after its PROXY header).
   On a direct TLS port `tls_established` follows; no data comes before it.
2. `Receiver.data_received` gives plaintext in order, in pieces of any size. After `pause_reading` no further call comes
   until `resume_reading`, though bytes may already have arrived. A receiver may call any method of the connection from
   inside any of its own methods.
3. `Connection.start_tls` switches: what was written before it (`<proceed/>`) goes out in clear. Bytes that had arrived
   in clear behind the request are never fed to the TLS engine; the core discards what it was already given (RFC 6120,
   5.4.3.3). `tls_established` marks the first moment at which data is protected.
4. `connection_lost` is called exactly once after `connection_made`, whoever ended the connection and even if the core
   itself did; nothing is called behind it.
"""

from collections.abc import Mapping
from typing import Protocol


class Connection(Protocol):
    """What the core may do with a connection. All methods are harmless after the connection is lost.

    :ivar peer_address: the peer's IP address as text; the client's own if a proxy announced it.
    :ivar peer_port: the peer's port; 0 if unknown.
    :ivar local_port: the port that the peer connected to.
    :ivar secure: whether bytes are protected by TLS now.
    :ivar tls_version: the protocol as OpenSSL names it, "TLSv1.3" or "TLSv1.2"; None without TLS.
    :ivar cipher: the cipher suite as OpenSSL names it; None without TLS.
    :ivar sni: the host name that the peer asked for in its ClientHello, in lower case; None if it sent none.
    """

    @property
    def peer_address(self) -> str: ...
    @property
    def peer_port(self) -> int: ...
    @property
    def local_port(self) -> int: ...
    @property
    def secure(self) -> bool: ...
    @property
    def tls_version(self) -> str | None: ...
    @property
    def cipher(self) -> str | None: ...
    @property
    def sni(self) -> str | None: ...

    def write(self, data: bytes) -> None:
        """Send `data`; all writes of one turn of the loop leave in one system call. Ignored after `close`."""

    def close(self) -> None:
        """Send what was written, then close: under TLS with a close_notify. A peer that does not read is cut off."""

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""

    def pause_reading(self) -> None:
        """Call `data_received` no more until `resume_reading`; the peer is slowed down by TCP."""

    def resume_reading(self) -> None:
        """Go on with `data_received`; bytes that wait inside the connection are delivered from a later turn."""

    def pending(self) -> int:
        """Return how many bytes were written but not yet taken by the kernel, those of this turn included."""

    def start_tls(self, host: str | None) -> None:
        """Become a TLS server once what was written is on its way.

        :param host: the virtual host whose certificate is shown to a peer that sends no SNI; None is the default host.
        :raises xmppd.protocol.errors.Misuse: TLS is already on, or this connection cannot do it.
        """

    def channel_bindings(self) -> Mapping[str, bytes]:
        """Return the channel-binding data by type; empty without TLS.

        "tls-exporter" (RFC 9266) exists on TLS 1.3 and on TLS 1.2 with the extended master secret,
        "tls-server-end-point" (RFC 5929, 4) wherever the certificate's signature names a hash function.
        """

    def peer_certificate(self) -> bytes | None:
        """Return the certificate that the peer presented, in DER; None if it presented none. It may be anybody's."""

    def peer_certificate_verified(self) -> bool:
        """Say whether a certificate was presented and its chain leads to an authority that is trusted for peers.

        The names in it are not compared with anything.
        """


class Receiver(Protocol):
    """What a connection calls: the core's driver of one stream."""

    def connection_made(self, connection: Connection) -> None:
        """Begin; the connection is ready to be written to."""

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer, never empty."""

    def tls_established(self) -> None:
        """Note that the TLS handshake is done."""

    def connection_lost(self, reason: str) -> None:
        """End; `reason` says in English why, and is empty if either side closed in good order."""

    def pause_writing(self) -> None:
        """Note that `pending` has passed the high-water mark; writing goes on to be accepted."""

    def resume_writing(self) -> None:
        """Note that what was pending has drained below the low-water mark."""
