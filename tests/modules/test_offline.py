"""XEP-0160: Best Practices for Handling Offline Messages: how much may wait. What is delivered late: `core/test_inbox`."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.server import Store

JULIET = "juliet@capulet.example"
MOST = 3
NEGATIVE = "<presence><priority>-1</priority></presence>"


@pytest.fixture
def server() -> Server:
    """A server on which three messages may wait for each."""
    server = Server(modules={"offline": {"messages": MOST}})
    server.account(JULIET)
    return server


@pytest.fixture
def romeo(server: Server) -> Client:
    """He writes."""
    return server.online("romeo@montague.example/orchard")


def say(romeo: Client, *numbers: int, to: str = JULIET) -> None:
    for number in numbers:
        romeo.sends(f"<message to='{to}' type='chat' id='m{number}'><body>{number}</body></message>")


def heard(client: Client) -> list[str | None]:
    client.server.run()
    found = [element.get("id") for element in client.inbox if element.tag == "{jabber:client}message"]
    client.inbox.clear()
    return found


@pytest.mark.parametrize("store", [Store.ALWAYS, Store.NEVER])
def test_discovery(store: Store) -> None:
    """Discovering Support for Offline Messages: a host that keeps nothing does not say that it does."""
    romeo = Server(store=store).online("romeo@montague.example/orchard")
    romeo.sends(
        "<iq id='d' type='get' to='montague.example'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    features = {feature.get("var") for feature in romeo.receives_any()[0]}
    assert ("msgoffline" in features) == (store is Store.ALWAYS)


def test_as_many_as_may(server: Server, romeo: Client) -> None:
    """Process Flow: beyond the limit the sender learns that the message cannot wait."""
    say(romeo, 1, 2, 3)
    romeo.receives_nothing()
    say(romeo, 4)
    romeo.receives_error("service-unavailable", id="m4")
    assert heard(server.online(JULIET + "/balcony", "")) == []


def test_there_is_room_again(server: Server, romeo: Client) -> None:
    """Once they are delivered others may wait."""
    say(romeo, 1, 2, 3)
    juliet = server.connect(JULIET + "/balcony")
    juliet.sends("<presence/>")
    assert heard(juliet) == ["m1", "m2", "m3"]
    juliet.disconnects()
    server.advance(3)
    say(romeo, 4, 5, 6)
    romeo.receives_nothing()
    say(romeo, 7)
    romeo.receives_error("service-unavailable", id="m7")


def test_what_need_not_wait(server: Server, romeo: Client) -> None:
    """Whoever can be reached gets any number."""
    juliet = server.online(JULIET + "/balcony")
    say(romeo, *range(MOST + 5))
    romeo.receives_nothing()
    assert len(heard(juliet)) == MOST + 5


@pytest.mark.parametrize("presence", ["", NEGATIVE])
def test_who_is_there_and_wants_nothing(server: Server, romeo: Client, presence: str) -> None:
    """RFC 6121, 8.5.2.1.1: for a resource that is not reachable messages wait as for none, and no more of them."""
    juliet = server.connect(JULIET + "/balcony")
    if presence:
        juliet.sends(presence)
    juliet.forgets()
    say(romeo, 1, 2, 3, 4)
    romeo.receives_error("service-unavailable", id="m4")
    juliet.receives_nothing()
    juliet.sends("<presence/>")
    assert heard(juliet) == ["m1", "m2", "m3"]


def test_what_names_such_a_resource(server: Server, romeo: Client) -> None:
    """8.5.3.1: it gets what is for its full JID at once, and that counts for nothing."""
    juliet = server.connect(JULIET + "/balcony")
    say(romeo, *range(MOST + 5), to=JULIET + "/balcony")
    assert len(heard(juliet)) == MOST + 5
    server.advance(3)
    say(romeo, 101, 102, 103)
    romeo.receives_nothing()
    say(romeo, 104)
    romeo.receives_error("service-unavailable", id="m104")
