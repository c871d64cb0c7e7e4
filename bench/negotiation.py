"""From a connected socket to an online session: RFC 6120's negotiation, as scripts."""

import base64
import re
import ssl
from collections.abc import Generator
from dataclasses import dataclass, field

from .connection import Connection
from .dialogue import NegotiationError, Script
from .hashed_token import Token
from .scram import HASHES, SaltedPasswords, Scram, ScramError
from .stanzas import ping, stream_header

RESOURCE = b"bench"

# servers may put a prefix before these names
FEATURES = re.compile(
    rb"<(?:\w+:)?features\b[^>]*/>|<(?:\w+:)?features\b.*?</(?:\w+:)?features\s*>|<stream:error\b.*", re.DOTALL
)
TLS_ANSWER = re.compile(rb"<(?:\w+:)?(proceed|failure)\b[^>]*>")
SASL_ANSWER = re.compile(
    rb"<(?:\w+:)?(?P<kind>challenge|success|failure)\b[^>]*?(?:/>|>(?P<data>.*?)</(?:\w+:)?(?P=kind)\s*>)", re.DOTALL
)
MECHANISM = re.compile(rb"<(?:\w+:)?mechanism>([^<]+)</")
JID = re.compile(rb"<(?:\w+:)?jid>([^<]+)</")
MANAGEMENT = re.compile(rb"<(?:\w+:)?(enabled|failed)\b[^>]*>")
LEGACY_SESSION = re.compile(rb"<(?:\w+:)?session\b[^>]*?(/>|>.*?</(?:\w+:)?session\s*>)", re.DOTALL)


@dataclass(slots=True)
class Target:
    """The server under load, and how to log in to it.

    :ivar tls: a context for STARTTLS, or None.
    :ivar tokens: what lets a client in again, by the localpart of its account (XEP-0484).
    """

    host: str
    port: int
    domain: bytes
    tls: ssl.SSLContext | None = None
    mechanism: str = "SCRAM-SHA-1"
    password: bytes = b"a secret of the benchmark"
    salted: SaltedPasswords = field(default_factory=SaltedPasswords)
    tokens: dict[bytes, Token] = field(default_factory=dict)

    def address(self, name: bytes) -> bytes:
        """Return the bare JID of an account."""
        return name + b"@" + self.domain


def trusting_context() -> ssl.SSLContext:
    """Return a client context that takes any certificate: the servers' are made for the run."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def iq_answer(ident: bytes) -> re.Pattern[bytes]:
    """Return a pattern for the whole answer to an IQ; `re` caches it."""
    return re.compile(rb"<iq\b(?=[^>]*\bid=[\"']%s[\"'])[^>]*?(?:/>|>.*?</iq>)" % re.escape(ident), re.DOTALL)


def is_result(answer: bytes) -> bool:
    """Say whether an IQ answer is a result."""
    return re.match(rb"<iq\b[^>]*\btype=[\"']result[\"']", answer) is not None


def checked_features(found: re.Match[bytes]) -> bytes:
    """Return the features; raise if there is a stream error in their place."""
    if b"features" not in found.group().split(None, 1)[0]:
        raise NegotiationError(f"stream error: {found.group()[:300]!r}")
    return found.group()


def stream(connection: Connection, target: Target) -> Generator[re.Pattern[bytes], re.Match[bytes], bytes]:
    """Open a stream; return the features."""
    connection.send(stream_header(target.domain))
    return checked_features((yield FEATURES))


def secured(connection: Connection, target: Target) -> Script:
    """Go as far as the end of the TLS handshake, if the target asks for TLS: the stream is to be opened then."""
    if target.tls is None:
        return
    yield from stream(connection, target)
    connection.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    found = yield TLS_ANSWER
    if found.group(1) != b"proceed":
        raise NegotiationError("STARTTLS was refused")
    yield target.tls


def opening(
    connection: Connection, target: Target
) -> Generator[re.Pattern[bytes] | ssl.SSLContext, re.Match[bytes], bytes]:
    """Open a stream, with STARTTLS if the target asks for it; return the features."""
    yield from secured(connection, target)
    return (yield from stream(connection, target))


def authentication(connection: Connection, target: Target, features: bytes) -> Script:
    """Authenticate with SCRAM (RFC 6120, 6): the target's mechanism, or the other one if only that is offered."""
    offered = [name.decode() for name in MECHANISM.findall(features)]
    mechanism = next((name for name in (target.mechanism, *HASHES) if name in offered), None)
    if mechanism is None:
        raise NegotiationError(f"no mechanism that we know in {offered}")
    scram = Scram(mechanism, connection.name, target.password, target.salted)
    connection.send(
        b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='%s'>%s</auth>"
        % (mechanism.encode(), base64.b64encode(scram.first()))
    )
    challenge = yield SASL_ANSWER
    try:
        connection.send(_response(scram.final(_sasl_data(connection, challenge, b"challenge"))))
        answer = yield SASL_ANSWER
        scram.check(_sasl_data(connection, answer, b"success", b"challenge"))
    except ScramError as error:
        raise NegotiationError(str(error)) from error
    if answer["kind"] == b"challenge":  # the server's last message may come before its success
        connection.send(_response(b""))
        _sasl_data(connection, (yield SASL_ANSWER), b"success")


def _response(data: bytes) -> bytes:
    return b"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</response>" % base64.b64encode(data)


def _sasl_data(connection: Connection, answer: re.Match[bytes], *wanted: bytes) -> bytes:
    if answer["kind"] not in wanted:
        raise NegotiationError(f"{connection.name.decode()}: authentication failed: {answer.group()[:300]!r}")
    return base64.b64decode(answer["data"] or b"")


def binding(connection: Connection, features: bytes) -> Script:
    """Bind a resource, and make the legacy session if the server insists on one (RFC 6120, 7)."""
    connection.send(
        b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>%s</resource></bind></iq>"
        % RESOURCE
    )
    answer = yield iq_answer(b"bind")
    if JID.search(answer.group()) is None:
        raise NegotiationError(f"{connection.name.decode()}: bind failed: {answer.group()[:300]!r}")
    session = LEGACY_SESSION.search(features)
    if session is not None and b"optional" not in session.group():
        connection.send(b"<iq type='set' id='sess'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>")
        yield iq_answer(b"sess")


def authenticated(connection: Connection, target: Target) -> Script:
    """Log in as far as the end of SASL: proves that an account works, and pays for its salt."""
    features = yield from opening(connection, target)
    yield from authentication(connection, target, features)


def bound(connection: Connection, target: Target) -> Script:
    """Log in and bind; without presence nothing is sent to the session that it has not asked for."""
    yield from authenticated(connection, target)
    features = yield from stream(connection, target)
    yield from binding(connection, features)


def online(connection: Connection, target: Target) -> Script:
    """Log in, bind, send initial presence and wait until the server has processed it."""
    yield from bound(connection, target)
    connection.send(b"<presence/>" + ping(target.domain, b"here"))
    yield iq_answer(b"here")


def managed(connection: Connection, target: Target) -> Script:
    """Come online and switch stream management on, with resumption (XEP-0198, 3)."""
    yield from online(connection, target)
    connection.send(b"<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    found = yield MANAGEMENT
    if found.group(1) != b"enabled":
        raise NegotiationError(f"{connection.name.decode()}: stream management was refused")


def registered(connection: Connection, target: Target) -> Script:
    """Make an account in band (XEP-0077); one that exists already is as good."""
    yield from opening(connection, target)
    connection.send(
        b"<iq type='set' id='reg'><query xmlns='jabber:iq:register'><username>%s</username><password>%s</password>"
        b"</query></iq>" % (connection.name, target.password)
    )
    answer = (yield iq_answer(b"reg")).group()
    if not is_result(answer) and b"conflict" not in answer:
        raise NegotiationError(f"{connection.name.decode()}: registration failed: {answer[:300]!r}")
