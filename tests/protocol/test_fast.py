"""XEP-0484: Fast Authentication Streamlining Tokens: the elements."""

import pytest

from xmppd.protocol.element import E
from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.fast import FAST, Use, feature, read_use, token
from xmppd.protocol.writer import serialise


@pytest.mark.parametrize(
    ("attributes", "use"),
    [
        ({}, Use()),
        ({"count": "123"}, Use(123)),
        ({"count": "2147483647"}, Use(2**31 - 1)),
        ({"invalidate": "true"}, Use(None, True)),
        ({"invalidate": "1", "count": "7"}, Use(7, True)),
        ({"invalidate": "false"}, Use()),
        ({"invalidate": "0"}, Use()),
    ],
)
def test_how_a_token_is_used(attributes: dict[str, str], use: Use) -> None:
    """Client authenticates using FAST, Client requests token invalidation: both attributes are optional."""
    assert read_use(E(FAST, attributes)) == use


@pytest.mark.parametrize(
    "attributes",
    [
        {"count": "-1"},
        {"count": ""},
        {"count": "1.0"},
        {"count": "\u0661"},
        {"count": "2147483648"},
        {"count": "9" * 5000},
        {"invalidate": "yes"},
        {"invalidate": ""},
    ],
)
def test_attributes_are_read_strictly(attributes: dict[str, str]) -> None:
    """XML Schema: xs:int and xs:boolean, and a count is no negative number."""
    with pytest.raises(SaslFailure) as refusal:
        read_use(E(FAST, attributes))
    assert refusal.value.condition == "malformed-request"


def test_the_feature() -> None:
    """Server advertises support for FAST; without tls-0rtt nobody sends early data."""
    assert serialise(feature(["HT-SHA-256-ENDP", "HT-SHA-256-NONE"])) == (
        b"<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-ENDP</mechanism>"
        b"<mechanism>HT-SHA-256-NONE</mechanism></fast>"
    )


def test_a_token() -> None:
    """Server provides token to client: the expiry is a DateTime of XEP-0082."""
    given = token("WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm", 1_584_023_775.0)
    assert given.attributes == {"token": "WXZzciBwYmFmdmZnZiBqdmd1IGp2eXFhcmZm", "expiry": "2020-03-12T14:36:15Z"}
    assert given.name == "{urn:xmpp:fast:0}token"
