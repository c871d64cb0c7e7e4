"""Readers of an account's log: what waits is delivered late, once, in order, and then live rows are."""

from xml.etree.ElementTree import Element

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.inbox import RETRY
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.jid import Jid

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


def managed(client: Client) -> None:
    """Let a client acknowledge what it gets (XEP-0198), which it never does here."""
    client.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
    client.forgets()


class TestLogIsDown:
    """The log cannot be read when a resource becomes available."""

    DOWN = StorageUnavailable("the log is down")

    def test_it_is_read_as_soon_as_it_can_be(self, server: Server, romeo: Client) -> None:
        """Nobody has to log in again for that."""
        say(romeo, "one")
        server.log.fail_reads(self.DOWN)
        juliet = comes(server)
        assert heard(juliet) == []
        server.log.fail_reads(None)
        server.advance(RETRY)
        assert heard(juliet) == ["one"]

    def test_what_is_sent_then_comes_behind_what_waits(self, server: Server, romeo: Client) -> None:
        """RFC 6120, 10.1: a message that can be stored again already does not overtake those that wait."""
        say(romeo, "one")
        server.log.fail_reads(self.DOWN)
        juliet = comes(server)
        server.log.fail_reads(None)
        say(romeo, "two")
        server.advance(RETRY)
        assert heard(juliet) == ["one", "two"]

    def test_another_session_that_comes_meanwhile(self, server: Server, romeo: Client) -> None:
        """It takes nothing from the one that has waited for longer."""
        server.log.fail_reads(self.DOWN)
        juliet = comes(server)
        server.log.fail_reads(None)
        say(romeo, "one")
        other = comes(server, "chamber")
        server.advance(RETRY)
        assert heard(juliet) == ["one"]
        assert heard(other) == ["one"]

    def test_in_the_middle(self, server: Server, romeo: Client) -> None:
        """What was written already does not come again."""
        texts = [f"{number} {'x' * 4000}" for number in range(60)]
        say(romeo, *texts)
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.stops_reading()
        juliet.sends("<presence/>")
        server.log.fail_reads(self.DOWN)
        juliet.reads_again()
        server.advance(RETRY)
        server.log.fail_reads(None)
        server.advance(RETRY)
        assert heard(juliet) == texts

    def test_who_leaves_meanwhile_is_forgotten(self, server: Server, romeo: Client) -> None:
        """Nothing is left of a session that is over."""
        server.log.fail_reads(self.DOWN)
        comes(server).disconnects()
        server.log.fail_reads(None)
        romeo.disconnects()
        server.advance(RETRY)
        assert len(server.node.router.inboxes) == 0

    def test_what_a_session_has_left_is_handed_on_later(self, server: Server, romeo: Client) -> None:
        """Others get it as soon as it can be read."""
        second = comes(server, "chamber")
        first = server.connect("juliet@capulet.example/balcony")
        managed(first)
        say(romeo, "one", to="juliet@capulet.example/balcony")
        server.log.fail_reads(self.DOWN)
        first.disconnects()
        assert heard(second) == []
        server.log.fail_reads(None)
        server.advance(RETRY)
        assert heard(second) == ["one"]


class TestOnce:
    """No session gets a row twice."""

    def test_two_that_have_yet_to_acknowledge(self, server: Server, romeo: Client) -> None:
        """When one of them ends the other has its messages already."""
        first, second = (server.connect(f"juliet@capulet.example/{name}") for name in ("balcony", "chamber"))
        for juliet in (first, second):
            managed(juliet)
            juliet.sends("<presence/>")
        say(romeo, "one")
        assert heard(first) == ["one"]
        first.disconnects()
        assert heard(second) == ["one"]

    def test_a_resource_that_acknowledges_becomes_available(self, server: Server, romeo: Client) -> None:
        """What was sent to its full JID before is on its way."""
        juliet = server.connect("juliet@capulet.example/balcony")
        managed(juliet)
        say(romeo, "one", to="juliet@capulet.example/balcony")
        juliet.sends("<presence/>")
        assert heard(juliet) == ["one"]

    def test_a_session_without_a_connection(self, server: Server, romeo: Client) -> None:
        """What waits in its queue is not read from the log on top."""
        juliet = server.connect("juliet@capulet.example/balcony")
        managed(juliet)
        juliet.sends("<presence/>")
        say(romeo, "one")
        session = server.session("juliet@capulet.example/balcony")
        juliet.loses_connection()
        server.wait(server.node.router.inboxes.read(session))  # as if it had missed something
        assert len(session.wire.unacknowledged()) == 1

    def test_priority_that_changes_while_it_is_read(self, server: Server, romeo: Client) -> None:
        """A slow reader that changes its mind reads on, and does not begin again."""
        texts = [f"{number} {'x' * 4000}" for number in range(60)]
        say(romeo, *texts)
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.stops_reading()
        juliet.sends("<presence/>")
        juliet.sends("<presence><priority>-1</priority></presence>")
        juliet.sends("<presence/>")
        juliet.reads_again()
        assert heard(juliet) == texts

    def test_priority_that_becomes_negative_while_it_is_read(self, server: Server, romeo: Client) -> None:
        """RFC 6121, 8.5.2.1.1: then the rest waits, for whoever wants it."""
        texts = [f"{number} {'x' * 4000}" for number in range(60)]
        say(romeo, *texts)
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.stops_reading()
        juliet.sends("<presence/>")
        juliet.sends("<presence><priority>-1</priority></presence>")
        juliet.reads_again()
        some = heard(juliet)
        assert some == texts[: len(some)]
        assert len(some) < len(texts)
        juliet.sends("<presence/>")
        assert heard(juliet) == texts[len(some) :]


class TestLeft:
    """What a session leaves when it ends."""

    def test_what_it_had_yet_to_read(self, server: Server, romeo: Client) -> None:
        """Another live session gets what was not written to it, not only what was not acknowledged."""
        second = comes(server, "chamber")
        first = server.connect("juliet@capulet.example/balcony")
        managed(first)
        texts = [f"{number} {'x' * 4000}" for number in range(60)]
        session = server.session("juliet@capulet.example/balcony")
        session.is_catching_up = True  # as it is until it has read what waits
        say(romeo, *texts, to="juliet@capulet.example/balcony")
        assert heard(second) == []
        first.disconnects()
        assert heard(second) == texts

    def test_rows_of_no_archive(self, server: Server, romeo: Client) -> None:
        """`no-permanent-store`: they are removed once they are delivered, by whichever session."""
        romeo.sends("""
            <message to='juliet@capulet.example' type='chat' id='one'>
              <body>one</body><no-permanent-store xmlns='urn:xmpp:hints'/>
            </message>""")
        first = server.connect("juliet@capulet.example/balcony")
        managed(first)
        first.sends("<presence/>")
        first.disconnects()
        server.advance(3)
        second = comes(server)
        assert heard(second) == ["one"]
        server.advance(3)
        owner = Jid.parse("juliet@capulet.example")
        assert server.wait(server.log.purge(owner)) == 0

    def test_rows_that_are_gone(self, server: Server, romeo: Client) -> None:
        """Retention may remove what waits; then nobody waits for it any more."""
        owner = Jid.parse("juliet@capulet.example")
        first = server.connect("juliet@capulet.example/balcony")
        managed(first)
        first.sends("<presence/>")
        say(romeo, "one")
        first.disconnects()
        server.advance(3)
        server.wait(server.log.purge(owner))
        comes(server)
        assert server.node.router.inboxes.waiting() == 0


class TestNobodyReads:
    """A resource that wants no messages gets those that name it; the log knows."""

    @pytest.mark.parametrize("presence", ["", "<presence><priority>-1</priority></presence>"])
    def test_they_do_not_come_again(self, server: Server, romeo: Client, presence: str) -> None:
        """What was delivered to it is delivered, and nothing else is."""
        say(romeo, "waits")
        juliet = server.connect("juliet@capulet.example/balcony")
        if presence:
            juliet.sends(presence)
        say(romeo, "one", "two", to="juliet@capulet.example/balcony")
        say(romeo, "waits, too")
        assert heard(juliet) == ["one", "two"]
        juliet.disconnects()
        server.advance(3)
        assert heard(comes(server)) == ["waits", "waits, too"]

    def test_nothing_gathers_in_memory(self, server: Server) -> None:
        """However many it gets."""
        romeo = server.online("romeo@montague.example/orchard")
        server.connect("juliet@capulet.example/balcony")
        say(romeo, *[f"m{number}" for number in range(100)], to="juliet@capulet.example/balcony")
        assert server.node.router.inboxes.waiting() == 0
        server.advance(3)
        owner = Jid.parse("juliet@capulet.example")
        position = server.wait(server.log.position(owner))
        assert position.delivered == position.last
        assert position.open == frozenset()
