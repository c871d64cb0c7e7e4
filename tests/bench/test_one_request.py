"""Logins by one request: the examples of XEP-0388, XEP-0386 and XEP-0484, played by hand."""

import base64
import hashlib
import hmac
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.dialogue import NegotiationError, Script
from bench.hashed_token import Token
from bench.negotiation import Target
from bench.one_request import by_password, by_token, client_id, for_token, request
from xmppd.protocol.sasl.hashed_token import responder_proof

SASL2 = "{urn:xmpp:sasl:2}"
FEATURES = (
    b"<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline>"
    b"<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast>"
    b"<bind xmlns='urn:xmpp:bind:0'/></inline></authentication></stream:features>"
)
HERE = b"<iq type='result' id='here'/>"


class Heard:
    """A connection that only remembers what was sent."""

    name = b"romeo"

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def certificate(self) -> bytes:
        return b""


class Exchange:
    """A script, and a server that the test plays."""

    def __init__(self, script: Any, target: Target) -> None:
        self.connection = Heard()
        self.script: Script = script(self.connection, target)
        self.wanted = next(self.script)

    def hears(self, data: bytes) -> bool:
        """Answer; return whether the script is through."""
        assert isinstance(self.wanted, re.Pattern)
        found = self.wanted.search(data)
        assert found is not None, self.wanted
        try:
            self.wanted = self.script.send(found)
        except StopIteration:
            return True
        return False

    def challenge(self) -> bytes:
        """Send a challenge; return what the success has as additional data."""
        first = base64.b64decode(re.findall(rb"<initial-response>([^<]+)<", self.connection.sent[-1])[0])
        nonce = first.rpartition(b"r=")[2]
        self.hears(b"<challenge xmlns='urn:xmpp:sasl:2'>%s</challenge>" % encoded(b"r=%sx,s=c2FsdA==,i=1" % nonce))
        answer = base64.b64decode(re.findall(rb"<response[^>]*>([^<]+)<", self.connection.sent[-1])[0])
        message = b",".join((first[3:], b"r=%sx,s=c2FsdA==,i=1" % nonce, answer.rpartition(b",p=")[0]))
        key = hmac.digest(b"salted", b"Server Key", hashlib.sha1)
        return b"v=" + encoded(hmac.digest(key, message, hashlib.sha1))


def salt(*_: object) -> bytes:
    """Derive what is quickly derived: it is not PBKDF2 that is tried here."""
    return b"salted"


def encoded(data: bytes) -> bytes:
    return base64.b64encode(data)


def success(data: bytes, *more: bytes) -> bytes:
    return (
        b"<success xmlns='urn:xmpp:sasl:2'><additional-data>%s</additional-data><authorization-identifier>"
        b"romeo@localhost/bench/1</authorization-identifier>%s</success>" % (encoded(data), b"".join(more))
    )


BOUND = b"<bound xmlns='urn:xmpp:bind:0'/>"
NEW_TOKEN = b"<token xmlns='urn:xmpp:fast:0' expiry='2020-03-12T14:36:15Z' token='fresh'/>"


@pytest.fixture
def target() -> Target:
    salted: Any = salt
    return Target("127.0.0.1", 5222, b"localhost", salted=salted)


def test_the_request_has_all_of_it() -> None:
    """XEP-0388, Initiation: mechanism, response, client; XEP-0386: the tag; whatever else is asked for."""
    element = ElementTree.fromstring(request("SCRAM-SHA-1", b"romeo", b"n,,", b"<x xmlns='y'/>"))
    assert element.get("mechanism") == "SCRAM-SHA-1"
    assert element.findtext(f"{SASL2}initial-response") == "biws"
    agent = element.find(f"{SASL2}user-agent")
    assert agent is not None
    assert (agent.get("id") or "").encode() == client_id(b"romeo") == client_id(b"romeo") != client_id(b"juliet")
    assert [child.tag for child in element][2:] == ["{urn:xmpp:bind:0}bind", "{y}x"]


def test_whoever_returns_asks_with_the_header(target: Target) -> None:
    """XEP-0388: a client that knows what is offered does not wait for it. Presence follows the success at once."""
    exchange = Exchange(by_password, target)
    assert b"from='romeo@localhost'" in exchange.connection.sent[0]
    assert b"<authenticate" in exchange.connection.sent[0]
    exchange.hears(FEATURES)
    signature = exchange.challenge()
    exchange.hears(success(signature, BOUND))
    assert exchange.connection.sent[-1].startswith(b"<presence/><iq")
    assert exchange.hears(b"<stream:features/>" + HERE)
    assert not target.tokens


def test_a_token_is_asked_for_and_kept(target: Target) -> None:
    """XEP-0484, Client performs initial authentication: of the mechanisms offered the strongest that we know."""
    exchange = Exchange(for_token, target)
    exchange.hears(FEATURES)
    assert b"<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-ENDP'/>" in exchange.connection.sent[-1]
    signature = exchange.challenge()
    exchange.hears(success(signature, BOUND, NEW_TOKEN))
    assert target.tokens == {b"romeo": Token("HT-SHA-256-ENDP", b"fresh")}
    assert exchange.hears(HERE)


def test_a_token_that_is_not_given_is_an_error(target: Target) -> None:
    """There would be nothing to return with."""
    exchange = Exchange(for_token, target)
    exchange.hears(FEATURES)
    signature = exchange.challenge()
    with pytest.raises(NegotiationError, match="romeo: no token was given"):
        exchange.hears(success(signature, BOUND))


@pytest.mark.parametrize("features", [b"<stream:features/>", FEATURES.replace(b"HT-SHA-256", b"HT-SHA-3")])
def test_tokens_that_we_do_not_know_are_an_error(target: Target, features: bytes) -> None:
    """So is a server without any."""
    with pytest.raises(NegotiationError, match="no tokens that we know"):
        Exchange(for_token, target).hears(features)


def test_a_token_is_shown_once_and_that_is_all(target: Target) -> None:
    """XEP-0484, Client authenticates using FAST: its use is counted; a new token replaces it."""
    target.tokens[b"romeo"] = Token("HT-SHA-256-NONE", b"secret")
    exchange = Exchange(by_token, target)
    assert b"<fast xmlns='urn:xmpp:fast:0' count='1'/>" in exchange.connection.sent[0]
    exchange.hears(FEATURES)
    exchange.hears(success(responder_proof(b"secret", b""), BOUND, NEW_TOKEN))
    assert target.tokens[b"romeo"] == Token("HT-SHA-256-NONE", b"fresh")
    assert exchange.hears(HERE)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"<failure xmlns='urn:xmpp:sasl:2'><credentials-expired/></failure>", "romeo: login failed"),
        (success(responder_proof(b"secret", b"")), "romeo: login failed"),
        (success(b"", BOUND), "proof is wrong"),
    ],
)
def test_what_is_no_success(target: Target, answer: bytes, told: str) -> None:
    """A failure; a success without a resource; one of a server that does not know the token."""
    target.tokens[b"romeo"] = Token("HT-SHA-256-NONE", b"secret")
    exchange = Exchange(by_token, target)
    exchange.hears(FEATURES)
    with pytest.raises(NegotiationError, match=told):
        exchange.hears(answer)


def test_a_refused_mechanism(target: Target) -> None:
    """A failure in the place of a challenge."""
    exchange = Exchange(by_password, target)
    exchange.hears(FEATURES)
    with pytest.raises(NegotiationError, match="romeo: authentication failed"):
        exchange.hears(b"<failure xmlns='urn:xmpp:sasl:2'><invalid-mechanism/></failure>")


def test_a_server_that_does_not_know_the_password(target: Target) -> None:
    """RFC 5802, 3: its signature is checked."""
    exchange = Exchange(by_password, target)
    exchange.hears(FEATURES)
    exchange.challenge()
    with pytest.raises(NegotiationError, match="signature"):
        exchange.hears(success(b"v=AAAA", BOUND))
