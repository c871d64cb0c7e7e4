"""XEP-0191, 3.3 and 3.4: presence when somebody is blocked, and when they are unblocked."""

import pytest

from tests.modules.roster.cast import befriend, interested
from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.server import Store
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .cast import JULIET, NURSE, ROMEO, block, unblock

BALCONY, ORCHARD = f"{JULIET}/balcony", f"{ROMEO}/orchard"
ROOM = "coven@rooms.capulet.example"
GONE = f"<presence type='unavailable' from='{BALCONY}' to='{ROMEO}'/>"
THERE = f"<presence from='{BALCONY}' to='{ROMEO}'><show>chat</show></presence>"


class Rooms:
    """A service; keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[Stanza] = []

    async def receive(self, stanza: Stanza) -> None:
        self.received.append(stanza)


@pytest.fixture
def server() -> Server:
    """A server where Juliet, Romeo and the nurse see each other."""
    server = Server(store=Store.NEVER)
    befriend(server, JULIET, ROMEO)
    befriend(server, JULIET, NURSE)
    return server


@pytest.fixture
def rooms(server: Server) -> Rooms:
    rooms = Rooms()
    server.node.router.add_service(Jid("rooms.capulet.example"), rooms)
    return rooms


@pytest.fixture
def romeo(server: Server) -> Client:
    return interested(server, ORCHARD)


@pytest.fixture
def nurse(server: Server, romeo: Client) -> Client:
    return interested(server, f"{NURSE}/hall")


@pytest.fixture
def juliet(server: Server, romeo: Client, nurse: Client) -> Client:
    juliet = interested(server, BALCONY, "<presence><show>chat</show></presence>")
    for client in (romeo, nurse):
        client.forgets()
    return juliet


@pytest.mark.parametrize("item", [ROMEO, "montague.example"])
def test_blocked(juliet: Client, romeo: Client, nurse: Client, item: str) -> None:
    """User Blocks JID: unavailable presence goes to whoever is blocked and may see the user; to nobody twice."""
    block(juliet, item)
    romeo.receives(GONE)
    block(juliet, item, ROMEO)
    romeo.receives_nothing()
    nurse.receives_nothing()


def test_resource_is_blocked(juliet: Client, romeo: Client) -> None:
    """JID Matching: only that resource."""
    block(juliet, ORCHARD, f"{ROMEO}/elsewhere")
    romeo.receives(f"<presence type='unavailable' from='{BALCONY}' to='{ORCHARD}'/>")
    romeo.receives_nothing()
    unblock(juliet, ORCHARD)
    romeo.receives(f"<presence from='{BALCONY}' to='{ORCHARD}'><show>chat</show></presence>")


def test_strangers(server: Server, juliet: Client) -> None:
    """User Blocks JID: who may not see the user learns nothing, neither then nor later."""
    tybalt = server.online("tybalt@capulet.example/square")
    block(juliet, "tybalt@capulet.example")
    tybalt.receives_nothing()
    unblock(juliet, "tybalt@capulet.example")
    tybalt.receives_nothing()


def test_offline(server: Server, juliet: Client, romeo: Client) -> None:
    """Who is unavailable has nothing to hide."""
    juliet.sends("<presence type='unavailable'/>")
    juliet.forgets()
    romeo.forgets()
    block(juliet, ROMEO)
    unblock(juliet, ROMEO)
    romeo.receives_nothing()


def test_while_blocked(server: Server, juliet: Client, romeo: Client, nurse: Client) -> None:
    """User Blocks JID: no presence either way; who comes and goes is not seen."""
    block(juliet, ROMEO)
    romeo.forgets()
    juliet.sends("<presence><show>away</show></presence>")
    juliet.receives(f"<presence from='{BALCONY}' to='{JULIET}'><show>away</show></presence>")
    nurse.receives(f"<presence from='{BALCONY}' to='{NURSE}'><show>away</show></presence>")
    chamber = server.connect(f"{JULIET}/chamber")
    chamber.sends("<presence/>")
    chamber.disconnects()
    romeo.sends("<presence><show>dnd</show></presence>")
    romeo.receives(f"<presence from='{ORCHARD}' to='{ROMEO}'><show>dnd</show></presence>")
    juliet.forgets()
    romeo.sends(f"<presence type='probe' to='{JULIET}'/>")
    romeo.sends(f"<presence type='subscribe' to='{JULIET}'/>")
    juliet.receives_nothing()
    romeo.receives_nothing()


@pytest.mark.parametrize("named", [(ROMEO,), ()])
def test_unblocked(juliet: Client, romeo: Client, named: tuple[str, ...]) -> None:
    """User Unblocks JID: the current presence goes out, and the other's is asked for."""
    block(juliet, ROMEO)
    romeo.forgets()
    romeo.sends("<presence><show>dnd</show></presence>")
    romeo.forgets()
    (seen,) = unblock(juliet, *named)
    assert (seen.get("from"), seen.get("to"), seen[0].text) == (ORCHARD, BALCONY, "dnd")
    romeo.receives(THERE)
    juliet.receives_nothing()
    romeo.receives_nothing()


def test_still_blocked_otherwise(juliet: Client, romeo: Client) -> None:
    """JID Matching: who is covered by another item is not unblocked."""
    block(juliet, ROMEO, "montague.example")
    romeo.forgets()
    unblock(juliet, ROMEO)
    romeo.receives_nothing()
    unblock(juliet, "montague.example")
    romeo.receives(THERE)


@pytest.mark.parametrize("item", [ROOM, f"{ROOM}/juliet", "rooms.capulet.example"])
def test_room_is_left(rooms: Rooms, juliet: Client, item: str) -> None:
    """A room that is blocked is left, since nothing could be sent there afterwards."""
    juliet.sends(f"<presence to='{ROOM}/juliet'/>")
    block(juliet, item)
    assert [(stanza.type, stanza.to) for stanza in rooms.received] == [
        ("", f"{ROOM}/juliet"),
        ("unavailable", f"{ROOM}/juliet"),
    ]
    juliet.disconnects()
    assert len(rooms.received) == 2


def test_room_of_somebody_who_is_unavailable(server: Server, rooms: Rooms) -> None:
    """A session need not be available to be in a room (RFC 6121, 4.6)."""
    juliet = server.connect(BALCONY)
    juliet.sends(f"<presence to='{ROOM}/juliet'/>")
    block(juliet, ROOM)
    assert [stanza.type for stanza in rooms.received] == ["", "unavailable"]


def test_other_occupants(rooms: Rooms, juliet: Client) -> None:
    """Who is blocked in a room is blocked, and the room goes on."""
    juliet.sends(f"<presence to='{ROOM}/juliet'/>")
    block(juliet, f"{ROOM}/thirdwitch")
    assert [stanza.type for stanza in rooms.received] == [""]
