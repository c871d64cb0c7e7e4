"""Which mechanisms are offered: RFC 6120, 6.3.3 and 13.8."""

import pytest

from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.sasl.anonymous import Anonymous
from xmppd.protocol.sasl.choice import MECHANISMS, offered, start
from xmppd.protocol.sasl.exchange import Context
from xmppd.protocol.sasl.external import External
from xmppd.protocol.sasl.plain import Plain
from xmppd.protocol.sasl.scram import Scram

BINDINGS = {"tls-exporter": b"e" * 32}
PLUS = ["SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]
SCRAM = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]


def test_the_strongest_comes_first() -> None:
    """RFC 6120, 6.3.3: the order is the server's preference."""
    everything = offered(tls=True, channel_bindings=BINDINGS, client_certificate=True, anonymous=True)
    assert everything == ["EXTERNAL", *PLUS, *SCRAM, "PLAIN", "ANONYMOUS"]


def test_without_tls_there_is_nothing_to_offer() -> None:
    """RFC 6120, 13.8.3: no password in the clear, and no certificate or binding either."""
    assert offered(tls=False, channel_bindings=BINDINGS, client_certificate=True, anonymous=False) == []


def test_a_configuration_may_allow_the_clear() -> None:
    """Behind a proxy that ends TLS, or in a test."""
    in_the_clear = {"tls": False, "channel_bindings": {}, "client_certificate": False, "anonymous": False}
    assert offered(**in_the_clear, scram_without_tls=True) == SCRAM  # type: ignore[arg-type]
    assert offered(**in_the_clear, plain_without_tls=True) == ["PLAIN"]  # type: ignore[arg-type]


def test_what_the_connection_lacks_is_not_offered() -> None:
    """RFC 6120, 6.4.1: no -PLUS without binding, no EXTERNAL without certificate."""
    assert offered(tls=True, channel_bindings={}, client_certificate=False, anonymous=False) == [*SCRAM, "PLAIN"]


def test_a_list_of_allowed_mechanisms() -> None:
    """A host may serve anonymous clients alone."""
    only = offered(
        tls=True, channel_bindings=BINDINGS, client_certificate=False, anonymous=True, allowed=("ANONYMOUS", "EXTERNAL")
    )
    assert only == ["ANONYMOUS"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PLAIN", Plain),
        ("EXTERNAL", External),
        ("ANONYMOUS", Anonymous),
        ("SCRAM-SHA-1", Scram),
        ("SCRAM-SHA-512-PLUS", Scram),
    ],
)
def test_the_chosen_mechanism_starts(name: str, kind: type) -> None:
    """Each choice has an exchange of its own."""
    context = Context("example.com", list(MECHANISMS), BINDINGS, lambda: "")
    assert isinstance(start(name, context), kind)
    assert start(name, context) is not start(name, context)


@pytest.mark.parametrize(
    ("name", "tls", "condition"),
    [
        ("PLAIN", True, "invalid-mechanism"),
        ("PLAIN", False, "encryption-required"),
        ("SCRAM-SHA-1", False, "encryption-required"),
        ("ANONYMOUS", False, "invalid-mechanism"),
        ("DIGEST-MD5", False, "invalid-mechanism"),
        ("plain", True, "invalid-mechanism"),
        ("", True, "invalid-mechanism"),
    ],
)
def test_what_was_not_offered_does_not_start(name: str, tls: bool, condition: str) -> None:
    """RFC 6120, 6.5.4 and 6.5.7."""
    with pytest.raises(SaslFailure) as refusal:
        start(name, Context("example.com", [], {}, lambda: "", tls=tls))
    assert refusal.value.condition == condition


def test_an_unknown_name_does_not_start_though_offered() -> None:
    """Another part of the server may offer what is not known here."""
    with pytest.raises(SaslFailure) as refusal:
        start("HT-SHA-256-ENDP", Context("example.com", ["HT-SHA-256-ENDP"], {}, lambda: ""))
    assert refusal.value.condition == "invalid-mechanism"
