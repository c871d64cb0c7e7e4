"""RFC 6121, 4.6 and 8.5: directed presence, presence for accounts and hosts, and the end of sessions."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.logger import LogLevel, globalLogPublisher

from tests.modules.roster.cast import befriend, interested, pushed, shows
from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.router import Service
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"
BALCONY, CHAMBER, ORCHARD = f"{JULIET}/balcony", f"{JULIET}/chamber", f"{ROMEO}/orchard"
ROOM = "characters@chat.example/Romeo"


def presence(from_: str, to: str, type: str = "", inner: str = "") -> str:
    return f"<presence from='{from_}' to='{to}'{f' type={type!r}' if type else ''}>{inner}</presence>"


class Rooms:
    """A service that notes what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[str | None, str, str]] = []

    async def receive(self, stanza: Stanza) -> None:
        self.got.append((stanza.to, stanza.from_, stanza.type))

    def takes(self) -> list[tuple[str | None, str, str]]:
        got, self.got = self.got, []
        return got


@pytest.fixture
def rooms(server: Server) -> Rooms:
    rooms: Rooms = Rooms()
    service: Service = rooms
    server.node.router.add_service(Jid.parse("chat.example"), service)
    return rooms


@pytest.fixture
def juliet(server: Server) -> Client:
    return server.online(BALCONY)


@pytest.fixture
def romeo(server: Server) -> Client:
    return server.online(ORCHARD)


# 4.6


def test_directed(juliet: Client, romeo: Client) -> None:
    """4.6.3: it goes to whom it names, and nowhere else."""
    juliet.sends(f"<presence to='{ORCHARD}'><show>dnd</show></presence>")
    romeo.receives(presence(BALCONY, ORCHARD, inner="<show>dnd</show>"))
    juliet.receives_nothing()


@pytest.mark.parametrize("to", [ORCHARD, ROMEO])
@pytest.mark.parametrize("how", ["says so", "closes its stream", "loses its connection"])
def test_directed_is_followed_by_unavailable(juliet: Client, romeo: Client, to: str, how: str) -> None:
    """4.6.3: who got directed presence is told when the resource leaves, however that comes, once."""
    juliet.sends(f"<presence to='{to}'/>")
    juliet.sends(f"<presence to='{to}'><show>away</show></presence>")
    romeo.forgets()
    if how == "says so":
        juliet.sends("<presence type='unavailable'/>")
    elif how == "closes its stream":
        juliet.disconnects()
    else:
        juliet.loses_connection()
    romeo.receives(presence(BALCONY, to, "unavailable"))
    juliet.loses_connection()
    romeo.receives_nothing()


def test_directed_of_a_resource_that_is_not_available(server: Server, rooms: Rooms) -> None:
    """4.6.1: directed presence needs no initial presence, and its end is told to nobody else."""
    befriend(server, JULIET, ROMEO)
    romeo = server.online(ORCHARD)
    juliet = server.connect(BALCONY)
    juliet.sends(f"<presence to='{ROOM}'/>")
    juliet.disconnects()
    assert rooms.takes() == [(ROOM, BALCONY, ""), (ROOM, BALCONY, "unavailable")]
    romeo.receives_nothing()


def test_directed_unavailable(juliet: Client, rooms: Rooms) -> None:
    """4.6.4: who was told by hand is not told again."""
    juliet.sends(f"<presence to='{ROOM}'/>")
    juliet.sends(f"<presence to='{ROOM}' type='unavailable'/>")
    juliet.disconnects()
    assert rooms.takes() == [(ROOM, BALCONY, ""), (ROOM, BALCONY, "unavailable")]


def test_changes_are_not_directed(juliet: Client, rooms: Rooms) -> None:
    """4.6.2: what is broadcast does not go to who got directed presence."""
    juliet.sends(f"<presence to='{ROOM}'/>")
    juliet.sends("<presence><show>away</show></presence>")
    assert rooms.takes() == [(ROOM, BALCONY, "")]


def test_directed_to_a_contact(server: Server) -> None:
    """4.6.3: a contact that sees the account anyhow is told once."""
    befriend(server, JULIET, ROMEO)
    romeo, juliet = server.online(ORCHARD), server.online(BALCONY)
    juliet.sends(f"<presence to='{ORCHARD}'/>")
    romeo.forgets()
    juliet.disconnects()
    romeo.receives(presence(BALCONY, ROMEO, "unavailable"))
    romeo.receives_nothing()


def test_too_many_directions() -> None:
    """A session shows itself to so many addresses and no more, and changes to those go on."""
    server = Server(modules={"presence": {"directed": 10}})
    juliet = server.online(BALCONY)
    for number in range(10):
        juliet.sends(f"<presence to='guest{number}@montague.example'/>")
    juliet.receives_nothing()
    juliet.sends(f"<presence id='p1' to='{ROMEO}'/>")
    juliet.receives_error("resource-constraint", id="p1")
    juliet.sends("<presence id='p1' to='guest1@montague.example'><show>away</show></presence>")
    juliet.sends("<presence id='p1' to='guest1@montague.example' type='unavailable'/>")
    juliet.sends(f"<presence id='p1' to='{ROMEO}'/>")
    juliet.receives_nothing()


def test_service_that_fails(server: Server, juliet: Client, rooms: Rooms) -> None:
    """4.6.3: one service's fault does not keep the others from learning who has left."""

    class Broken(Rooms):
        async def receive(self, stanza: Stanza) -> None:
            if stanza.type == "unavailable":
                raise ZeroDivisionError

    server.node.router.add_service(Jid.parse("broken.example"), Broken())
    for number in range(3):
        juliet.sends(f"<presence to='hall@broken.example/{number}'/>")
        juliet.sends(f"<presence to='hall@chat.example/{number}'/>")
    rooms.takes()
    juliet.disconnects()
    expected = [(f"hall@chat.example/{number}", BALCONY, "unavailable") for number in range(3)]
    assert sorted(rooms.takes(), key=str) == expected


# 8.5


@pytest.mark.parametrize("type", ["", "unavailable", "error"])
def test_to_an_account(server: Server, romeo: Client, type: str) -> None:
    """8.5.2: presence to a bare JID is for all available resources, whatever their priority."""
    balcony = server.online(BALCONY, "<presence><priority>-1</priority></presence>")
    chamber = server.online(CHAMBER)
    connected = server.connect(f"{JULIET}/connected")
    balcony.forgets()
    romeo.sends(f"<presence to='{JULIET}' type='{type}'/>" if type else f"<presence to='{JULIET}'/>")
    for client in (balcony, chamber):
        client.receives(presence(ORCHARD, JULIET, type))
    connected.receives_nothing()


@pytest.mark.parametrize("type", ["", "unavailable", "error"])
def test_to_a_resource(server: Server, romeo: Client, type: str) -> None:
    """8.5.3: presence to a full JID is for that resource, available or only connected; if it is not there, for nobody."""
    chamber, balcony = server.online(CHAMBER), server.connect(BALCONY)
    for to in (BALCONY, f"{JULIET}/elsewhere"):
        romeo.sends(f"<presence to='{to}' type='{type}'/>" if type else f"<presence to='{to}'/>")
    balcony.receives(presence(ORCHARD, BALCONY, type))
    balcony.receives_nothing()
    chamber.receives_nothing()
    romeo.receives_nothing()


def test_error_without_an_address(romeo: Client) -> None:
    """An error of nobody's goes nowhere."""
    romeo.sends("<presence type='error'/>")
    romeo.receives_nothing()


@pytest.mark.parametrize("to", [JULIET, BALCONY, "nobody@capulet.example"])
def test_nobody_is_there(server: Server, romeo: Client, to: str) -> None:
    """8.5.1 and 8.5.2.2: presence for who is not there is ignored."""
    server.account(JULIET)
    romeo.sends(f"<presence to='{to}'/>")
    romeo.receives_nothing()


def test_host(server: Server) -> None:
    """A host that is asked for a subscription grants it, and is always there."""
    romeo = interested(server, ORCHARD)
    romeo.sends("<presence id='s1' type='subscribe' to='capulet.example'/>")
    romeo.receives_any()
    romeo.receives(f"<presence id='s1' from='capulet.example' to='{ROMEO}' type='subscribed'/>")
    romeo.receives(pushed(romeo, "<item jid='capulet.example' subscription='to'/>"))
    romeo.receives(presence("capulet.example", ROMEO))
    late = server.connect(f"{ROMEO}/late")
    late.sends("<presence/>")
    late.receives_all(presence(ORCHARD, late.jid), presence(late.jid, ROMEO), presence("capulet.example", ROMEO))
    late.sends("<presence to='capulet.example'/>")
    late.disconnects()
    shows(romeo, "<item jid='capulet.example' subscription='to'/>")


# The end of sessions


def last_seen(server: Server, jid: str) -> tuple[float | None, str]:
    account = server.wait(server.node.accounts.get(Jid.parse(jid)))
    return account.last_seen, account.last_status


def test_last_session(server: Server, juliet: Client) -> None:
    """XEP-0012: what counts is the end of the last session; leaving waits for no database."""
    start = server.clock.seconds()
    chamber = server.online(CHAMBER)
    server.advance(seconds=10)
    juliet.sends("<presence type='unavailable'><status>To bed</status></presence>")
    juliet.disconnects()
    server.advance(seconds=10)
    assert last_seen(server, JULIET) == (None, "")
    chamber.sends("<presence type='unavailable'><status>Good night</status></presence>")
    chamber.disconnects()
    assert last_seen(server, JULIET) == (None, "")
    server.advance(seconds=1)
    assert last_seen(server, JULIET) == (start + 20, "Good night")


def test_session_without_presence(server: Server) -> None:
    """XEP-0012: a session counts even if it was never available."""
    server.connect(BALCONY).disconnects()
    server.advance(seconds=1)
    assert last_seen(server, JULIET) == (server.clock.seconds() - 1, "")


def test_node_that_stops(server: Server, juliet: Client) -> None:
    """What waits is written when the node stops."""
    juliet.disconnects()
    server.wait(server.node.stop())
    assert last_seen(server, JULIET)[0] == server.clock.seconds()


# Rosters


def loads(server: Server) -> int:
    """Return how often a roster was read from the database."""
    tally = server.database.tallies.by_name.get("rosters.load")
    return 0 if tally is None else tally.count


class Refusing:
    """Takes the place of a database's `fetch`, and refuses to load rosters."""

    def __init__(self, server: Server, error: Exception) -> None:
        self._fetch = server.database.fetch
        self._error = error

    def __call__(self, name: str, *args: Any) -> Deferred[Any]:
        return fail(self._error) if name == "rosters.load" else self._fetch(name, *args)


def test_roster_is_there_before_presence(server: Server) -> None:
    """It is fetched once, when a resource is bound; presence asks no database."""
    juliet = server.connect(BALCONY)
    assert loads(server) == 1
    juliet.sends("<presence/>")
    juliet.receives(presence(BALCONY, JULIET))
    assert loads(server) == 1


@pytest.mark.parametrize(
    ("error", "told"), [(StorageUnavailable("shard 0 is down"), 0), (LookupError("a mistake of ours"), 1)]
)
def test_roster_that_cannot_be_fetched(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception, told: int
) -> None:
    """A resource is bound all the same; its presence asks again, and succeeds when the database is back.

    That the database is down is logged by the storage already.
    """
    faults: list[dict[str, Any]] = []

    def note(event: dict[str, Any]) -> None:
        if event["log_level"] is LogLevel.error:
            faults.append(event)

    server.account(JULIET)
    globalLogPublisher.addObserver(note)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(server.database, "fetch", Refusing(server, error))
            juliet = server.connect(BALCONY)
    finally:
        globalLogPublisher.removeObserver(note)
    assert told == len(faults)

    juliet.sends("<presence/>")
    juliet.receives(presence(BALCONY, JULIET))


# Behind a message that waits for its commit


@pytest.mark.parametrize("address", ["", f" to='{JULIET}'"])
def test_presence_of_who_has_left_meanwhile(server: Server, juliet: Client, address: str) -> None:
    """4.5.3: presence that was held until its session was over shows nobody who is not there."""
    romeo = server.connect(ORCHARD)
    befriend(server, JULIET, ROMEO)
    juliet.forgets()
    server.log.hold()
    romeo.sends(f"<message to='{JULIET}' type='chat'><body>Adieu.</body></message><presence{address}/>")
    romeo.disconnects()
    server.log.release()
    assert juliet.receives_any().tag == "{jabber:client}message"
    juliet.receives_nothing()
    assert len(server.node.router.inboxes) == 1
