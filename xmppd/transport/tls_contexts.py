"""The TLS policy: one OpenSSL context for each certificate, all of them with the same rules.

TLS 1.2 and 1.3 with the suites of Mozilla's intermediate configuration (its DHE suites are left out: a client that has
them has ECDHE too, and DHE lets a stranger spend our CPU cheaply). No renegotiation, no compression, no tickets; the
package's docstring says why not.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from OpenSSL import SSL, crypto

from .certificate import Certificate, CertificateError
from .tls import AlpnRefused, Scratch, TlsSession, server_name

CIPHERS: Final = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
OPTIONS: Final = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET
WRONG_PURPOSE: Final = SSL.X509VerificationCodes.ERR_INVALID_PURPOSE


class Certificates(Protocol):
    """Where contexts come from: `certificates.CertificateStore`."""

    def find(self, host: str | None) -> Certificate:
        """Return the certificate to show for a host; None asks for that of the default host."""


@dataclass(frozen=True, slots=True)
class TlsRules:
    """What one kind of listener asks of its peers.

    :ivar alpn: the application protocol that we speak (XEP-0368): "xmpp-client" or "xmpp-server".
    :ivar ask_certificate: whether peers are asked for a certificate. One that does not verify fails no handshake.
    :ivar authorities: a PEM file of the authorities that are trusted for peers; None for those of the system.
    :ivar any_usage: trust a certificate whatever its extended key usage says: public authorities issue no certificates
        for TLS clients any more, and servers authenticate to each other with what they have.
    """

    alpn: str = "xmpp-client"
    ask_certificate: bool = False
    authorities: Path | None = None
    any_usage: bool = False


class TlsContexts:
    """Makes the server's TLS sessions of one listener or several.

    :raises xmppd.transport.certificate.CertificateError: the authorities' file cannot be used.
    """

    def __init__(self, certificates: Certificates, rules: TlsRules | None = None) -> None:
        self._certificates = certificates
        self._rules = TlsRules() if rules is None else rules
        self._alpn = self._rules.alpn.encode("ascii")
        self._scratch = Scratch()
        # A context goes when the store lets its certificate go; live sessions hold their own.
        self._contexts: WeakKeyDictionary[Certificate, SSL.Context] = WeakKeyDictionary()
        self._context(certificates.find(None))

    def session(self, host: str | None) -> TlsSession:
        """Begin a handshake as the server; `host` decides the certificate for a peer that sends no SNI."""
        connection = SSL.Connection(self._context(self._certificates.find(host)), None)
        connection.set_accept_state()
        return TlsSession(connection, self._scratch)

    def _context(self, certificate: Certificate) -> SSL.Context:
        context = self._contexts.get(certificate)
        if context is None:
            context = self._contexts[certificate] = self._make(certificate)
        return context

    def _make(self, certificate: Certificate) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(CIPHERS)
        context.set_options(OPTIONS)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_session_id(b"xmppd")
        context.use_certificate(certificate.chain[0])
        for issuer in certificate.chain[1:]:
            context.add_extra_chain_cert(issuer)
        context.use_privatekey(certificate.key)
        context.set_app_data(certificate.endpoint)  # not the certificate itself, or it would never go
        context.set_tlsext_servername_callback(self._choose_host)
        context.set_alpn_select_callback(self._choose_protocol)
        if self._rules.ask_certificate:
            self._trust(context)
        return context

    def _trust(self, context: SSL.Context) -> None:
        """Ask for a certificate, and name the authorities that may vouch for it."""
        context.set_verify(SSL.VERIFY_PEER, self._verified)
        if self._rules.authorities is None:
            context.set_default_verify_paths()
            return
        try:
            context.load_verify_locations(str(self._rules.authorities))
        except SSL.Error:
            raise CertificateError(
                f"{self._rules.authorities}: holds no certificates of authorities in PEM form"
            ) from None

    def _choose_host(self, connection: SSL.Connection) -> None:
        """Show the certificate of the host that the peer asks for (RFC 6066, 3), or the default one."""
        name = server_name(connection)
        if name is None:
            return
        context = self._context(self._certificates.find(name))
        if context is not connection.get_context():
            connection.set_context(context)

    def _choose_protocol(self, connection: SSL.Connection, offered: list[bytes]) -> bytes:
        """Take our protocol; a peer that offers others only does not speak XMPP with us (RFC 7301, 3.2)."""
        if self._alpn in offered:
            return self._alpn
        raise AlpnRefused("no common application protocol: the peer offers " + ascii_list(offered))

    def _verified(
        self, connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, verified: int
    ) -> bool:
        """Note what verification says of one certificate of the chain, and go on with the handshake."""
        session: TlsSession = connection.get_app_data()
        if not verified and not (self._rules.any_usage and error == WRONG_PURPOSE):
            session.chain_trusted = False
        return True


def ascii_list(offered: list[bytes]) -> str:
    """Return protocol names for a log line; what a peer sends may be anything."""
    return ", ".join(name.decode("ascii", "backslashreplace") for name in offered[:8])
