"""Readers of an account's log: what waits is delivered late, once, in order, and then live rows are."""

from xml.etree.ElementTree import Element

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server

BODY = "{jabber:client}body"
DELAY = "{urn:xmpp:delay}delay"
STANZA_ID = "{urn:xmpp:sid:0}stanza-id"


@pytest.fixture
def romeo(server: Server) -> Client:
    """He writes."""
    server.account("juliet@capulet.example")
    return server.online("romeo@montague.example/orchard")


def say(romeo: Client, *texts: str, to: str = "juliet@capulet.example") -> None:
    for text in texts:
        romeo.sends(f"<message to='{to}' type='chat' id='{text}'><body>{text}</body></message>")


def comes(server: Server, resource: str = "balcony", presence: str = "<presence/>") -> Client:
    juliet = server.connect(f"juliet@capulet.example/{resource}")
    juliet.sends(presence)
    return juliet


def messages(client: Client) -> list[Element]:
    client.server.run()
    found = [element for element in client.inbox if element.tag == "{jabber:client}message"]
    client.inbox.clear()
    return found


def heard(client: Client) -> list[str]:
    return [message.findtext(BODY) or "" for message in messages(client)]


class TestWaiting:
    """Messages for somebody who is not there (XEP-0160)."""

    def test_they_come_late(self, server: Server, romeo: Client) -> None:
        """With their id, and since when they have waited."""
        say(romeo, "one")
        server.advance(60)
        juliet = comes(server)
        [message] = messages(juliet)
        assert message.findtext(BODY) == "one"
        delay = message.find(DELAY)
        assert delay is not None
        assert delay.get("from") == "capulet.example"
        assert (delay.get("stamp") or "").startswith("2010-05-31T12:00:0")
        stanza_id = message.find(STANZA_ID)
        assert stanza_id is not None
        assert stanza_id.get("by") == "juliet@capulet.example"

    def test_all_in_order(self, server: Server, romeo: Client) -> None:
        """However many pages that takes."""
        texts = [f"m{number}" for number in range(130)]
        say(romeo, *texts)
        assert heard(comes(server)) == texts

    def test_once(self, server: Server, romeo: Client) -> None:
        """Who comes back does not get again what was delivered, nor does another resource."""
        say(romeo, "one")
        juliet = comes(server)
        assert heard(juliet) == ["one"]
        juliet.disconnects()
        say(romeo, "two")
        again = comes(server)
        assert heard(again) == ["two"]
        assert heard(comes(server, "chamber")) == []

    def test_not_to_a_negative_priority(self, server: Server, romeo: Client) -> None:
        """A resource that wants no messages gets none, until it does."""
        say(romeo, "one")
        juliet = comes(server, presence="<presence><priority>-1</priority></presence>")
        assert heard(juliet) == []
        juliet.sends("<presence/>")
        assert heard(juliet) == ["one"]

    def test_then_live_ones(self, server: Server, romeo: Client) -> None:
        """Behind what waits comes what is sent now, without a delay."""
        say(romeo, "one")
        juliet = comes(server)
        say(romeo, "two")
        first, second = messages(juliet)
        assert (first.findtext(BODY), second.findtext(BODY)) == ("one", "two")
        assert second.find(DELAY) is None

    def test_what_its_sender_wrote_meanwhile_is_nothing_that_waits(self, server: Server, romeo: Client) -> None:
        """The owner's own messages are rows, too; nobody gets them late."""
        juliet = comes(server)
        juliet.sends("<message to='romeo@montague.example' type='chat'><body>hist</body></message>")
        juliet.disconnects()
        assert heard(comes(server)) == []

    def test_a_slow_reader_misses_nothing(self, server: Server, romeo: Client) -> None:
        """Who does not read gets no more than its connection takes; what comes meanwhile is in the log."""
        texts = [f"{number} {'x' * 4000}" for number in range(60)]
        say(romeo, *texts)
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.stops_reading()
        juliet.sends("<presence/>")
        say(romeo, "last")
        assert juliet.connection.unread < 200_000
        juliet.reads_again()
        assert heard(juliet) == [*texts, "last"]

    def test_who_leaves_in_the_middle_gets_the_rest_later(self, server: Server, romeo: Client) -> None:
        """What was not written waits on."""
        texts = [f"{number} {'x' * 4000}" for number in range(60)]
        say(romeo, *texts)
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.stops_reading()
        juliet.sends("<presence/>")
        juliet.loses_connection()
        rest = heard(comes(server))
        assert rest == texts[-len(rest) :]
        assert 0 < len(rest) < 60


class TestResources:
    """Several at a time."""

    def test_the_second_gets_what_is_new(self, server: Server, romeo: Client) -> None:
        """A resource that comes later gets what is sent from then on, as the other does."""
        first = comes(server)
        say(romeo, "one")
        second = comes(server, "chamber")
        say(romeo, "two")
        assert heard(first) == ["one", "two"]
        assert heard(second) == ["two"]

    def test_a_message_to_a_resource_without_presence(self, server: Server, romeo: Client) -> None:
        """It is delivered, and does not come again when the resource says that it is there."""
        juliet = server.connect("juliet@capulet.example/balcony")
        say(romeo, "one", to="juliet@capulet.example/balcony")
        assert heard(juliet) == ["one"]
        juliet.sends("<presence/>")
        assert heard(juliet) == []

    def test_a_message_to_a_resource_that_is_not_there(self, server: Server, romeo: Client) -> None:
        """It waits as any other."""
        say(romeo, "one", to="juliet@capulet.example/garden")
        assert heard(comes(server)) == ["one"]


class TestCrash:
    """What is known of deliveries is written a moment later."""

    def test_it_may_come_twice_with_the_same_id(self, server: Server, romeo: Client) -> None:
        """Never may it be lost."""
        say(romeo, "one")
        juliet = comes(server)
        [first] = messages(juliet)
        server.dies()
        server.begins_anew()
        [again] = messages(comes(server))
        assert again.findtext(BODY) == "one"
        ids = {message.find(STANZA_ID).get("id") for message in (first, again)}  # type: ignore[union-attr]
        assert len(ids) == 1

    def test_it_does_not_once_that_is_written(self, server: Server, romeo: Client) -> None:
        """A second later nothing comes again."""
        say(romeo, "one")
        juliet = comes(server)
        assert heard(juliet) == ["one"]
        server.advance(3)
        server.dies()
        server.begins_anew()
        assert heard(comes(server)) == []
