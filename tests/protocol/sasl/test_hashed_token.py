"""HT: draft-schmaus-kitten-sasl-ht-09."""

import hashlib
import hmac

import pytest

from xmppd.protocol.errors import Misuse, SaslFailure
from xmppd.protocol.sasl.choice import start
from xmppd.protocol.sasl.exchange import Authenticated, CheckToken, Context
from xmppd.protocol.sasl.hashed_token import BINDINGS, HashedToken, initiator_proof, offered, responder_proof

TOKEN = b"secret"
DATA = {"tls-exporter": b"e" * 32, "tls-server-end-point": b"p" * 32}
PROOF = b"x" * 32
MECHANISMS = list(BINDINGS)


def hashed_token(mechanism: str = "HT-SHA-256-NONE") -> HashedToken:
    return HashedToken(Context("capulet.example", [], DATA, lambda: "", tokens=[mechanism]), mechanism)


@pytest.mark.parametrize(("mechanism", "binding"), list(zip(MECHANISMS, [b"e" * 32, b"p" * 32, b""], strict=True)))
def test_one_message(mechanism: str, binding: bytes) -> None:
    """Initiator First Message: a name, a NUL and a hash; each mechanism has its channel binding."""
    exchange = hashed_token(mechanism)
    assert exchange.step(b"Romeo\0" + PROOF) == CheckToken("romeo", mechanism, PROOF, binding)
    assert exchange.checked(b"answer") == Authenticated("romeo", b"answer")


def test_the_proofs() -> None:
    """Initiator First Message, Final Responder Message: HMAC with the token as the key."""
    assert initiator_proof(TOKEN, b"e") == hmac.new(TOKEN, b"Initiatore", hashlib.sha256).digest()
    assert responder_proof(TOKEN, b"e") == hmac.new(TOKEN, b"Respondere", hashlib.sha256).digest()


def test_a_token_that_is_not_known() -> None:
    """Initiator Authentication: whatever was wrong, the answer is the same."""
    exchange = hashed_token()
    exchange.step(b"romeo\0" + PROOF)
    with pytest.raises(SaslFailure) as refusal:
        exchange.checked(None)
    assert refusal.value.condition == "not-authorized"


@pytest.mark.parametrize(
    "message",
    [b"", b"romeo", b"romeo\0", b"\0" + PROOF, b"romeo\0" + PROOF[1:], b"romeo\0" + PROOF + b"x", b"\xff\0" + PROOF],
)
def test_malformed_messages(message: bytes) -> None:
    """Initiator First Message: the name is UTF-8 and not empty, the hash has the length of SHA-256's."""
    with pytest.raises(SaslFailure) as refusal:
        hashed_token().step(message)
    assert refusal.value.condition == "malformed-request"


def test_a_message_has_a_limit() -> None:
    """Nobody needs kilobytes for a name."""
    with pytest.raises(SaslFailure):
        hashed_token().step(b"r" * 9000 + b"\0" + PROOF)


def test_a_name_that_no_account_can_have() -> None:
    """It is refused as a wrong token is."""
    with pytest.raises(SaslFailure) as refusal:
        hashed_token().step(b"ro meo\0" + PROOF)
    assert refusal.value.condition == "not-authorized"


def test_nothing_is_read_while_the_token_is_checked() -> None:
    """One message is all there is."""
    exchange = hashed_token()
    exchange.step(b"romeo\0" + PROOF)
    with pytest.raises(Misuse):
        exchange.step(b"romeo\0" + PROOF)
    with pytest.raises(Misuse):
        hashed_token().checked(b"answer")


def test_what_is_offered() -> None:
    """XEP-0484, Server advertises support: with channel binding where the connection has one, never without TLS."""
    assert offered(tls=True, channel_bindings=DATA) == MECHANISMS
    assert offered(tls=True, channel_bindings=["tls-server-end-point"]) == ["HT-SHA-256-ENDP", "HT-SHA-256-NONE"]
    assert offered(tls=True, channel_bindings=[]) == ["HT-SHA-256-NONE"]
    assert offered(tls=False, channel_bindings=DATA) == []


def test_only_what_was_offered_starts() -> None:
    """The mechanisms of tokens are apart from the others: RFC 6120's profile never has them."""
    context = Context("capulet.example", ["PLAIN"], DATA, lambda: "", tokens=["HT-SHA-256-NONE"])
    assert isinstance(start("HT-SHA-256-NONE", context), HashedToken)
    with pytest.raises(SaslFailure):
        start("HT-SHA-256-EXPR", context)
    with pytest.raises(SaslFailure):
        start("HT-SHA-256-NONE", Context("capulet.example", ["PLAIN"], DATA, lambda: ""))
