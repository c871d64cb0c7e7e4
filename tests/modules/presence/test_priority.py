"""RFC 6121, 4.7.2.3: the priority of presence."""

import pytest

from xmppd.modules.presence.priority import read_priority
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

JULIET = Jid.parse("juliet@capulet.example/balcony")


def presence(*children: Element) -> Stanza:
    return Stanza.build("presence", *children, to=None, from_=JULIET)


def stating(text: str) -> Stanza:
    return presence(E("{jabber:client}priority", text))


def test_none() -> None:
    """Without a priority it is 0."""
    assert read_priority(presence()) == 0
    assert read_priority(presence(E("{urn:example}priority", "5"))) == 0


@pytest.mark.parametrize(
    ("text", "priority"), [("0", 0), ("5", 5), ("+5", 5), ("-128", -128), ("127", 127), (" 1\n", 1)]
)
def test_integers(text: str, priority: int) -> None:
    """It is an integer from -128 to 127."""
    assert read_priority(stating(text)) == priority


@pytest.mark.parametrize("text", ["", "-129", "128", "high", "1.0", "1 2", "\u0661", "1_0", "--1", "9" * 5000])
def test_malformed(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(BadRequest):
        read_priority(stating(text))
