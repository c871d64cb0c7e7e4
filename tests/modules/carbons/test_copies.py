"""XEP-0280: what a copy looks like, in bytes and to whoever looks into it."""

import pytest

from tests.scenario.xml import differences, parse
from xmppd.modules.carbons.copies import carbon
from xmppd.modules.carbons.eligibility import Way
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import read
from xmppd.protocol.stanza_id import stanza_id

from .reading import element_of

ROMEO, JULIET = Jid("romeo@montague.example"), Jid("juliet@capulet.example/balcony")
GARDEN, HOME = ROMEO.with_resource("garden"), ROMEO.with_resource("home")
CONTENT = (
    "<body>What man art thou that, thus bescreen'd in night, so stumblest on my counsel?</body>"
    "<thread>0e3141cd80894871a68e6fe6b1ec56fa</thread>"
)


@pytest.mark.parametrize("way", Way)
def test_example(way: Way) -> None:
    """Receiving Messages, example 10: the wrapper is the account's, of the same type; the message is as it was."""
    stanza = read(element_of(f"<message to='{GARDEN}' type='chat' id='1'>{CONTENT}</message>"), JULIET)
    copy = carbon(stanza, way, ROMEO).copy(to=HOME)
    expected = (
        f"<message from='{ROMEO}' to='{HOME}' type='chat'><{way.value} xmlns='urn:xmpp:carbons:2'>"
        f"<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='{JULIET}' to='{GARDEN}'"
        f" type='chat' id='1'>{CONTENT}</message></forwarded></{way.value}></message>"
    )
    assert differences(parse(expected), parse(copy.to_bytes().decode()), {}) == []


def test_same_as_elements() -> None:
    """Who looks into the copy sees what the bytes say, the id of the row among it."""
    stanza = read(element_of(f"<message to='{GARDEN}' type='chat' id='1'>{CONTENT}</message>"), JULIET)
    copy = carbon(stanza.with_added(stanza_id(ROMEO, 7)), Way.RECEIVED, ROMEO)
    again = element_of(copy.copy(to=HOME).to_bytes().decode())
    assert again.children == copy.element.children
    message = copy.element.children[0].children[0].children[0]  # type: ignore[union-attr]
    assert message.child("{urn:xmpp:sid:0}stanza-id") == E("{urn:xmpp:sid:0}stanza-id", by=ROMEO, id="7")


def test_serialised_once() -> None:
    """Copies to several resources share their content."""
    stanza = read(element_of(f"<message to='{GARDEN}' type='chat'>{CONTENT}</message>"), JULIET)
    copy = carbon(stanza, Way.SENT, ROMEO)
    assert copy.copy(to=HOME).content() is copy.copy(to=GARDEN).content()
