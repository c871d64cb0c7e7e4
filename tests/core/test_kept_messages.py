"""A message that is kept: stored, then delivered, then settled; and nothing overtakes it (RFC 6120, 10.1)."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.gate import MOST_STANZAS
from xmppd.core.message_log import StorageUnavailable

HELLO = "<message to='juliet@capulet.example' type='chat' id='{id}'><body>Wherefore art thou?</body></message>"


@pytest.fixture
def romeo(server: Server) -> Client:
    """He writes."""
    return server.online("romeo@montague.example/orchard")


@pytest.fixture
def juliet(server: Server) -> Client:
    """She is written to."""
    return server.online("juliet@capulet.example/balcony")


def say(romeo: Client, text: str, to: str = "juliet@capulet.example") -> None:
    romeo.sends(f"<message to='{to}' type='chat' id='{text}'><body>{text}</body></message>")


def hears(juliet: Client, text: str) -> None:
    juliet.receives(f"""
        <message from='romeo@montague.example/orchard' to='juliet@capulet.example' type='chat' id='{text}'>
          <body>{text}</body>
          <stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='{{any}}'/>
        </message>""")


class TestOrder:
    """Store, then deliver."""

    def test_it_is_stored_first(self, server: Server, romeo: Client, juliet: Client) -> None:
        """Nobody sees a message before it is committed; then it has its id (XEP-0359)."""
        server.log.hold()
        say(romeo, "hist")
        juliet.receives_nothing()
        server.log.release()
        hears(juliet, "hist")

    def test_nobody_waits_for_a_commit(self, server: Server, romeo: Client, juliet: Client) -> None:
        """All messages of a burst are with the log before the first is committed."""
        server.log.hold()
        for number in range(20):
            say(romeo, f"m{number}")
        assert len(server.log.held) == 20
        server.log.release()
        for number in range(20):
            hears(juliet, f"m{number}")

    def test_a_chat_state_waits_behind_it(self, server: Server, romeo: Client, juliet: Client) -> None:
        """What is not stored does not overtake what is."""
        server.log.hold()
        say(romeo, "one")
        romeo.sends("""
            <message to='juliet@capulet.example' type='chat'>
              <paused xmlns='http://jabber.org/protocol/chatstates'/>
            </message>""")
        say(romeo, "two")
        juliet.receives_nothing()
        server.log.release()
        hears(juliet, "one")
        juliet.receives("""
            <message from='romeo@montague.example/orchard' to='juliet@capulet.example' type='chat'>
              <paused xmlns='http://jabber.org/protocol/chatstates'/>
            </message>""")
        hears(juliet, "two")

    def test_an_iq_waits_behind_it(self, server: Server, romeo: Client, juliet: Client) -> None:
        """A request to a resource of the same account comes behind the message."""
        server.log.hold()
        say(romeo, "one")
        romeo.sends("<iq to='juliet@capulet.example/balcony' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
        juliet.receives_nothing()
        server.log.release()
        hears(juliet, "one")
        assert juliet.receives_any().get("id") == "p"

    def test_directed_presence_waits_behind_it(self, server: Server, romeo: Client, juliet: Client) -> None:
        """Presence, too."""
        server.log.hold()
        say(romeo, "one")
        romeo.sends("<presence to='juliet@capulet.example/balcony'/>")
        juliet.receives_nothing()
        server.log.release()
        hears(juliet, "one")
        assert juliet.receives_any().tag == "{jabber:client}presence"

    def test_a_broadcast_waits_behind_all(self, server: Server, romeo: Client, juliet: Client) -> None:
        """Presence for all contacts overtakes no message to any of them."""
        nurse = server.online("nurse@capulet.example/chamber")
        for contact in ("juliet@capulet.example", "nurse@capulet.example"):
            romeo.sends(f"<presence to='{contact}'/>")
        server.log.hold()
        say(romeo, "one")
        say(romeo, "two", to="nurse@capulet.example")
        other = server.online("romeo@montague.example/street")
        romeo.sends("<presence><show>away</show></presence>")
        juliet.forgets()
        nurse.forgets()
        other.forgets()
        server.log.release(1)
        hears(juliet, "one")
        other.receives_nothing()
        server.log.release()
        assert other.receives_any().get("from") == "romeo@montague.example/orchard"

    def test_what_is_for_others_passes(self, server: Server, romeo: Client, juliet: Client) -> None:
        """A message that waits holds up nothing but what is for the same account."""
        server.log.hold()
        say(romeo, "one")
        romeo.sends("<iq to='montague.example' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert romeo.receives_any().get("id") == "p"
        juliet.receives_nothing()


class TestSettlement:
    """When a stanza is settled."""

    def test_not_before_the_commit(self, server: Server, romeo: Client, juliet: Client) -> None:
        """What is stored is settled when it is committed; with all that came before it."""
        session = server.session(romeo.jid)
        before = session.gate.settled
        server.log.hold()
        say(romeo, "one")
        romeo.sends("<iq to='montague.example' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert session.gate.received == before + 2
        assert session.gate.settled == before
        server.log.release()
        assert session.gate.settled == before + 2

    def test_an_error_settles(self, server: Server, romeo: Client, juliet: Client) -> None:
        """A message that cannot be stored is answered with an error, and goes to nobody; the next one is stored."""
        session = server.session(romeo.jid)
        server.log.fail(StorageUnavailable("the shard is down"))
        say(romeo, "one")
        romeo.receives_error("resource-constraint", "wait", id="one")
        assert session.gate.settled == session.gate.received
        juliet.receives_nothing()
        server.log.fail(None)
        say(romeo, "two")
        hears(juliet, "two")

    def test_who_has_left_is_no_trouble(self, server: Server, romeo: Client, juliet: Client) -> None:
        """A sender that is gone when its message is committed: the message goes its way."""
        server.log.hold()
        say(romeo, "one")
        romeo.loses_connection()
        server.log.release()
        hears(juliet, "one")


class TestResending:
    """A message that a client sends again as it does not know whether it arrived."""

    def test_it_is_stored_once(self, server: Server, romeo: Client, juliet: Client) -> None:
        """The same origin id in a new session: nobody gets it twice."""
        text = """
            <message to='juliet@capulet.example' type='chat' id='a'>
              <body>Wherefore?</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>
            </message>"""
        romeo.sends(text)
        juliet.forgets()
        romeo.loses_connection()
        again = server.online("romeo@montague.example/orchard")
        again.sends(text)
        juliet.receives_nothing()
        again.receives_nothing()

    def test_without_an_origin_id_all_must_be_the_same(self, server: Server, romeo: Client, juliet: Client) -> None:
        """The resource, the id and the content; or else it is another message."""
        say(romeo, "one")
        juliet.forgets()
        romeo.loses_connection()
        again = server.online("romeo@montague.example/orchard")
        say(again, "one")
        juliet.receives_nothing()
        again.sends("<message to='juliet@capulet.example' type='chat' id='one'><body>another</body></message>")
        assert juliet.receives_any().findtext("{jabber:client}body") == "another"

    def test_only_in_the_beginning(self, server: Server, romeo: Client, juliet: Client) -> None:
        """Two minutes into a session a client does not repeat anything any more."""
        say(romeo, "one")
        juliet.forgets()
        server.advance(minutes=3)
        romeo.forgets()
        juliet.forgets()
        say(romeo, "one")
        hears(juliet, "one")

    def test_what_has_no_id_is_never_the_same(self, server: Server, romeo: Client, juliet: Client) -> None:
        """Without any id two messages are two."""
        for _ in range(2):
            romeo.sends("<message to='juliet@capulet.example' type='chat'><body>Ay me!</body></message>")
            assert juliet.receives_any().findtext("{jabber:client}body") == "Ay me!"


class TestMuchWaits:
    """Whatever waits behind a message is bounded: its sender is not read meanwhile (architecture rule 8)."""

    @pytest.mark.parametrize(
        "stanza",
        [
            "<iq to='juliet@capulet.example/balcony' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<presence to='juliet@capulet.example'/>",
            "<presence/>",
            "<message to='juliet@capulet.example' type='headline'><body>News.</body></message>",
        ],
    )
    def test_many(self, server: Server, romeo: Client, juliet: Client, stanza: str) -> None:
        """However small they are, and also if they wait for no commit of their own."""
        server.log.hold()
        say(romeo, "one")
        for _ in range(MOST_STANZAS + 100):
            romeo.sends(stanza)
        assert romeo.connection.is_paused
        juliet.receives_nothing()
        server.log.release()
        hears(juliet, "one")
        server.run()
        assert not romeo.connection.is_paused

    def test_large_ones(self, server: Server, romeo: Client, juliet: Client) -> None:
        """However few they are."""
        server.log.hold()
        say(romeo, "one")
        for _ in range(12):
            romeo.sends(f"<message to='juliet@capulet.example' type='headline'><body>{'x' * 100_000}</body></message>")
        assert romeo.connection.is_paused
        server.log.release()
        server.run()
        assert server.session(romeo.jid).gate.weight == 0
