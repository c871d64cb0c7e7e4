"""RFC 6121, 8.5: every type of message to every kind of address, with every kind of resource there."""

from typing import Any

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.server import Store
from xmppd.core.events import Delivering, Distributing, Undelivered
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.core.router import Router
from xmppd.core.session import Session
from xmppd.modules.messages import Messages
from xmppd.protocol.element import E
from xmppd.protocol.errors import InternalServerError
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import MESSAGE_TYPES, Stanza

from .section import cells

JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"

ADDRESSES = {"bare": JULIET, "connected": f"{JULIET}/named", "missing": f"{JULIET}/elsewhere"}
PRIORITIES = {"nobody": (), "negative": (-1, -128), "reachable": (0, 5, -1)}


def unkept() -> Server:
    """Return a server that keeps no messages: only what happens at once is looked at here."""
    return Server(store=Store.NEVER)


@pytest.fixture
def server() -> Server:
    return unkept()


class Keeper:
    """Takes what nobody took."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.kept: list[Stanza] = []
        self.rows: list[int] = []

    @on(Undelivered, Phase.RECORD)
    async def keep(self, event: Undelivered) -> Verdict:
        self.kept.append(event.stanza)
        self.rows.append(event.row)
        return self.verdict


class Scene:
    """Romeo writes to Juliet, who has some resources.

    :ivar named: a resource that is connected and not available.
    :ivar available: (priority, client) of the others.
    """

    def __init__(self, server: Server, resources: str) -> None:
        self.server = server
        self.romeo = server.connect(f"{ROMEO}/orchard")
        self.named = server.connect(f"{JULIET}/named")
        self.available: list[tuple[int, Client]] = []
        for priority in PRIORITIES[resources]:
            presence = f"<presence><priority>{priority}</priority></presence>"
            self.available.append((priority, server.online(f"{JULIET}/p{priority}", presence)))
        for _, client in self.available:
            client.forgets()

    def write(self, address: str, type: str) -> None:
        inner = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
        self.romeo.sends(
            f"<message id='m1' to='{ADDRESSES[address]}' type='{type}'>"
            f"<body>Wherefore</body>{inner if type == 'error' else ''}</message>"
        )

    def receivers(self) -> set[str]:
        """Return who received something, and check that it is the message."""
        found = set()
        clients = {"named": self.named, **{f"p{priority}": client for priority, client in self.available}}
        for name, client in clients.items():
            if client.inbox:
                stanza = client.receives_any()
                assert (stanza.get("from"), stanza.get("id")) == (f"{ROMEO}/orchard", "m1")
                client.receives_nothing()
                found.add(name)
        return found


@pytest.mark.parametrize(("address", "resources", "type", "fate"), cells())
def test_delivery(address: str, resources: str, type: str, fate: str) -> None:
    """8.5: what happens is what the table says; while nobody keeps messages, what waits is bounced."""
    scene = Scene(unkept(), resources)
    scene.write(address, type)
    expected = {"D": {"named"}, "A": {"p0", "p5"}}.get(fate, set())
    assert scene.receivers() == expected
    if fate in "LE":
        scene.romeo.receives_error("service-unavailable", type="cancel", id="m1")
    scene.romeo.receives_nothing()


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize(("address", "resources", "type", "fate"), [cell for cell in cells() if cell[3] == "L"])
def test_somebody_keeps_what_waits(address: str, resources: str, type: str, fate: str, verdict: Verdict) -> None:
    """8.5.2.2.1: what somebody keeps is not bounced."""
    scene, keeper = Scene(unkept(), resources), Keeper(verdict)
    scene.server.node.hooks.bind("keeper", keeper)
    scene.write(address, type)
    assert [stanza.id for stanza in keeper.kept] == ["m1"]
    scene.romeo.receives_nothing()


@pytest.mark.parametrize(("address", "resources", "type", "fate"), [cell for cell in cells() if cell[3] != "L"])
def test_nothing_else_is_kept(address: str, resources: str, type: str, fate: str) -> None:
    """8.5: only chat and normal messages wait for anybody."""
    scene, keeper = Scene(unkept(), resources), Keeper(Verdict.HANDLED)
    scene.server.node.hooks.bind("keeper", keeper)
    scene.write(address, type)
    assert keeper.kept == []


@pytest.mark.parametrize("type", sorted(MESSAGE_TYPES))
@pytest.mark.parametrize("resource", ["", "/resource"])
def test_no_such_account(server: Server, type: str, resource: str) -> None:
    """8.5.1: what goes to nobody fares as it does with somebody who is not there: it comes back, or it vanishes."""
    server.account(JULIET)
    romeo = server.connect(f"{ROMEO}/orchard")
    inner = "<error type='cancel'/>" if type == "error" else "<body>Wherefore</body>"
    for localpart in ("nobody", "juliet"):
        romeo.sends(f"<message id='m1' to='{localpart}@capulet.example{resource}' type='{type}'>{inner}</message>")
        if type not in ("error", "headline"):
            romeo.receives_error("service-unavailable", id="m1")
        romeo.receives_nothing()


def test_message_to_oneself(server: Server) -> None:
    """RFC 6120, 10.3.1: a message without an address is for the account itself."""
    juliet = server.online(f"{JULIET}/balcony")
    juliet.sends("<message id='m1' type='chat'><body>Ay me!</body></message>")
    juliet.receives(f"<message id='m1' from='{JULIET}/balcony' to='{JULIET}' type='chat'><body>Ay me!</body></message>")


def test_content_arrives_as_it_was_sent(server: Server) -> None:
    """8.1.1: the server does not change what people say to each other."""
    romeo, juliet = server.connect(f"{ROMEO}/orchard"), server.online(f"{JULIET}/balcony")
    romeo.sends(
        f"<message to='{JULIET}' id='m1' type='chat' xml:lang='en'><body>a &lt; b &amp; c</body>"
        "<x xmlns='urn:example:x'><y a='1'/>z</x></message>"
    )
    juliet.receives(
        f"<message from='{ROMEO}/orchard' to='{JULIET}' id='m1' type='chat' xml:lang='en'><body>a &lt; b &amp; c</body>"
        "<x xmlns='urn:example:x'><y a='1'/>z</x></message>"
    )


class Rows:
    """Gives messages a row, as the log would."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self.written: list[int] = []

    def write(self, session: Session, stanza: Stanza, row: int = 0) -> bool:
        self.written.append(row)
        return self.router.write(session, stanza)


async def distribute(server: Server, stanza: Stanza, row: int) -> Verdict | None:
    """Let a message go to the resources of Juliet's account."""
    return await server.node.hooks.decide(Distributing(Jid(JULIET), stanza, row))


def message(type: str = "chat", to: str = JULIET) -> Stanza:
    """Return a message of Romeo's."""
    return Stanza.build("message", E("{jabber:client}body", "Ay me!"), to=Jid(to), from_=Jid(ROMEO), type=type, id="m1")


def test_row_goes_to_the_session(server: Server) -> None:
    """Who writes it learns of its row, which is delivered when the session has it."""
    juliet = server.online(f"{JULIET}/balcony")
    module = server.node.loader.loaded["messages"]
    assert isinstance(module, Messages)
    rows: Any = Rows(server.node.router)
    module.router = rows
    assert server.wait(distribute(server, message(), 7)) is Verdict.HANDLED
    assert rows.written == [7]
    assert juliet.receives_any().get("id") == "m1"


@pytest.mark.parametrize("to", [JULIET, f"{JULIET}/nowhere"])
def test_row_waits(server: Server, to: str) -> None:
    """What nobody takes and is stored is told to whoever pushes, and is no error whatever they say."""
    server.account(JULIET)
    keeper = Keeper(Verdict.DROP)
    server.node.hooks.bind("keeper", keeper)
    assert server.wait(distribute(server, message(to=to), 7)) is Verdict.HANDLED
    assert [(stanza.id, row) for stanza, row in zip(keeper.kept, keeper.rows, strict=True)] == [("m1", 7)]


class Broken:
    """Fails to push."""

    @on(Undelivered, Phase.DELIVER)
    async def push(self, event: Undelivered) -> None:
        raise ValueError("no push service")


def test_row_waits_though_a_push_fails(server: Server) -> None:
    """What is stored is never bounced; without a row a failure is one of the sender's message."""
    server.account(JULIET)
    server.node.hooks.bind("broken", Broken())
    assert server.wait(distribute(server, message(), 7)) is Verdict.HANDLED
    with pytest.raises(InternalServerError):
        server.wait(distribute(server, message(), 0))


class Refuser:
    """Lets no session have anything."""

    def __init__(self, *resources: str) -> None:
        self.resources = resources

    @on(Delivering, Phase.GUARD)
    async def refuse(self, event: Delivering) -> Verdict | None:
        return Verdict.DROP if event.session.resource in self.resources and event.stanza.kind == "message" else None


def test_resource_that_takes_nothing(server: Server) -> None:
    """A resource that does not take a message is as good as missing: the others get it."""
    scene = Scene(server, "reachable")
    server.node.hooks.bind("refuser", Refuser("named"))
    scene.write("connected", "chat")
    assert scene.receivers() == {"p0", "p5"}


def test_nobody_takes_anything(server: Server) -> None:
    """A message that no resource takes waits or comes back; a headline does neither."""
    scene = Scene(server, "reachable")
    server.node.hooks.bind("refuser", Refuser("p0", "p5"))
    scene.write("bare", "chat")
    scene.romeo.receives_error("service-unavailable", id="m1")
    scene.write("bare", "headline")
    assert scene.receivers() == set()
    scene.romeo.receives_nothing()
