"""XEP-0280, Messages Eligible for Carbons Delivery: the recommended rules, one by one."""

import pytest

from xmppd.modules.carbons.eligibility import Lately, Way, eligibility
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza, read

from .reading import element_of

JULIET, ROMEO = Jid("juliet@capulet.example"), Jid("romeo@montague.example")
ROOM = Jid("coven@chat.shakespeare.lit")
OCCUPANT = ROOM.with_resource("thirdwitch")

BODY = "<body>Wherefore</body>"
PRIVATE = "<private xmlns='urn:xmpp:carbons:2'/>"
NO_COPY = "<no-copy xmlns='urn:xmpp:hints'/>"
RECEIPT = "<received xmlns='urn:xmpp:receipts' id='1'/>"
STATE = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"
MARK = "<x xmlns='http://jabber.org/protocol/muc#user'/>"
INVITE = "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='mab@verona.example'/></x>"
DIRECT = "<x xmlns='jabber:x:conference' jid='coven@chat.shakespeare.lit'/>"
OTHER = "<x xmlns='urn:example:x'/>"

EITHER_WAY = [
    ("chat", BODY, True, "chat"),
    ("chat", "", True, "chat"),
    ("chat", OTHER, True, "chat"),
    ("chat", BODY + PRIVATE, False, "private"),
    ("chat", BODY + PRIVATE + NO_COPY, False, "private"),
    ("chat", BODY + NO_COPY, False, "hint"),
    ("normal", BODY, True, "body"),
    ("normal", "<subject>c</subject>", False, "no instant message"),
    ("normal", OTHER, False, "no instant message"),
    ("normal", RECEIPT, True, "instant messaging"),
    ("normal", STATE, True, "instant messaging"),
    ("normal", MARKER, True, "instant messaging"),
    ("normal", MARKER + PRIVATE, False, "private"),
    ("headline", BODY, False, "no instant message"),
    ("headline", RECEIPT, True, "instant messaging"),
    ("groupchat", BODY, False, "groupchat"),
    ("groupchat", RECEIPT, False, "groupchat"),
    ("groupchat", DIRECT, False, "groupchat"),
    ("normal", DIRECT, True, "invitation"),
    ("normal", INVITE, True, "invitation"),
    ("normal", DIRECT + PRIVATE, False, "private"),
    ("error", BODY, False, "error"),
    ("error", BODY + PRIVATE, False, "error"),
]
"""type, content, whether it is copied, why"""

OF_A_ROOM = [
    (Way.RECEIVED, OCCUPANT, JULIET, "chat", BODY + MARK, False, "private message of an occupant"),
    (Way.RECEIVED, OCCUPANT, JULIET, "normal", RECEIPT + MARK, False, "private message of an occupant"),
    (Way.RECEIVED, ROOM, JULIET, "chat", BODY + MARK, True, "chat"),
    (Way.RECEIVED, ROOM, JULIET, "normal", INVITE, True, "invitation"),
    (Way.SENT, JULIET, OCCUPANT, "chat", BODY + MARK, True, "private message to an occupant"),
    (Way.SENT, JULIET, OCCUPANT, "normal", RECEIPT + MARK, True, "private message to an occupant"),
    (Way.SENT, JULIET, ROOM, "normal", MARK, False, "no instant message"),
    (Way.SENT, JULIET, ROOM, "normal", INVITE, True, "invitation"),
    (Way.SENT, JULIET, OCCUPANT, "chat", BODY + MARK + PRIVATE, False, "private"),
]
"""way, from, to, type, content, whether it is copied, why"""


def message(type: str, content: str, from_: Jid = ROMEO, to: Jid = JULIET) -> Stanza:
    """Return a message as it came from a client."""
    return read(element_of(f"<message from='{from_}' to='{to}' type='{type}'>{content}</message>"), from_)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(("type", "content", "copied", "reason"), EITHER_WAY)
def test_rules(way: Way, type: str, content: str, copied: bool, reason: str) -> None:
    """Recommended Rules: between people, sent and received alike."""
    assert eligibility(message(type, content), way) == (copied, reason)


@pytest.mark.parametrize(("way", "from_", "to", "type", "content", "copied", "reason"), OF_A_ROOM)
def test_rules_for_rooms(way: Way, from_: Jid, to: Jid, type: str, content: str, copied: bool, reason: str) -> None:
    """Recommended Rules: what has to do with rooms."""
    assert eligibility(message(type, content, from_, to), way) == (copied, reason)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("content", ["", BODY + PRIVATE, BODY + NO_COPY])
def test_errors_go_where_their_messages_went(way: Way, content: str) -> None:
    """An error is copied if what it answers was; what it echoes does not count (XEP-0334, Business Rules)."""
    assert eligibility(message("error", content), way, answers_copied=True) == (True, "error of a copied message")


class TestLately:
    """What errors are matched with."""

    def test_known(self) -> None:
        """A message is known by account, peer and id; the resource of the peer does not matter."""
        lately = Lately(10)
        lately.note(JULIET, ROMEO.with_resource("orchard"), "1")
        assert lately.knows(JULIET, ROMEO, "1")
        assert not lately.knows(JULIET, ROMEO, "2")
        assert not lately.knows(ROMEO, JULIET, "1")

    def test_without_an_id(self) -> None:
        """What has no id is never known."""
        lately = Lately(10)
        lately.note(JULIET, ROMEO, None)
        assert not lately.knows(JULIET, ROMEO, None)

    def test_bounded(self) -> None:
        """The oldest goes."""
        lately = Lately(2)
        for id in "123":
            lately.note(JULIET, ROMEO, id)
        assert [lately.knows(JULIET, ROMEO, id) for id in "123"] == [False, True, True]
