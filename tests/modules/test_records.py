"""What of a message is kept: XEP-0313, Storage and Retrieval Rules; XEP-0160; XEP-0334."""

from typing import Any

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.server import Store
from xmppd.core.events import InboundMessage, OutboundMessage
from xmppd.core.message_log import ARCHIVE, WAIT
from xmppd.modules.records import LONGEST_OUTLINE, RECORDS, REMEMBERED, Records, kept
from xmppd.protocol.element import E, Element
from xmppd.protocol.jid import Jid
from xmppd.protocol.parser import ParserPool
from xmppd.protocol.stanza import Stanza, read
from xmppd.protocol.tree import Limits

JULIET, ROMEO = Jid("juliet@capulet.example"), Jid("romeo@montague.example")
BALCONY, ORCHARD = Jid(f"{JULIET}/balcony"), Jid(f"{ROMEO}/orchard")
BOTH = ARCHIVE | WAIT
NOTHING = 0

BODY = E("{jabber:client}body", "Wherefore art thou?")
COMPOSING = E("{http://jabber.org/protocol/chatstates}composing")
THREAD = E("{jabber:client}thread", "e0ffe42b28561960c6b12b944a092794b9683a38")
ORIGIN_ID = E("{urn:xmpp:sid:0}origin-id", id="de305d54")
UNKNOWN = E("{urn:example:unknown}payload")
EVENT = E("{http://jabber.org/protocol/pubsub#event}event")
MUC = "http://jabber.org/protocol/muc#user"
INVITATION = E(f"{{{MUC}}}x", E(f"{{{MUC}}}invite", from_="crone1@shakespeare.lit/desktop"))
REFUSAL = E(f"{{{MUC}}}x", E(f"{{{MUC}}}decline", to="hecate@shakespeare.lit"))
PRIVATE_MARK = E(f"{{{MUC}}}x")


def hint(name: str) -> Element:
    return E(f"{{urn:xmpp:hints}}{name}")


CONTENT = {
    "body": BODY,
    "empty body": E("{jabber:client}body"),
    "subject": E("{jabber:client}subject", "Act II"),
    "link": E("{jabber:x:oob}x"),
    "receipt": E("{urn:xmpp:receipts}received", id="richard2-4.1.247"),
    "marker": E("{urn:xmpp:chat-markers:0}displayed", id="message-1"),
    "marker of receipt": E("{urn:xmpp:chat-markers:0}received", id="message-1"),
    "reactions": E("{urn:xmpp:reactions:0}reactions", id="744f6e18"),
    "reply": E("{urn:xmpp:reply:0}reply", id="message-id1"),
    "correction": E("{urn:xmpp:message-correct:0}replace", id="bad1"),
    "retraction": E("{urn:xmpp:message-retract:1}retract", id="wrong-recipient-1"),
    "forwarded": E("{urn:xmpp:forward:0}forwarded"),
    "encryption": E("{urn:xmpp:eme:0}encryption", namespace="urn:xmpp:otr:0"),
    "OMEMO": E("{eu.siacs.conversations.axolotl}encrypted"),
    "OMEMO 2": E("{urn:xmpp:omemo:2}encrypted"),
    "OX": E("{urn:xmpp:openpgp:0}openpgp"),
    "invitation": INVITATION,
    "refusal": REFUSAL,
    "direct invitation": E("{jabber:x:conference}x", jid="darkcave@macbeth.shakespeare.lit"),
}
"""What is worth a row by itself."""

TRIFLES = {
    "nothing": (),
    "chat state": (COMPOSING,),
    "chat state in a thread": (E("{http://jabber.org/protocol/chatstates}active"), THREAD, ORIGIN_ID),
    "request for a receipt": (E("{urn:xmpp:receipts}request"),),
    "request for a marker": (E("{urn:xmpp:chat-markers:0}markable"),),
    "mark of a private message": (COMPOSING, PRIVATE_MARK),
    "hint about copies": (hint("no-copy"),),
    "pubsub event": (EVENT,),
}
"""What is worth nothing later."""


def message(*children: Element, type: str = "chat", to: Jid = JULIET, from_: Jid = ORCHARD) -> Stanza:
    return Stanza.build("message", *children, to=to, from_=from_, type=type)


class TestTable:
    """The rules, one by one."""

    @pytest.mark.parametrize("type", ["chat", "normal"])
    @pytest.mark.parametrize("content", CONTENT.values(), ids=CONTENT)
    def test_content(self, content: Element, type: str) -> None:
        """XEP-0313, User Archives: messages of type normal or chat that carry something to come back to."""
        assert kept(message(content, type=type)).flags == BOTH
        assert kept(message(COMPOSING, content, ORIGIN_ID, type=type)).flags == BOTH

    @pytest.mark.parametrize("type", ["chat", "normal"])
    @pytest.mark.parametrize("children", TRIFLES.values(), ids=TRIFLES)
    def test_trifles(self, children: tuple[Element, ...], type: str) -> None:
        """XEP-0313, Message archives: content rather than state changes is archived; XEP-0160: nor do they wait."""
        assert kept(message(*children, type=type)).flags == NOTHING

    @pytest.mark.parametrize("type", ["error", "groupchat", "headline"])
    def test_types(self, type: str) -> None:
        """XEP-0160, Handling of Message Types: only chat and normal are stored, and no hint changes that."""
        assert kept(message(BODY, type=type)).flags == NOTHING
        assert kept(message(BODY, hint("store"), type=type)).flags == NOTHING

    @pytest.mark.parametrize(
        ("children", "flags"),
        [
            ((BODY, hint("no-store")), NOTHING),
            ((BODY, hint("no-storage")), NOTHING),
            ((BODY, hint("no-store"), hint("store")), NOTHING),
            ((BODY, hint("no-permanent-store")), WAIT),
            ((BODY, hint("no-permanent-store"), hint("store")), WAIT),
            ((BODY, hint("no-permanent-store"), hint("no-store")), NOTHING),
            ((BODY, hint("no-copy")), BOTH),
            ((hint("store"),), BOTH),
            ((COMPOSING, hint("store")), BOTH),
            ((UNKNOWN, hint("store")), BOTH),
            ((UNKNOWN, hint("no-store")), NOTHING),
            ((COMPOSING, hint("no-permanent-store")), NOTHING),
        ],
    )
    @pytest.mark.parametrize("type", ["chat", "normal"])
    def test_hints(self, children: tuple[Element, ...], flags: int, type: str) -> None:
        """XEP-0334, Hints: the one that keeps less wins."""
        assert kept(message(*children, type=type)).flags == flags

    def test_what_nobody_knows(self) -> None:
        """XEP-0160: a chat message that is more than a chat state waits; what is in it is not for the archive."""
        assert kept(message(UNKNOWN)).flags == WAIT
        assert kept(message(UNKNOWN, COMPOSING)).flags == WAIT
        assert kept(message(UNKNOWN, BODY)).flags == BOTH
        assert kept(message(UNKNOWN, type="normal")).flags == NOTHING

    def test_text_between_children(self) -> None:
        """White space says nothing."""
        element = Element("{jabber:client}message", {}, ["\n  ", BODY, "\n"])
        assert kept(Stanza("message", element, JULIET, ORCHARD, "chat")).flags == BOTH

    def test_reasons(self) -> None:
        """Whoever asks why is told."""
        assert kept(message(BODY)).reason == "it has content"
        assert kept(message(hint("store"))).reason == "it is hinted to be stored"
        assert all(record.reason for record in RECORDS)


@pytest.fixture
def romeo(server: Server) -> Client:
    server.account(JULIET)
    return server.connect(ORCHARD)


def outbound(server: Server, *children: Element, to: Jid = JULIET) -> OutboundMessage:
    """Return what comes of a message of Romeo's."""
    session = server.node.sessions.at(ORCHARD)
    assert session is not None
    event = OutboundMessage(session, message(*children, to=to))
    records(server).keep_sent(event)
    return event


def inbound(server: Server, *children: Element, to: Jid = JULIET) -> InboundMessage:
    event = InboundMessage(to.bare, message(*children, to=to))
    records(server).keep_received(event)
    return event


def records(server: Server) -> Records:
    found: Any = server.node.loader.loaded["records"]
    assert isinstance(found, Records)
    return found


class TestHandlers:
    """Both copies of one message."""

    def test_both_copies_are_in_the_archive(self, server: Server, romeo: Client) -> None:
        """XEP-0313, User Archives: messages a user sends or receives; only the recipient's may have to wait."""
        assert outbound(server, BODY).keep == ARCHIVE
        assert inbound(server, BODY).keep == BOTH

    def test_what_is_not_archived_has_no_copy(self, server: Server, romeo: Client) -> None:
        """A sender's copy that would only wait is none."""
        assert outbound(server, BODY, hint("no-permanent-store")).keep == NOTHING
        assert inbound(server, BODY, hint("no-permanent-store")).keep == WAIT

    def test_notes_to_oneself(self, server: Server, romeo: Client) -> None:
        """XEP-0313, User Archives: a stanza is stored once within an archive."""
        assert outbound(server, BODY, to=ROMEO).keep == NOTHING
        assert outbound(server, BODY, to=ORCHARD).keep == NOTHING
        assert inbound(server, BODY, to=ROMEO).keep == BOTH

    def test_others_wishes_stay(self, server: Server, romeo: Client) -> None:
        """Other modules may want more of a message than this one."""
        event = InboundMessage(JULIET, message(COMPOSING), keep=WAIT)
        records(server).keep_received(event)
        assert event.keep == WAIT

    def test_hosts_that_keep_nothing(self) -> None:
        """Neither what their accounts send nor what they receive."""
        server = Server(store=Store.NEVER)
        server.connect(ORCHARD)
        assert outbound(server, BODY).keep == inbound(server, BODY).keep == NOTHING

    def test_anonymous_accounts(self) -> None:
        """XEP-0175: nobody could ever ask for what such an account leaves behind."""
        server = Server(anonymous=True)
        server.connect(ORCHARD)
        assert inbound(server, BODY, to=ROMEO).keep == BOTH
        session = server.node.sessions.at(ORCHARD)
        assert session is not None
        session.is_anonymous = True
        assert outbound(server, BODY).keep == inbound(server, BODY, to=ROMEO).keep == NOTHING


class TestMemory:
    """Nearly all messages look like one that was there before."""

    def read(self, server: Server, inner: str, type: str = "chat") -> int:
        """Return what is kept of a message as it comes from a stream."""
        (element,) = ParserPool(Limits()).take().feed(f"<message type='{type}'>{inner}</message>".encode())
        assert isinstance(element, Element)
        event = InboundMessage(JULIET, read(element, ORCHARD))
        records(server).keep_received(event)
        return event.keep

    def test_same_answer(self, server: Server, romeo: Client) -> None:
        """What is remembered is what would be found: content does not matter, type and names do."""
        for _ in range(2):
            assert self.read(server, "<body>Wherefore</body>") == BOTH
            assert self.read(server, "<body>art thou</body>") == BOTH
            assert self.read(server, "<body/>", "headline") == NOTHING
            assert self.read(server, "<x xmlns='urn:x'><body xmlns='jabber:client'/></x>", "normal") == NOTHING
        assert len(records(server)._known) == 3

    def test_rooms(self, server: Server, romeo: Client) -> None:
        """What a room says is looked into each time."""
        room = "<x xmlns='http://jabber.org/protocol/muc#user'>{}</x>"
        assert self.read(server, room.format("<invite/>"), "normal") == BOTH
        assert self.read(server, room.format(""), "normal") == NOTHING
        assert records(server)._known == {}

    def test_bounds(self, server: Server, romeo: Client) -> None:
        """Neither many kinds of messages nor long names fill the memory."""
        assert self.read(server, f"<body/><{'x' * LONGEST_OUTLINE} xmlns='urn:x'/>") == BOTH
        assert records(server)._known == {}
        for number in range(REMEMBERED + 5):
            assert self.read(server, f"<body/><x{number} xmlns='urn:x'/>") == BOTH
        assert len(records(server)._known) == 5
