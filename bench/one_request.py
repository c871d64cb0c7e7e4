"""A login by one request: SASL2 (XEP-0388) with Bind 2 (XEP-0386) inline, by SCRAM or by a token (XEP-0484).

A client that has been there before knows what the server offers, so the request goes out with the stream header.
"""

import base64
import re
import uuid
from collections.abc import Generator

from .connection import Connection
from .dialogue import NegotiationError, Script
from .hashed_token import MECHANISMS, Token, TokenError
from .negotiation import FEATURES, SASL_ANSWER, Target, checked_features, iq_answer, secured
from .scram import Scram, ScramError
from .stanzas import ping, stream_header

BIND = b"<bind xmlns='urn:xmpp:bind:0'><tag>bench</tag></bind>"
OFFERED_TOKENS = re.compile(rb"<fast\b[^>]*urn:xmpp:fast:0[^>]*>(.*?)</fast>", re.DOTALL)
TOKEN = re.compile(rb"<token\b[^>]*?\btoken=[\"']([^\"']+)[\"']")
PROOF = re.compile(rb"<additional-data>([^<]*)</")
BOUND = re.compile(rb"<bound\b")


def request(mechanism: str, name: bytes, first: bytes, more: bytes = b"") -> bytes:
    """Return an `<authenticate/>` that binds a resource; every account has one client, which keeps its id."""
    return (
        b"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='%s'><initial-response>%s</initial-response>"
        b"<user-agent id='%s'><software>bench</software></user-agent>%s%s</authenticate>"
        % (mechanism.encode(), base64.b64encode(first), client_id(name), BIND, more)
    )


def client_id(name: bytes) -> bytes:
    """Return the UUID of an account's client."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name.decode())).encode()


def by_password(connection: Connection, target: Target) -> Script:
    """Come online by SCRAM: two round trips behind TLS."""
    yield from secured(connection, target)
    scram = Scram(target.mechanism, connection.name, target.password, target.salted)
    asked = request(target.mechanism, connection.name, scram.first())
    connection.send(_header(connection, target) + asked)
    checked_features((yield FEATURES))
    yield from _exchange(connection, scram)
    yield from _arrival(connection, target)


def for_token(connection: Connection, target: Target) -> Script:
    """Come online by SCRAM as a client without a token that wants one: it looks at what is offered."""
    yield from secured(connection, target)
    connection.send(_header(connection, target))
    offered = OFFERED_TOKENS.search(checked_features((yield FEATURES)))
    mechanism = next((name for name in MECHANISMS if offered and name.encode() in offered[1]), None)
    if mechanism is None:
        raise NegotiationError("no tokens that we know are offered")
    scram = Scram(target.mechanism, connection.name, target.password, target.salted)
    wish = b"<request-token xmlns='urn:xmpp:fast:0' mechanism='%s'/>" % mechanism.encode()
    connection.send(request(target.mechanism, connection.name, scram.first(), wish))
    _keep_token(connection, target, mechanism, (yield from _exchange(connection, scram)))
    if connection.name not in target.tokens:
        raise NegotiationError(f"{connection.name.decode()}: no token was given")
    yield from _arrival(connection, target)


def by_token(connection: Connection, target: Target) -> Script:
    """Come online by a token: one round trip behind TLS. A new token that comes with it replaces the old one."""
    yield from secured(connection, target)
    token, certificate = target.tokens[connection.name], connection.certificate()
    first = token.show(connection.name, certificate)
    use = b"<fast xmlns='urn:xmpp:fast:0' count='%d'/>" % token.uses
    connection.send(_header(connection, target) + request(token.mechanism, connection.name, first, use))
    checked_features((yield FEATURES))
    success = _success(connection, (yield SASL_ANSWER))
    try:
        token.check(_additional_data(success), certificate)
    except TokenError as error:
        raise NegotiationError(str(error)) from error
    _keep_token(connection, target, token.mechanism, success)
    yield from _arrival(connection, target)


def _header(connection: Connection, target: Target) -> bytes:
    """Return the stream header; it says whose client this is, as XEP-0484 wants (Client responsibilities)."""
    return stream_header(target.domain, target.address(connection.name))


def _exchange(connection: Connection, scram: Scram) -> Generator[re.Pattern[bytes], re.Match[bytes], bytes]:
    """Answer the challenge; return what the success has inside."""
    challenge = yield SASL_ANSWER
    if challenge["kind"] != b"challenge":
        raise NegotiationError(f"{connection.name.decode()}: authentication failed: {challenge.group()[:300]!r}")
    try:
        final = scram.final(base64.b64decode(challenge["data"] or b""))
        connection.send(b"<response xmlns='urn:xmpp:sasl:2'>%s</response>" % base64.b64encode(final))
        success = _success(connection, (yield SASL_ANSWER))
        scram.check(_additional_data(success))
    except ScramError as error:
        raise NegotiationError(str(error)) from error
    return success


def _success(connection: Connection, answer: re.Match[bytes]) -> bytes:
    """Return what a success has inside; raise if it is none, or comes without a resource."""
    inside = answer["data"] or b""
    if answer["kind"] != b"success" or BOUND.search(inside) is None:
        raise NegotiationError(f"{connection.name.decode()}: login failed: {answer.group()[:300]!r}")
    return inside


def _additional_data(success: bytes) -> bytes:
    found = PROOF.search(success)
    return base64.b64decode(found[1]) if found else b""


def _keep_token(connection: Connection, target: Target, mechanism: str, success: bytes) -> None:
    found = TOKEN.search(success)
    if found is not None:
        target.tokens[connection.name] = Token(mechanism, found[1])


def _arrival(connection: Connection, target: Target) -> Script:
    """Send initial presence and wait until the server has processed it."""
    connection.send(b"<presence/>" + ping(target.domain, b"here"))
    yield iq_answer(b"here")
