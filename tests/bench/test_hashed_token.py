"""Tokens: draft-schmaus-kitten-sasl-ht, Mechanism; computed by hand."""

import hashlib
import hmac

import pytest

from bench.hashed_token import MECHANISMS, Token, TokenError
from xmppd.protocol.sasl.hashed_token import BINDINGS, initiator_proof, responder_proof

CERTIFICATE = b"a certificate"
DIGEST = hashlib.sha256(CERTIFICATE).digest()


@pytest.mark.parametrize(("mechanism", "binding"), [("HT-SHA-256-NONE", b""), ("HT-SHA-256-ENDP", DIGEST)])
def test_the_message_is_a_name_and_a_proof(mechanism: str, binding: bytes) -> None:
    """The proof is over the channel binding, if the mechanism has one; how often it was shown is counted."""
    token = Token(mechanism, b"secret")
    shown = token.show(b"romeo", CERTIFICATE)
    assert shown == b"romeo\0" + hmac.digest(b"secret", b"Initiator" + binding, "sha256")
    assert shown == b"romeo\0" + initiator_proof(b"secret", binding)
    token.show(b"romeo", CERTIFICATE)
    assert token.uses == 2
    token.check(responder_proof(b"secret", binding), CERTIFICATE)


def test_a_server_that_does_not_know_the_token_is_caught() -> None:
    """An echo of what was shown is no proof either."""
    token = Token("HT-SHA-256-NONE", b"secret")
    with pytest.raises(TokenError):
        token.check(token.show(b"romeo", b"").partition(b"\0")[2], b"")


def test_the_mechanisms_are_those_of_xmppd_that_the_standard_library_can_do() -> None:
    """The stronger first."""
    assert [name for name in BINDINGS if name in MECHANISMS] == list(MECHANISMS)
