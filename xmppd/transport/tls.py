"""TLS as a pure machine: ciphertext in, plaintext out, and back. No socket, no loop, no clock.

`TlsSession` is a pyOpenSSL connection on two memory BIOs. Handshake, certificates and channel bindings use pyOpenSSL's
own methods; what runs for every stanza (`decrypt`, `encrypt`) calls OpenSSL through the same binding that pyOpenSSL
uses, with one shared buffer, and asks a BIO for nothing that it is known not to have.

The driver's contract: `feed` what came, then `handshake` until it returns true, then `read` while `waiting`; after each
of them send `outgoing`. `TlsError` is final, but `outgoing` may still hold the alert that tells the peer.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cryptography.hazmat.bindings.openssl.binding import Binding
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

_lib: Any = Binding.lib
_ffi: Any = Binding.ffi
_NULL: Final = _ffi.NULL
_bio_write: Final = _lib.BIO_write
_bio_read: Final = _lib.BIO_read
_bio_size: Final = _lib.BIO_get_mem_data
_ssl_read: Final = _lib.SSL_read
_ssl_write: Final = _lib.SSL_write
_clear_errors: Final = _lib.ERR_clear_error

SLICE: Final = 16384
"""Bytes given to OpenSSL at once: the plaintext of one full record (RFC 8446, 5.1)."""

BUFFER: Final = SLICE + 2048  # one record with all that TLS 1.2 may add to it
LARGE: Final = 1024  # a BIO that held more than this is replaced, for it keeps its memory
EXPORTER: Final = b"EXPORTER-Channel-Binding"  # RFC 9266, 4.2


class TlsError(Exception):
    """The handshake or a record failed; the text is OpenSSL's reason, for one line in the log."""


class AlpnRefused(Exception):
    """The peer offers application protocols, and ours is not among them (RFC 7301, 3.2)."""


class Scratch:
    """The buffer that all sessions of a loop decrypt and encrypt through."""

    __slots__ = ("buffer", "view")

    def __init__(self) -> None:
        self.buffer = _ffi.new("char[]", BUFFER)
        self.view = _ffi.buffer(self.buffer)


class ChannelBindings(Mapping[str, bytes]):
    """Channel-binding data by type, made when somebody asks for it: each stream names the types, few use one."""

    __slots__ = ("_sources",)

    def __init__(self, sources: Mapping[str, Callable[[], bytes]]) -> None:
        self._sources = sources

    def __getitem__(self, name: str) -> bytes:
        return self._sources[name]()

    def __contains__(self, name: object) -> bool:
        return name in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


class TlsSession:
    """One TLS connection, the server's side or the client's.

    :ivar established: the handshake is done.
    :ivar chatty: reading may make something to send even if it yields data: TLS 1.2 refuses each wish to renegotiate
        by an alert, which would pile up.
    :ivar peer_closed: the peer has sent its close_notify.
    :ivar chain_trusted: no certificate of the peer's chain has failed verification; true if it sent none.
    """

    __slots__ = (
        "_connection",
        "_from_tls",
        "_held",
        "_into_tls",
        "_large",
        "_scratch",
        "_ssl",
        "_unread",
        "chain_trusted",
        "chatty",
        "established",
        "peer_closed",
    )

    def __init__(self, connection: SSL.Connection, scratch: Scratch) -> None:
        connection.set_app_data(self)  # for the callbacks of the handshake; undone behind it
        self._connection = connection
        self._ssl: Any = connection._ssl  # what pyOpenSSL's methods act upon
        self._into_tls: Any = connection._into_ssl
        self._from_tls: Any = connection._from_ssl
        self._scratch = scratch
        self._held = b""  # ciphertext that waits for its turn
        self._unread = False  # the BIO has ciphertext that OpenSSL has not seen
        self._large = False  # the BIO that is read from has grown
        self.chain_trusted = True
        self.chatty = False
        self.established = False
        self.peer_closed = False

    # Receiving

    @property
    def waiting(self) -> bool:
        """Whether `handshake` or `read` has something to work on."""
        return self._unread or bool(self._held)

    def feed(self, data: bytes) -> None:
        """Take ciphertext from the peer, of any length."""
        self._held = self._held + data if self._held else data

    def handshake(self) -> bool:
        """Go on with the handshake; return whether it is done. Raise `TlsError` if it failed."""
        self._load(self._next_slice())
        _clear_errors()
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            self._unread = False
            return False
        except (SSL.Error, AlpnRefused) as error:
            raise TlsError(_reason(error)) from None
        self._connection.set_app_data(None)
        self.established = self._large = True
        self.chatty = self.version != "TLSv1.3"
        self._rest()
        return True

    def read(self) -> bytes:
        """Decrypt the next slice of what was fed; the result is empty if it completes no record."""
        return self.decrypt(self._next_slice())

    def decrypt(self, data: bytes) -> bytes:
        """Decrypt at most `SLICE` bytes at once, when nothing else is `waiting`."""
        scratch = self._scratch
        buffer, ssl = scratch.buffer, self._ssl
        if data:
            self._load(data)
        _clear_errors()  # SSL_get_error looks at the thread's queue, where another library may have left something
        got = _ssl_read(ssl, buffer, SLICE)
        if got <= 0:
            self._check(got)
            return b""
        plaintext: bytes = scratch.view[:got]
        if _bio_size(self._into_tls, _NULL):
            plaintext = self._read_on(plaintext)
        elif self._large:
            self._rest()
        else:
            self._unread = False
        return plaintext

    def _read_on(self, first: bytes) -> bytes:
        """Decrypt the other records of a slice."""
        scratch = self._scratch
        pieces = [first]
        while (got := _ssl_read(self._ssl, scratch.buffer, SLICE)) > 0:
            pieces.append(scratch.view[:got])
            if not _bio_size(self._into_tls, _NULL):
                break
        else:
            self._check(got)
        self._rest()
        return b"".join(pieces)

    def _next_slice(self) -> bytes:
        held = self._held
        data, self._held = held[:SLICE], held[SLICE:]
        return data

    def _load(self, data: bytes) -> None:
        """Put ciphertext where OpenSSL reads."""
        if data:
            _bio_write(self._into_tls, data, len(data))
            self._unread = True
            if len(data) > LARGE:
                self._large = True

    def _rest(self) -> None:
        """Replace the BIO that is read from if it is large and empty."""
        self._unread = bool(_bio_size(self._into_tls, _NULL))
        if self._large and not self._unread:
            self._large = False
            self._into_tls = _new_bio()
            self._set_bios()

    def _check(self, result: int) -> None:
        """Find out why nothing could be read."""
        self._unread = False
        code = _lib.SSL_get_error(self._ssl, result)
        if code == _lib.SSL_ERROR_ZERO_RETURN:
            self.peer_closed = True
        elif code != _lib.SSL_ERROR_WANT_READ:
            raise TlsError(_queued_reason())

    # Sending

    def encrypt(self, data: bytes) -> bytes:
        """Return the records that carry `data`, and whatever else waits to be sent. Raise `TlsError`."""
        if len(data) <= SLICE:
            return self._encrypt_slice(data)
        return b"".join([self._encrypt_slice(data[start : start + SLICE]) for start in range(0, len(data), SLICE)])

    def _encrypt_slice(self, data: bytes) -> bytes:
        if _ssl_write(self._ssl, data, len(data)) <= 0:
            raise TlsError(_queued_reason())
        return self.outgoing()

    def outgoing(self) -> bytes:
        """Return the ciphertext that the peer must get."""
        scratch = self._scratch
        got = _bio_read(self._from_tls, scratch.buffer, BUFFER)
        if got <= 0:
            return b""
        data: bytes = scratch.view[:got]
        if got > LARGE:
            data += self._drain()
        return data

    def _drain(self) -> bytes:
        """Take what did not fit into the buffer, and replace the BIO, which has grown."""
        scratch = self._scratch
        pieces = []
        while (got := _bio_read(self._from_tls, scratch.buffer, BUFFER)) > 0:
            pieces.append(scratch.view[:got])
        self._from_tls = _new_bio()
        self._set_bios()
        return b"".join(pieces)

    def _set_bios(self) -> None:
        """Give OpenSSL the BIOs; it frees those that it had, and pyOpenSSL must not name them any more."""
        self._connection._into_ssl = self._into_tls
        self._connection._from_ssl = self._from_tls
        _lib.SSL_set_bio(self._ssl, self._into_tls, self._from_tls)

    def shutdown(self) -> bytes:
        """Return the close_notify; empty if the session cannot send one."""
        if not self.established:
            return b""
        try:
            self._connection.shutdown()
        except SSL.Error:
            return b""
        return self.outgoing()

    def release(self) -> None:
        """Let the session be freed without the garbage collector, also if its handshake was never done."""
        self._connection.set_app_data(None)

    # What was negotiated

    @property
    def version(self) -> str | None:
        """The protocol, such as "TLSv1.3"."""
        return self._connection.get_protocol_version_name() if self.established else None

    @property
    def cipher(self) -> str | None:
        """The cipher suite, by OpenSSL's name."""
        return self._connection.get_cipher_name() if self.established else None

    @property
    def sni(self) -> str | None:
        """The host name of the ClientHello, in lower case."""
        return server_name(self._connection)

    @property
    def alpn(self) -> str | None:
        """The application protocol that was agreed upon."""
        return self._connection.get_alpn_proto_negotiated().decode("ascii", "replace") or None

    def peer_certificate(self) -> bytes | None:
        """Return the peer's certificate in DER."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        return None if certificate is None else certificate.public_bytes(Encoding.DER)

    def channel_bindings(self) -> Mapping[str, bytes]:
        """Return the channel-binding data of RFC 9266 and RFC 5929, by type."""
        if not self.established:
            return {}
        sources: dict[str, Callable[[], bytes]] = {}
        if self._exports_uniquely():
            sources["tls-exporter"] = self._exported
        endpoint = self._connection.get_context().get_app_data()  # of the certificate that we have shown
        if endpoint is not None:
            sources["tls-server-end-point"] = lambda: endpoint
        return ChannelBindings(sources)

    def _exported(self) -> bytes:
        return self._connection.export_keying_material(EXPORTER, 32, b"")

    def _exports_uniquely(self) -> bool:
        """RFC 9266, 4: before TLS 1.3 the exporter is bound to one connection by the extended master secret only."""
        if self.version == "TLSv1.3":
            return True
        return bool(_lib.SSL_get_extms_support(self._ssl) == 1)


def server_name(connection: SSL.Connection) -> str | None:
    """Return the host name that a client asked for (RFC 6066, 3), in lower case; None if it asked for none."""
    name = connection.get_servername()
    return None if name is None else name.decode("ascii", "replace").lower().rstrip(".")


def _new_bio() -> Any:
    bio = _lib.BIO_new(_lib.BIO_s_mem())
    if bio == _NULL:
        raise MemoryError("OpenSSL has no memory for a BIO")
    return bio


def _reason(error: Exception) -> str:
    """Return OpenSSL's words for a failure that pyOpenSSL has raised."""
    queue = error.args[0] if error.args else None
    if isinstance(queue, list) and queue:
        return "; ".join(entry[2] or entry[0] for entry in queue)
    return str(error) or "the connection ended"


def _queued_reason() -> str:
    """Take the thread's error queue and return its reasons."""
    reasons = []
    while code := _lib.ERR_get_error():
        text = _lib.ERR_reason_error_string(code)
        reasons.append(f"error {code:#x}" if text == _NULL else _ffi.string(text).decode("ascii", "replace"))
    return "; ".join(reasons) or "the TLS session has ended"
