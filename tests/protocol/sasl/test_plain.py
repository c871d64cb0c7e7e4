"""PLAIN: RFC 4616."""

import pytest

from xmppd.protocol.errors import Misuse, SaslFailure
from xmppd.protocol.sasl.exchange import Authenticated, CheckPassword, Context
from xmppd.protocol.sasl.plain import Plain


def plain() -> Plain:
    return Plain(Context("example.com", ["PLAIN"], {}, lambda: ""))


def refusal_of(message: bytes) -> str:
    with pytest.raises(SaslFailure) as refusal:
        plain().step(message)
    return refusal.value.condition


@pytest.mark.parametrize("authzid", [b"", b"tim@example.com"])
def test_name_and_password_are_checked(authzid: bytes) -> None:
    """RFC 4616, 4: the driver compares, and its verdict ends the exchange."""
    exchange = plain()
    assert exchange.step(authzid + b"\0Tim\0tanstaaftanstaaf") == CheckPassword("tim", "tanstaaftanstaaf")
    assert exchange.verified(True) == Authenticated("tim")


def test_a_wrong_password_is_not_authorized() -> None:
    """RFC 6120, 6.5.10."""
    exchange = plain()
    exchange.step(b"\0tim\0wrong")
    with pytest.raises(SaslFailure) as refusal:
        exchange.verified(False)
    assert refusal.value.condition == "not-authorized"


def test_the_name_is_that_of_the_message() -> None:
    """A driver cannot swap the account by mistake."""
    exchange = plain()
    exchange.step(b"\0tim\0tanstaaf")
    assert exchange.verified(True, "tom") == Authenticated("tim")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\0",
        b"\0tim",
        b"tim\0password",
        b"\0tim\0",
        b"\0\0password",
        b"\0tim\0pass\0word",
        b"\0tim\0p\0",
        b"\xff\0a\0b",
    ],
)
def test_exactly_two_nuls(message: bytes) -> None:
    """RFC 4616, 2: anything else is malformed."""
    assert refusal_of(message) == "malformed-request"


def test_another_authorization_identity_is_refused() -> None:
    """RFC 4616, 2: Ursel may not act for Kurt."""
    assert refusal_of(b"kurt@example.com\0ursel\0xipj3plmq") == "invalid-authzid"


@pytest.mark.parametrize(
    "message", ["\0t\u200bim\0password", "\0tim\0pass\u200bword", "\0t@m\0password", "\0tim\0" + "p" * 1024]
)
def test_what_cannot_be_prepared_cannot_be_right(message: str) -> None:
    """RFC 4616, 2: if preparation fails, so does the authentication."""
    assert refusal_of(message.encode()) == "not-authorized"


def test_the_password_is_prepared() -> None:
    """The keys were derived from the OpaqueString form."""
    assert plain().step("\0tim\0a\u00a0e\u0301".encode()) == CheckPassword("tim", "a \u00e9")


def test_nothing_is_read_while_the_password_is_checked() -> None:
    """The stream must not feed a second message."""
    exchange = plain()
    exchange.step(b"\0tim\0tanstaaf")
    with pytest.raises(Misuse):
        exchange.step(b"\0tom\0tanstaaf")
