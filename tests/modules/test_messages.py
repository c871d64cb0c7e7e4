"""RFC 6121, 8.5: every type of message to every kind of address, with every kind of resource there."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.events import Delivering, Undelivered
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.modules.messages import TABLE, Address, Fate, Presence
from xmppd.protocol.stanza import MESSAGE_TYPES, Stanza

JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"

# D: the resource gets it, A: all resources whose priority is not negative, L: kept or bounced, E: an error, S: silence
SECTION = """
                            | normal | chat | groupchat | headline | error
    bare, nobody            |   L    |  L   |     E     |    S     |   S
    bare, negative          |   L    |  L   |     E     |    S     |   S
    bare, reachable         |   A    |  A   |     E     |    A     |   S
    connected, nobody       |   D    |  D   |     D     |    D     |   D
    connected, negative     |   D    |  D   |     D     |    D     |   D
    connected, reachable    |   D    |  D   |     D     |    D     |   D
    missing, nobody         |   L    |  L   |     E     |    S     |   S
    missing, negative       |   L    |  L   |     E     |    S     |   S
    missing, reachable      |   A    |  A   |     E     |    S     |   S
"""


def cells() -> list[tuple[str, str, str, str]]:
    """Return (address, resources, type, fate) of every cell."""
    found = []
    head, *rows = SECTION.strip("\n").splitlines()
    types = [type.strip() for type in head.split("|")[1:]]
    for row in rows:
        names, *fates = row.split("|")
        address, _, resources = names.strip().partition(", ")
        for type, fate in zip(types, fates, strict=True):
            found.append((address, resources, type, fate.strip()))
    return found


ADDRESSES = {"bare": JULIET, "connected": f"{JULIET}/named", "missing": f"{JULIET}/elsewhere"}
PRIORITIES = {"nobody": (), "negative": (-1, -128), "reachable": (0, 5, -1)}
NAMES = {
    "bare": Address.BARE, "connected": Address.CONNECTED, "missing": Address.MISSING,
    "nobody": Presence.NONE, "negative": Presence.NEGATIVE, "reachable": Presence.REACHABLE,
    "D": Fate.RESOURCE, "A": Fate.ALL, "L": Fate.LATER, "E": Fate.BOUNCE, "S": Fate.IGNORE,
}  # fmt: skip


class Keeper:
    """Takes what nobody took."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.kept: list[Stanza] = []

    @on(Undelivered, Phase.RECORD)
    async def keep(self, event: Undelivered) -> Verdict:
        self.kept.append(event.stanza)
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
def test_table(address: str, resources: str, type: str, fate: str) -> None:
    """The table of the module is that of the section."""
    assert TABLE[NAMES[address], NAMES[resources], type] is NAMES[fate]  # type: ignore[index]


def test_table_is_whole() -> None:
    """There are no other types, addresses or resources."""
    assert set(TABLE) == {
        (address, presence, type) for address in Address for presence in Presence for type in MESSAGE_TYPES
    }
    assert len(cells()) == len(TABLE)


@pytest.mark.parametrize(("address", "resources", "type", "fate"), cells())
def test_delivery(address: str, resources: str, type: str, fate: str) -> None:
    """8.5: what happens is what the table says; while nobody keeps messages, what waits is bounced."""
    scene = Scene(Server(), resources)
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
    scene, keeper = Scene(Server(), resources), Keeper(verdict)
    scene.server.node.hooks.bind("keeper", keeper)
    scene.write(address, type)
    assert [stanza.id for stanza in keeper.kept] == ["m1"]
    scene.romeo.receives_nothing()


@pytest.mark.parametrize(("address", "resources", "type", "fate"), [cell for cell in cells() if cell[3] != "L"])
def test_nothing_else_is_kept(address: str, resources: str, type: str, fate: str) -> None:
    """8.5: only chat and normal messages wait for anybody."""
    scene, keeper = Scene(Server(), resources), Keeper(Verdict.HANDLED)
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
