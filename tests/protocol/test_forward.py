"""Stanza Forwarding: XEP-0297."""

from xml.etree import ElementTree as ET

import pytest

from xmppd.protocol.errors import Misuse
from xmppd.protocol.forward import forwarded

MESSAGE = (
    b"<message from='juliet@capulet.lit/orchard' to='romeo@montague.lit' type='chat' id='0202197'>"
    b"<body>Yet I should kill thee with much cherishing.</body>"
    b"<mood xmlns='http://jabber.org/protocol/mood'><amorous/></mood></message>"
)


def test_forwarding_a_message() -> None:
    """Business rules: the stanza keeps its namespace, and a delay says when it was received."""
    found = ET.fromstring(forwarded(MESSAGE, b"2010-07-10T23:08:25Z"))
    assert found.tag == "{urn:xmpp:forward:0}forwarded"
    delay, message = found
    assert (delay.tag, delay.attrib) == ("{urn:xmpp:delay}delay", {"stamp": "2010-07-10T23:08:25Z"})
    assert message.tag == "{jabber:client}message"
    assert message.attrib == {
        "from": "juliet@capulet.lit/orchard", "to": "romeo@montague.lit", "type": "chat", "id": "0202197",
    }  # fmt: skip
    assert [child.tag for child in message] == ["{jabber:client}body", "{http://jabber.org/protocol/mood}mood"]


def test_the_content_is_copied() -> None:
    """Business rules: what was signed or encrypted stays what it was, to the byte."""
    inner = MESSAGE.partition(b">")[2]
    assert forwarded(MESSAGE).endswith(b">" + inner + b"</forwarded>")


def test_without_delay() -> None:
    """Business rules: that the time is told is recommended, not required."""
    assert [child.tag for child in ET.fromstring(forwarded(MESSAGE))] == ["{jabber:client}message"]


def test_empty_stanza() -> None:
    """A stanza without content has one tag only."""
    (message,) = ET.fromstring(forwarded(b"<message from='juliet@capulet.lit'/>"))
    assert message.attrib == {"from": "juliet@capulet.lit"}
    assert len(message) == 0


def test_a_stanza_says_from_whom_it_is() -> None:
    """One that does not was not written by us, and where its name ends is not known."""
    with pytest.raises(Misuse):
        forwarded(b"<message><body>a b</body></message>")
