"""Delayed Delivery: XEP-0203."""

import pytest

from xmppd.protocol.delay import Delay, forged_delays
from xmppd.protocol.element import E, Element
from xmppd.protocol.jid import Jid

NAME = "{urn:xmpp:delay}delay"
BODY = E("{jabber:client}body", "O blessed, blessed night!")


def message(*children: Element) -> Element:
    return E("{jabber:client}message", BODY, *children)


def test_a_message_sent_while_offline() -> None:
    """Examples: Receiving a Message Sent While Offline."""
    delay = Delay(1_031_699_305, Jid("capulet.com"), "Offline Storage")
    assert delay.element() == E(NAME, "Offline Storage", from_="capulet.com", stamp="2002-09-10T23:08:25Z")
    assert Delay.parse(delay.element()) == delay


def test_only_the_stamp_is_required() -> None:
    """Protocol Definition: from is recommended, the reason optional."""
    assert Delay(0).element() == E(NAME, stamp="1970-01-01T00:00:00Z")
    assert Delay.parse(E(NAME, "\n  late\n", stamp="1970-01-01T01:00:00+01:00")) == Delay(0, None, "late")


@pytest.mark.parametrize(
    "element",
    [
        E(NAME),
        E(NAME, stamp="20020910T23:08:25"),
        E(NAME, stamp="2002-09-10T23:08:25Z", from_="@"),
        E("{jabber:x:delay}x"),
    ],
)
def test_malformed_delays(element: Element) -> None:
    """Protocol Definition: the stamp adheres to XEP-0082, from is an address."""
    with pytest.raises(ValueError):
        Delay.parse(element)


def test_forged_delays() -> None:
    """Security Considerations: nobody else speaks in our domain's name."""
    ours = Delay(5, Jid("capulet.com")).element()
    accounts = Delay(5, Jid("juliet@capulet.com/balcony")).element()
    theirs = Delay(5, Jid("montague.net")).element()
    unsigned = Delay(5).element()
    broken = E(NAME, from_="@", stamp="x")
    unstamped = E(NAME, from_="CAPULET.com.")
    stanza = message(ours, theirs, accounts, unsigned, broken, unstamped)
    forged = forged_delays(stanza, {"capulet.com"})
    assert [id(one) for one in forged] == [id(ours), id(accounts), id(unstamped)]
    assert stanza.without(*forged) == message(theirs, unsigned, broken)
