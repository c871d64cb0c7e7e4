"""XEP-0424: Message Retraction, in the examples' cast: what archives make of it."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.schema import Duration
from xmppd.core.message_log import Row
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.jid import Jid

from .archive import Answer, ask

ROMEO, LORD, JULIET = "romeo@montague.example", "lord@capulet.example", "juliet@capulet.example"
RETRACTED = "{urn:xmpp:message-retract:1}retracted"
RETRACT = "{urn:xmpp:message-retract:1}retract"


def says(sender: Client, to: str, body: str, id: str) -> None:
    sender.sends(f"<message type='chat' to='{to}' id='{id}'><body>{body}</body></message>")


def retracts(sender: Client, to: str, id: str, own_id: str = "retract-message-1", more: str = "") -> None:
    sender.sends(f"""
        <message type='chat' to='{to}' id='{own_id}'>
          <retract id='{id}' xmlns='urn:xmpp:message-retract:1'/>
          <fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>
          <body>/me retracted a previous message, but it's unsupported by your client.</body>
          <store xmlns='urn:xmpp:hints'/>{more}
        </message>""")


def stones(answer: Answer) -> list[bool]:
    """Return of each message whether it is a tombstone."""
    return [message.find(RETRACTED) is not None for message in answer.messages]


@pytest.fixture
def lord(server: Server) -> Client:
    return server.online(f"{LORD}/chamber")


@pytest.fixture
def romeo(server: Server, lord: Client) -> Client:
    romeo = server.online(f"{ROMEO}/orchard")
    says(romeo, LORD, "Have not saints lips?", "wrong-recipient-1")
    server.advance(67)
    return romeo


def test_tombstones(server: Server, romeo: Client, lord: Client) -> None:
    """Tombstones: in both archives the content is gone; the retraction itself is kept."""
    lord.forgets()
    retracts(romeo, LORD, "wrong-recipient-1")
    assert lord.receives_any().find(RETRACT) is not None
    for client in (romeo, lord):
        found = ask(client)
        assert stones(found) == [True, False]
        tombstone, retraction = found.messages
        assert [child.tag for child in tombstone] == [RETRACTED]
        assert tombstone[0].attrib == {"id": "retract-message-1", "stamp": "2010-05-31T12:01:07Z"}
        assert tombstone.attrib == {
            "type": "chat", "from": f"{ROMEO}/orchard", "to": LORD, "id": "wrong-recipient-1",
        }  # fmt: skip
        assert retraction.get("id") == "retract-message-1"


def test_from_another_resource(server: Server, romeo: Client, lord: Client) -> None:
    """Business Rules: the same bare JID is enough."""
    retracts(server.online(f"{ROMEO}/garden"), LORD, "wrong-recipient-1")
    assert stones(ask(lord)) == stones(ask(romeo)) == [True, False]


def test_somebody_elses_message(server: Server, romeo: Client, lord: Client) -> None:
    """Business Rules: only who sent a message may take it back."""
    juliet = server.online(f"{JULIET}/balcony")
    retracts(juliet, LORD, "wrong-recipient-1")
    assert stones(ask(lord)) == [False, False]
    retracts(lord, ROMEO, "wrong-recipient-1")
    assert stones(ask(lord)) == [False, False, False]
    assert stones(ask(romeo)) == [False, False]


def test_offline(server: Server, romeo: Client, lord: Client) -> None:
    """Business Rules: who was offline learns of it; what was taken back is not delivered any more."""
    lord.disconnects()
    says(romeo, LORD, "Palmers too?", "wrong-recipient-2")
    retracts(romeo, LORD, "wrong-recipient-2")
    lord = server.connect(f"{LORD}/chamber")
    lord.sends("<presence/>")
    server.run()
    assert b"Palmers" not in lord.raw
    assert b"retract-message-1" in lord.raw


def test_the_last_of_that_id(romeo: Client, lord: Client) -> None:
    """Uniqueness of message IDs: of several the last one is meant; who retracts twice takes back two."""
    says(romeo, LORD, "Again", "wrong-recipient-1")
    retracts(romeo, LORD, "wrong-recipient-1")
    assert stones(ask(lord)) == [False, True, False]


def test_what_is_too_old(lord: Client) -> None:
    """An operator says for how long messages can be taken back."""
    server = Server(modules={"mam": {"retractable": Duration("1m")}})
    lord, romeo = server.online(f"{LORD}/chamber"), server.online(f"{ROMEO}/orchard")
    says(romeo, LORD, "Have not saints lips?", "wrong-recipient-1")
    server.advance(61)
    retracts(romeo, LORD, "wrong-recipient-1")
    assert stones(ask(lord)) == [False, False]


def test_through_a_room(romeo: Client, lord: Client) -> None:
    """Business Rules: in a room all occupants have one bare JID, and nobody here knows who is who."""
    retracts(romeo, LORD, "wrong-recipient-1", more="<x xmlns='http://jabber.org/protocol/muc#user'/>")
    assert stones(ask(lord)) == [False, False]


def test_delivery_does_not_wait(server: Server, romeo: Client, lord: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that cannot be searched now costs the tombstone, and nothing else."""

    async def down(owner: Jid, peer: Jid, origin_id: str, since: int = 0) -> list[Row]:
        raise StorageUnavailable("down")

    monkeypatch.setattr(server.node.log, "find", down)
    lord.forgets()
    retracts(romeo, LORD, "wrong-recipient-1")
    assert lord.receives_any().find(RETRACT) is not None
    assert stones(ask(lord)) == [False, False]
    romeo.receives_nothing()
