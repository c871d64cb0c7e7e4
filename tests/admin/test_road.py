"""A stanza's road, walked without arriving."""

from typing import Any

import pytest

from xmppd.admin.road import Nowhere, Walk
from xmppd.core.events import Delivering, InboundMessage, OutboundMessage, ServiceMessage, StanzaReceived
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.protocol.element import E
from xmppd.protocol.errors import Misuse, NotAcceptable
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .office import Office

ROMEO = Jid("romeo@montague.example/orchard")
JULIET = Jid("juliet@capulet.example/balcony")
STRANGER = Jid("mercutio@verona.example/street")


class Handlers:
    """One handler for each phase; `behaviour` says what that of GUARD does."""

    def __init__(self, behaviour: str = "") -> None:
        self.behaviour = behaviour
        self.ran: list[str] = []

    @on(StanzaReceived, Phase.GUARD)
    async def look(self, event: StanzaReceived) -> Verdict | None:
        self.ran.append("look")
        return None

    @on(OutboundMessage, Phase.GUARD)
    async def guard(self, event: OutboundMessage) -> Verdict | None:
        self.ran.append("guard")
        if self.behaviour == "refuse":
            raise NotAcceptable("You have blocked this address.")
        if self.behaviour == "crash":
            raise ZeroDivisionError
        if self.behaviour == "write":
            event.sender.wire.write_stanza(b"")
        return Verdict.DROP if self.behaviour == "drop" else None

    @on(OutboundMessage, Phase.SHAPE)
    async def shape(self, event: OutboundMessage) -> Verdict | None:
        self.ran.append("shape")
        event.stanza = event.stanza.with_added(E("{urn:example}mark"))
        return None

    @on(OutboundMessage, Phase.RECORD)
    async def record(self, event: OutboundMessage) -> Verdict | None:
        self.ran.append("record")
        return None

    @on(InboundMessage, Phase.COPY)
    async def copy(self, event: InboundMessage) -> Verdict | None:
        self.ran.append("copy")
        return None

    @on(Delivering, Phase.GUARD)
    async def hold(self, event: Delivering) -> Verdict | None:
        self.ran.append("hold")
        return None

    @on(ServiceMessage, Phase.GUARD)
    async def serve(self, event: ServiceMessage) -> Verdict | None:
        self.ran.append("serve")
        return None


def steps(office: Office, handlers: Handlers, stanza: Stanza, owner: str = "tests") -> list[tuple[str, str, str, str]]:
    """Walk; return the steps of our handlers and of the router."""
    node = office.server.node
    node.hooks.bind(owner, handlers)
    for account in (ROMEO, JULIET):
        office.server.account(account)
    walk = Walk(node.hooks, node.iqs, node.hosts, node.sessions, node.accounts)
    local = stanza.from_.domainpart in node.hosts
    office.server.wait(walk.from_client(stanza) if local else walk.from_elsewhere(stanza))
    return [
        (step.event, step.phase, step.who.removeprefix(f"{owner}."), step.outcome)
        for step in walk.steps
        if step.who.startswith((f"{owner}.", "router", "ping"))
    ]


def message(to: Jid | None, from_: Jid = ROMEO) -> Stanza:
    return Stanza.build("message", E("{jabber:client}body", "Adieu."), to=to, from_=from_, type="chat")


def test_whole_road(office: Office) -> None:
    """Handlers that decide are run, the others are named; nothing is delivered."""
    juliet = office.server.online(str(JULIET))
    handlers = Handlers()
    assert steps(office, handlers, message(JULIET)) == [
        ("StanzaReceived", "GUARD", "look", "lets it pass"),
        ("OutboundMessage", "GUARD", "guard", "lets it pass"),
        ("OutboundMessage", "SHAPE", "shape", "changes the stanza"),
        ("OutboundMessage", "RECORD", "record", "would be run"),
        ("InboundMessage", "COPY", "copy", "would be run"),
        ("Delivering", "GUARD", "hold", "lets it pass"),
    ]
    assert handlers.ran == ["look", "guard", "shape", "hold"]
    juliet.receives_nothing()


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        ("refuse", "refuses: not-acceptable: You have blocked this address."),
        ("drop", "settles it: drop"),
        ("crash", "fails with ZeroDivisionError: the sender is answered internal-server-error"),
        ("write", "fails with Misuse: the sender is answered internal-server-error"),
    ],
)
def test_road_ends_where_it_is_decided(office: Office, behaviour: str, outcome: str) -> None:
    """A refusal, a verdict and a fault of ours end the road, and say why."""
    found = steps(office, Handlers(behaviour), message(JULIET))
    assert found[-1] == ("OutboundMessage", "GUARD", "guard", outcome)


def test_no_addressee(office: Office) -> None:
    """A message without an addressee goes to its sender's own account (RFC 6120, 10.3.1)."""
    assert ("InboundMessage", "COPY", "copy", "would be run") in steps(office, Handlers(), message(None))


def test_absent_session(office: Office) -> None:
    """A full address that is not connected is said to be so."""
    found = steps(office, Handlers(), message(JULIET))
    assert found[-1] == ("", "", "router", f"{JULIET} is not connected here")


def test_host_and_elsewhere(office: Office) -> None:
    """A host, another domain and a remote sender have their roads."""
    assert ("ServiceMessage", "GUARD", "serve", "lets it pass") in steps(
        office, Handlers(), message(Jid("capulet.example")), "a"
    )
    assert steps(office, Handlers(), message(STRANGER), "b")[-1][3].startswith("goes to verona.example")
    found = steps(office, Handlers(), message(JULIET, STRANGER), "c")
    assert found[0][3] == "comes from verona.example, which is not served here"
    assert found[1][:3] == ("InboundMessage", "COPY", "copy")


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("message", "refuses: service-unavailable: there is no account nurse@capulet.example"),
        ("presence", "is dropped: there is no account nurse@capulet.example"),
    ],
)
def test_no_such_account(office: Office, kind: str, outcome: str) -> None:
    """An account that does not exist is where the road ends, as the router has it."""
    stanza = Stanza.build(kind, to=Jid("nurse@capulet.example"), from_=STRANGER)
    assert steps(office, Handlers(), stanza)[-1] == ("", "", "router", outcome)


def iq(to: Jid | None, payload: str = "{urn:xmpp:ping}ping", type: str = "get", from_: Jid = ROMEO) -> Stanza:
    return Stanza.build("iq", E(payload), to=to, from_=from_, type=type, id="1")


def test_requests_have_one_answerer(office: Office) -> None:
    """A request to a host or an account shows who would answer it, or why nobody does."""
    for owner, stanza in {
        "a": iq(Jid("montague.example")),
        "b": iq(None),
        "c": iq(Jid("montague.example"), from_=STRANGER),
    }.items():
        assert steps(office, Handlers(), stanza, owner)[-1] == ("", "", "ping.pong", "would answer")
    assert steps(office, Handlers(), iq(None, "{urn:example}x"), "d")[-1][3] == "refuses: service-unavailable"
    assert "answer to a request" in steps(office, Handlers(), iq(JULIET.bare, type="result"), "e")[-1][3]


def test_presence_broadcast(office: Office) -> None:
    """Presence without an addressee ends at the sender's account."""
    found = steps(office, Handlers(), Stanza.build("presence", to=None, from_=ROMEO))
    assert found[-1] == ("", "", "router", "has no addressee: the handlers above send it on")


def test_stand_in(office: Office) -> None:
    """Handlers see a session that knows what the real one knows, and is not the real one."""
    office.server.online(str(ROMEO))
    node = office.server.node
    real = node.sessions.at(ROMEO)
    walk = Walk(node.hooks, node.iqs, node.hosts, node.sessions, node.accounts)
    double = walk.stand_in(ROMEO)
    assert real is not None
    assert double is not real
    assert double.is_available == real.is_available
    assert double.wire is not real.wire
    assert walk.stand_in(JULIET).jid == JULIET


@pytest.mark.parametrize("harm", [lambda wire: wire.write_stanza(b"x"), lambda wire: wire.close()])
def test_nowhere(harm: Any) -> None:
    """Nothing can be written to, or closed, while a stanza is explained."""
    with pytest.raises(Misuse):
        harm(Nowhere())
