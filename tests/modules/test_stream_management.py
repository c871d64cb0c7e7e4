"""XEP-0198: Stream Management, as a client sees it."""

import pytest

from tests.core.stream_management.clients import (
    JULIET,
    NS,
    REQUEST,
    ROMEO,
    SM,
    a,
    authenticated,
    condition,
    enables,
    message,
    resumable,
    resumes,
    stanzas,
)
from tests.scenario.client import Client
from tests.scenario.server import PASSWORD, Server
from xmppd.protocol.jid import Jid


@pytest.fixture
def juliet(server: Server) -> Client:
    return server.online(JULIET)


@pytest.fixture
def romeo(server: Server) -> Client:
    return server.online(ROMEO)


class TestFeature:
    """Stream Feature."""

    def test_offered_behind_authentication(self, server: Server) -> None:
        """It is offered beside resource binding, and not before."""
        server.account(JULIET)
        client = server.connection()
        assert client.opens("capulet.example").find(f"{SM}sm") is None
        client.authenticates("juliet", PASSWORD)
        assert client.opens("capulet.example").find(f"{SM}sm") is not None

    def test_module_unloaded(self, server: Server, juliet: Client) -> None:
        """Without the module it is not offered, nor enabled; who has enabled it goes on."""
        enables(juliet)
        server.wait(server.node.loader.unload("stream_management"))
        client = authenticated(server)
        client.sends(f"<resume xmlns='{NS}' previd='x' h='0'/>")
        client.receives_stream_error("unsupported-stanza-type")
        juliet.sends(REQUEST)
        juliet.receives(a(0))
        other = server.connect("juliet@capulet.example/chamber")
        assert condition(enables(other)) == "feature-not-implemented"


class TestEnabling:
    """Enabling Stream Management."""

    def test_enabled(self, juliet: Client) -> None:
        """Without resumption there is no id."""
        juliet.sends(f"<enable xmlns='{NS}'/>")
        juliet.receives(f"<enabled xmlns='{NS}'/>")

    @pytest.mark.parametrize("resume", ["true", "1"])
    def test_with_resumption(self, juliet: Client, resume: str) -> None:
        """With resumption there is an id that nobody can guess, and a time."""
        juliet.sends(f"<enable xmlns='{NS}' resume='{resume}'/>")
        answer = juliet.receives(f"<enabled xmlns='{NS}' resume='true' id='{{any}}' max='600'/>")
        assert len(answer.attrib["id"]) == 32

    @pytest.mark.parametrize(("wish", "granted"), [("60", "60"), ("86400", "600")])
    def test_preferred_maximum(self, juliet: Client, wish: str, granted: str) -> None:
        """max: a shorter time than ours is honoured, a longer one is not."""
        assert enables(juliet, resume="true", max=wish).get("max") == granted

    def test_location(self, server: Server) -> None:
        """location: where the server prefers to be reconnected to."""
        server = Server(modules={"stream_management": {"location": "[2001:41D0:1:A49b::1]:9222"}})
        answer = enables(server.online(JULIET), resume="true")
        assert answer.get("location") == "[2001:41D0:1:A49b::1]:9222"

    def test_before_binding(self, server: Server) -> None:
        """Before resource binding it is unexpected; binding is possible all the same."""
        client = authenticated(server)
        client.sends(f"<enable xmlns='{NS}'/>")
        assert condition(client.receives_any()) == "unexpected-request"
        assert client.binds("balcony") == JULIET

    def test_before_authentication(self, server: Server) -> None:
        """Before authentication nothing of it is known."""
        client = server.connection()
        client.opens("capulet.example")
        client.sends(f"<enable xmlns='{NS}'/>")
        client.receives_stream_error("not-authorized")

    def test_twice(self, juliet: Client) -> None:
        """A second time it is unexpected, and what was enabled stays."""
        enables(juliet)
        assert condition(enables(juliet, resume="true")) == "unexpected-request"
        juliet.sends(REQUEST)
        juliet.receives(a(0))

    @pytest.mark.parametrize("attributes", [{"resume": "yes"}, {"max": "-1"}, {"max": "4294967296"}, {"max": "٣"}])
    def test_malformed(self, juliet: Client, attributes: dict[str, str]) -> None:
        """What is no boolean and no number is refused."""
        assert condition(enables(juliet, **attributes)) == "bad-request"

    def test_anonymous(self) -> None:
        """Who logs in as nobody cannot come back as the same one."""
        server = Server(anonymous=True)
        client = server.connection()
        client.opens("capulet.example")
        client.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
        client.receives_any()
        client.opens("capulet.example")
        client.binds("")
        assert enables(client, resume="true").attrib == {}


class TestAcks:
    """Acks."""

    def test_basic_acking_scenario(self, server: Server) -> None:
        """Basic Acking Scenario: each stanza is counted, each count is told when it is asked for."""
        romeo = server.connect(ROMEO)
        enables(romeo)
        romeo.sends(f"<iq id='ls72g593' type='get'><query xmlns='jabber:iq:roster'/></iq>{REQUEST}")
        assert romeo.receives_any().get("id") == "ls72g593"
        romeo.receives(a(1))
        romeo.sends(f"{a(1)}<presence/>{REQUEST}")
        assert romeo.receives_any().tag == "{jabber:client}presence"
        romeo.receives(a(2))
        romeo.sends(f"{a(2)}{message(to='juliet@capulet.example')}{REQUEST}")
        assert romeo.receives_any().get("type") == "error"
        romeo.receives(a(3))

    def test_efficient_acking_scenario(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Efficient Acking Scenario: one request for five stanzas, twice."""
        enables(romeo)
        for count in (5, 10):
            romeo.sends("".join(message(number) for number in range(5)) + REQUEST)
            told = [element for element in romeo.inbox if element.tag == f"{SM}a"]
            romeo.inbox.clear()
            assert told[-1].get("h") == str(count)

    def test_unrequested(self, romeo: Client) -> None:
        """Nothing is told that was not asked for."""
        enables(romeo)
        romeo.sends("<presence/>")
        romeo.receives_any()
        romeo.receives_nothing()

    def test_malformed_stanzas_count(self, romeo: Client) -> None:
        """A stanza that is answered with an error was handled."""
        enables(romeo)
        romeo.sends(f"<iq id='x' type='odd'/>{REQUEST}")
        romeo.receives_error("bad-request")
        romeo.receives(a(1))

    def test_not_enabled(self, juliet: Client) -> None:
        """Without it nobody knows what is meant."""
        juliet.sends(REQUEST)
        juliet.receives_stream_error("unsupported-stanza-type")


class TestErrors:
    """Error Handling."""

    def test_too_high(self, juliet: Client, romeo: Client) -> None:
        """Who acknowledges what was never sent is told how much was, and the stream ends."""
        enables(juliet)
        romeo.sends("".join(message(number) for number in range(8)))
        juliet.inbox.clear()
        juliet.sends(a(10))
        error = juliet.receives_any()
        assert error.find(f"{SM}handled-count-too-high").attrib == {"h": "10", "send-count": "8"}  # type: ignore[union-attr]
        juliet.is_disconnected()

    def test_backwards(self, juliet: Client, romeo: Client) -> None:
        """A count that goes back is as wrong."""
        enables(juliet)
        romeo.sends(message(1) + message(2))
        juliet.sends(a(2))
        stanzas(juliet)
        juliet.sends(a(1))
        juliet.receives_stream_error("undefined-condition")

    @pytest.mark.parametrize("h", ["", " h=''", " h='-1'", " h='+1'", " h='0x1'", " h='1.0'", " h='4294967296'"])
    def test_no_number(self, juliet: Client, h: str) -> None:
        """A count is a number below 2^32."""
        enables(juliet)
        juliet.sends(f"<a xmlns='{NS}'{h}/>")
        juliet.receives_stream_error("invalid-xml")


class TestClosure:
    """Stream Closure."""

    def test_in_order(self, server: Server, juliet: Client) -> None:
        """Who closes the stream ends the session at once, and there is nothing to resume."""
        chamber = server.online("juliet@capulet.example/chamber")
        id = resumable(juliet)
        juliet.disconnects()
        assert chamber.receives_any().get("type") == "unavailable"
        failed = resumes(server, id, 0).receives_any()
        assert (condition(failed), failed.get("h")) == ("item-not-found", None)

    def test_same_resource_bound(self, server: Server, juliet: Client) -> None:
        """A new session of the same resource ends the one that waits."""
        id = resumable(juliet)
        juliet.loses_connection()
        server.connect(JULIET)
        assert condition(resumes(server, id, 0).receives_any()) == "item-not-found"

    def test_account_disabled(self, server: Server, juliet: Client) -> None:
        """The sessions of an account that may not log in any more end, with a connection or without."""
        resumable(juliet)
        juliet.loses_connection()
        server.wait(server.node.accounts.set_enabled(Jid.parse("juliet@capulet.example"), False))
        assert len(server.node.sessions) == 0

    def test_node_stops(self, server: Server, juliet: Client) -> None:
        """When the server is stopped, nobody waits any more."""
        resumable(juliet)
        juliet.loses_connection()
        server.wait(server.node.stop())
        assert len(server.node.sessions) == 0
