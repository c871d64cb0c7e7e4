"""XEP-0352: Client State Indication: Juliet puts her phone away."""

from typing import Any

import pytest

from tests.core.stream_management.clients import SM, resumable, resumes
from tests.modules.roster.cast import befriend, interested
from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.server import Store
from xmppd.core.events import BindInline, InlineFeatures
from xmppd.core.session import Session, Wire
from xmppd.modules.client_state.api import ClientStates
from xmppd.protocol.element import E, Element
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

WIRE: Any = None
JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"
PHONE = f"{JULIET}/phone"
ACTIVE, INACTIVE = "<active xmlns='urn:xmpp:csi:0'/>", "<inactive xmlns='urn:xmpp:csi:0'/>"
STATE = f"<message to='{PHONE}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
RECEIPT = f"<message to='{PHONE}' type='chat'><received xmlns='urn:xmpp:receipts' id='1'/></message>"


@pytest.fixture
def server() -> Server:
    """A server that keeps no messages."""
    return Server(store=Store.NEVER)


@pytest.fixture
def romeo(server: Server) -> Client:
    befriend(server, ROMEO, JULIET)
    return server.online(f"{ROMEO}/orchard")


@pytest.fixture
def juliet(server: Server, romeo: Client) -> Client:
    """Juliet's phone, which is inactive."""
    juliet = interested(server, PHONE)
    juliet.sends(INACTIVE)
    juliet.receives_nothing()
    romeo.forgets()
    return juliet


def show(value: str) -> str:
    return f"<presence><show>{value}</show></presence>"


def shown(value: str) -> str:
    return f"<presence from='{ROMEO}/orchard' to='{JULIET}'><show>{value}</show></presence>"


def test_discovery(server: Server) -> None:
    """Discovering support: a stream feature, once the client is authenticated."""
    server.account(JULIET)
    juliet = server.connection()
    features = juliet.opens("capulet.example")
    assert features.find("{urn:xmpp:csi:0}csi") is None
    juliet.authenticates("juliet", "pencil")
    assert juliet.opens("capulet.example").find("{urn:xmpp:csi:0}csi") is not None


def test_stream_begins_active(server: Server, romeo: Client) -> None:
    """Indicating state: who says nothing is active; who says it twice is not more so."""
    juliet = interested(server, PHONE)
    for said in ("", ACTIVE, ACTIVE):
        if said:
            juliet.sends(said)
        romeo.sends(show("away"))
        juliet.receives(shown("away"))


def test_presence_is_held_back(romeo: Client, juliet: Client) -> None:
    """Server behaviour: on becoming active the latest presence of each contact comes."""
    for value in ("away", "xa", "dnd"):
        romeo.sends(show(value))
    juliet.receives_nothing()
    juliet.sends(ACTIVE)
    juliet.receives(shown("dnd"))
    juliet.receives_nothing()
    romeo.sends(show("chat"))
    juliet.receives(shown("chat"))


def test_message_brings_along_what_came_before(romeo: Client, juliet: Client) -> None:
    """RFC 6120, 10.1: order is kept; what comes behind it is held back again."""
    romeo.sends(show("away"))
    romeo.sends(RECEIPT)
    romeo.sends(f"<message to='{PHONE}' type='chat'><body>Ay me!</body></message>")
    romeo.sends(show("dnd"))
    juliet.receives(shown("away"))
    assert juliet.receives_any()[0].tag == "{urn:xmpp:receipts}received"
    assert juliet.receives_any()[0].tag == "{jabber:client}body"
    juliet.receives_nothing()


def test_in_order_processing(romeo: Client, juliet: Client) -> None:
    """In-order processing: the ping behind <active/> is answered behind what was held back."""
    romeo.sends(show("away"))
    juliet.sends(f"{ACTIVE}<iq to='capulet.example' id='ping1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.receives(shown("away"))
    juliet.receives(f"<iq id='ping1' type='result' from='capulet.example' to='{PHONE}'/>")


def test_inactive_twice(romeo: Client, juliet: Client) -> None:
    """Who says so again loses nothing."""
    romeo.sends(show("away"))
    juliet.sends(INACTIVE)
    juliet.receives_nothing()
    juliet.sends(ACTIVE)
    juliet.receives(shown("away"))


def test_nobody_else_learns(romeo: Client, juliet: Client) -> None:
    """Security Considerations: the state is not revealed to other entities."""
    juliet.sends(ACTIVE)
    juliet.sends(INACTIVE)
    romeo.receives_nothing()


def test_before_login(server: Server) -> None:
    """Indicating state: only a client with a session has one."""
    server.account(JULIET)
    juliet = server.connection()
    juliet.opens("capulet.example")
    juliet.sends(INACTIVE)
    assert juliet.receives_any().tag.endswith("error")


def test_bounds(server: Server) -> None:
    """What an operator allows to be held back."""
    server = Server(store=Store.NEVER, modules={"client_state": {"stanzas": 1}})
    romeo, juliet = server.online(f"{ROMEO}/orchard"), server.online(PHONE)
    juliet.sends(INACTIVE)
    romeo.sends(RECEIPT)
    juliet.receives_nothing()
    romeo.sends(RECEIPT)
    assert len([juliet.receives_any() for _ in range(2)]) == 2


def test_resumption(server: Server, romeo: Client, juliet: Client) -> None:
    """Interaction with Stream Resumption: whoever resumes a stream makes it active, and nothing is lost."""
    romeo.sends(show("away"))
    session = server.node.sessions.at(Jid(PHONE))
    states = server.node.loader.offered(ClientStates)  # type: ignore[type-abstract]
    assert session is not None
    assert states is not None
    states.active(session)
    juliet.receives(shown("away"))
    states.active(session)
    juliet.receives_nothing()


def test_stream_resumption(server: Server, romeo: Client, juliet: Client) -> None:
    """Interaction with Stream Resumption: what was held back comes with it, and is not left until something matters."""
    juliet.sends(ACTIVE)
    id = resumable(juliet)
    juliet.sends(INACTIVE)
    romeo.sends(show("away"))
    romeo.sends(RECEIPT)
    juliet.receives_nothing()
    juliet.loses_connection()
    again = resumes(server, id, 0, PHONE)
    assert again.receives_any().tag == f"{SM}resumed"
    again.receives(shown("away"))
    assert again.receives_any().find("{urn:xmpp:receipts}received") is not None
    again.forgets()
    romeo.sends(show("xa"))
    again.receives(shown("xa"))


def test_inactive_on_another_stream(server: Server, romeo: Client, juliet: Client) -> None:
    """Interaction with Stream Resumption: who says it again there gets what waits, and is inactive again."""
    romeo.sends(show("away"))
    session = server.node.sessions.at(Jid(PHONE))
    assert session is not None
    before = session.valve
    session.wire = Rewired(session.wire)  # type: ignore[assignment]
    juliet.sends(INACTIVE)
    juliet.receives(shown("away"))
    assert session.valve is not None
    assert session.valve is not before


class Rewired:
    """Another wire to the same client."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)


def bound(server: Server, *children: Element) -> Session:
    """Return a session that is bound with some features."""
    session = Session(Jid(PHONE), WIRE)
    server.wait(server.node.hooks.collect(BindInline(session, E("{urn:xmpp:bind:0}bind", *children))))
    return session


def test_with_the_login(server: Server) -> None:
    """XEP-0386: a client may say so when it binds."""
    event = InlineFeatures(server.node.hosts.all()[0], True, ())
    server.wait(server.node.hooks.collect(event))
    assert "urn:xmpp:csi:0" in event.bind
    assert bound(server, E("{urn:xmpp:csi:0}inactive")).valve is not None
    for children in ((), (E("{urn:xmpp:csi:0}active"),)):
        assert bound(server, *children).valve is None


def test_unloading(server: Server, romeo: Client, juliet: Client) -> None:
    """When nobody knows <active/> any more nothing is held back."""
    romeo.sends(show("away"))
    server.wait(server.node.loader.unload("client_state"))
    juliet.receives(shown("away"))
    romeo.sends(show("dnd"))
    juliet.receives(shown("dnd"))


def test_session_that_ends(server: Server, romeo: Client, juliet: Client) -> None:
    """What was held back is gone; what has a row goes to the account's other sessions, or waits."""
    session = server.node.sessions.at(Jid(PHONE))
    assert session is not None
    again: list[tuple[str, list[int]]] = []
    server.node.router.inboxes.deliver_again = lambda account, ids: again.append((account, list(ids)))  # type: ignore[method-assign]
    receipt = Stanza.build(
        "message", E("{urn:xmpp:receipts}received", id="1"), to=Jid(PHONE), from_=Jid(ROMEO), type="chat"
    )
    server.wait(server.node.router.deliver(session, receipt, 7))
    juliet.disconnects()
    assert again == [(JULIET, [7])]
    assert session.valve is None


def test_row_that_was_not_written() -> None:
    """With the log: what the phone did not get another device has."""
    server = Server()
    romeo, juliet, laptop = server.online(f"{ROMEO}/orchard"), server.online(PHONE), server.online(f"{JULIET}/laptop")
    juliet.sends(INACTIVE)
    laptop.forgets()
    inner = "<received xmlns='urn:xmpp:receipts' id='1'/><store xmlns='urn:xmpp:hints'/>"
    romeo.sends(f"<message to='{PHONE}' type='chat' id='m1'>{inner}</message>")
    laptop.receives_nothing()
    juliet.loses_connection()
    late = [stanza for stanza in laptop.inbox if stanza.get("id") == "m1"]
    assert [stanza.find("{urn:xmpp:delay}delay") is not None for stanza in late] == [True]
    server.advance(2)
    assert server.wait(server.log.count_waiting(Jid(JULIET))) == 0
