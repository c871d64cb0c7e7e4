"""EXTERNAL: RFC 4422, appendix A, and XEP-0178."""

import pytest

from xmppd.protocol.errors import Misuse, SaslFailure
from xmppd.protocol.sasl.exchange import Authenticated, CheckCertificate, Context
from xmppd.protocol.sasl.external import External


def external(host: str = "example.com") -> External:
    return External(Context(host, ["EXTERNAL"], {}, lambda: ""))


@pytest.mark.parametrize("authzid", ["", "juliet@example.com"])
def test_the_certificate_says_who_it_is(authzid: str) -> None:
    """XEP-0178, c2s: with or without an authorisation identity the driver finds the account."""
    exchange = external()
    assert exchange.step(authzid.encode()) == CheckCertificate(authzid)
    assert exchange.verified(True, "juliet") == Authenticated("juliet")


@pytest.mark.parametrize(("ok", "username"), [(False, None), (False, "juliet"), (True, None), (True, "")])
def test_a_certificate_for_nobody(ok: bool, username: str | None) -> None:
    """A certificate that stands for no account does not authenticate."""
    exchange = external()
    exchange.step(b"")
    with pytest.raises(SaslFailure) as refusal:
        exchange.verified(ok, username)
    assert refusal.value.condition == "not-authorized"


def test_a_certificate_for_somebody_else() -> None:
    """XEP-0178: the authorisation identity must be the certificate's account, whatever the driver found."""
    exchange = external()
    exchange.step(b"romeo@example.com")
    with pytest.raises(SaslFailure) as refusal:
        exchange.verified(True, "juliet")
    assert refusal.value.condition == "invalid-authzid"


def test_servers_authenticate_as_their_domain() -> None:
    """XEP-0178, s2s: the authorisation identity is the domain, or empty."""
    exchange = external(host="")
    exchange.step(b"Conference.example.org")
    assert exchange.verified(True, "conference.example.org") == Authenticated("conference.example.org")


@pytest.mark.parametrize("message", [b"a\0b", b"\xff", b"a" * 9000])
def test_malformed_messages(message: bytes) -> None:
    """RFC 4422, A.1: UTF-8 without NUL."""
    with pytest.raises(SaslFailure) as refusal:
        external().step(message)
    assert refusal.value.condition == "malformed-request"


def test_nothing_is_read_while_the_certificate_is_checked() -> None:
    """The stream must not feed a second message."""
    exchange = external()
    exchange.step(b"")
    with pytest.raises(Misuse):
        exchange.step(b"")
