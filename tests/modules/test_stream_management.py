"""XEP-0198: Stream Management, as a client sees it."""

from xml.etree import ElementTree as ET

import pytest

from tests.scenario.client import Client
from tests.scenario.server import PASSWORD, Server

NS = "urn:xmpp:sm:3"
SM = f"{{{NS}}}"
JULIET = "juliet@capulet.example/balcony"
ROMEO = "romeo@montague.example/orchard"
REQUEST = f"<r xmlns='{NS}'/>"


def a(h: int) -> str:
    """Return an acknowledgement."""
    return f"<a xmlns='{NS}' h='{h}'/>"


def message(number: int = 1, to: str = JULIET) -> str:
    """Return a message with a body."""
    return f"<message to='{to}' id='m{number}' type='chat'><body>{number}</body></message>"


def enables(client: Client, **attributes: str) -> ET.Element:
    """Enable stream management; return the answer."""
    client.forgets()
    written = "".join(f" {name}='{value}'" for name, value in attributes.items())
    client.sends(f"<enable xmlns='{NS}'{written}/>")
    return client.receives_any()


def resumable(client: Client, **attributes: str) -> str:
    """Enable it with resumption; return the id."""
    answer = enables(client, resume="true", **attributes)
    assert answer.tag == f"{SM}enabled"
    return answer.attrib["id"]


def authenticated(server: Server, jid: str = JULIET) -> Client:
    """Return a connection on which an account has authenticated and nothing else."""
    localpart, _, host = jid.partition("/")[0].partition("@")
    server.account(jid)
    client = server.connection()
    client.opens(host)
    client.authenticates(localpart, PASSWORD)
    client.opens(host)
    return client


def resumes(server: Server, id: str, h: int, jid: str = JULIET) -> Client:
    """Ask on a new connection for a session; what is answered waits there."""
    client = authenticated(server, jid)
    client.sends(f"<resume xmlns='{NS}' previd='{id}' h='{h}'/>")
    return client


def condition(failed: ET.Element) -> str:
    """Return the condition of a <failed/>."""
    assert failed.tag == f"{SM}failed", failed.tag
    return failed[0].tag.removeprefix("{urn:ietf:params:xml:ns:xmpp-stanzas}")


def stanzas(client: Client) -> list[str]:
    """Return the ids, or the kinds, of the stanzas that have come, and forget them; what is no stanza is dropped."""
    client.server.run()
    names = [element.get("id") or element.tag for element in client.inbox if element.tag.startswith("{jabber:client}")]
    client.inbox.clear()
    return names


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

    def test_asked_behind_ten(self, juliet: Client, romeo: Client) -> None:
        """The client is asked once for many stanzas, and not again until it has answered."""
        enables(juliet)
        romeo.sends("".join(message(number) for number in range(25)))
        requests = [number for number, element in enumerate(juliet.inbox) if element.tag == f"{SM}r"]
        assert requests == [10]
        juliet.inbox.clear()
        juliet.sends(a(25))
        romeo.sends("".join(message(number) for number in range(25, 37)))
        assert [element.tag for element in juliet.inbox].count(f"{SM}r") == 1

    def test_asked_for_much(self, juliet: Client, romeo: Client) -> None:
        """A stanza of many bytes is asked for at once."""
        enables(juliet)
        romeo.sends(f"<message to='{JULIET}'><body>{'a' * 20_000}</body></message>")
        assert [element.tag for element in juliet.inbox][-1] == f"{SM}r"

    def test_asked_when_idle(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A few stanzas are asked for once a second, and those that are acknowledged are not."""
        enables(juliet)
        romeo.sends(message())
        assert stanzas(juliet) == ["m1"]
        server.advance(1)
        juliet.receives(REQUEST)
        server.advance(5)
        juliet.receives_nothing()
        juliet.sends(a(1))
        romeo.sends(message(2))
        assert stanzas(juliet) == ["m2"]
        juliet.sends(a(2))
        server.advance(5)
        juliet.receives_nothing()

    def test_late_answer(self, server: Server, juliet: Client, romeo: Client) -> None:
        """An answer that does not count everything is followed by another request."""
        enables(juliet)
        romeo.sends(message(1) + message(2))
        juliet.sends(a(1))
        stanzas(juliet)
        server.advance(1)
        juliet.receives(REQUEST)

    def test_sign_of_life(self, server: Server, juliet: Client) -> None:
        """A silent client is asked for a count in lieu of a ping, even if there is nothing to count."""
        enables(juliet)
        server.advance(minutes=6)
        juliet.receives(REQUEST)
        juliet.sends(a(0))
        server.advance(minutes=4)
        assert not juliet.stream_ended


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


class TestResumption:
    """Resumption."""

    def test_resumed(self, server: Server, juliet: Client, romeo: Client) -> None:
        """The session goes on: what was lost is sent again in order, both counts are told, nobody has noticed."""
        id = resumable(juliet)
        romeo.sends(message(1) + message(2))
        juliet.sends(f"{a(1)}<iq id='one' to='capulet.example' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
        juliet.loses_connection()
        romeo.sends(message(3))
        romeo.receives_nothing()
        again = resumes(server, id, 1)
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='1'/>")
        assert stanzas(again) == ["m2", "one", "m3"]
        romeo.sends(message(4))
        assert stanzas(again) == ["m4"]
        again.sends(message(5, ROMEO))
        assert romeo.receives_any().get("from") == JULIET

    def test_counts_go_on(self, server: Server, juliet: Client, romeo: Client) -> None:
        """The sequence values are carried over."""
        id = resumable(juliet)
        juliet.sends("<presence><show>away</show></presence>")
        juliet.loses_connection()
        again = resumes(server, id, 1)
        again.receives_any()
        romeo.sends(message())
        again.sends(f"<presence/>{REQUEST}")
        told = [element.get("h") for element in again.inbox if element.tag == f"{SM}a"]
        assert told == ["2"]
        again.sends(a(3))
        again.sends(REQUEST)
        assert not again.stream_ended

    def test_twice(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A session can be resumed again and again, by the same id."""
        id = resumable(juliet)
        for number in range(3):
            (juliet if not number else again).loses_connection()  # noqa: F821  # the loop's last one
            romeo.sends(message(number))
            again = resumes(server, id, number)
            again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='0'/>")
            assert stanzas(again) == [f"m{number}"]

    def test_asked_at_once(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What is sent again is asked for."""
        id = resumable(juliet)
        romeo.sends(message())
        juliet.loses_connection()
        again = resumes(server, id, 0)
        assert [element.tag for element in again.inbox][-1] == f"{SM}r"

    def test_old_connection_open(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A connection that is still open is closed with a conflict, and the session handed over."""
        id = resumable(juliet)
        romeo.sends(message())
        assert stanzas(juliet) == ["m1"]
        again = resumes(server, id, 0)
        juliet.receives_stream_error("conflict")
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='0'/>")
        assert stanzas(again) == ["m1"]
        romeo.receives_nothing()

    def test_pipelined(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Stanzas may follow the request in one piece."""
        id = resumable(juliet)
        juliet.loses_connection()
        again = authenticated(server)
        again.sends(f"<resume xmlns='{NS}' previd='{id}' h='0'/>{message(1, ROMEO)}{REQUEST}")
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='0'/>")
        again.receives(a(0))  # at once what is settled, and more when it is
        again.receives(a(1))
        assert romeo.receives_any().get("id") == "m1"

    @pytest.mark.parametrize("jid", [ROMEO, "nurse@capulet.example/pantry"])
    def test_of_another_account(self, server: Server, juliet: Client, jid: str) -> None:
        """Another account's session is unknown, even if its id is not."""
        id = resumable(juliet)
        juliet.loses_connection()
        assert condition(resumes(server, id, 0, jid).receives_any()) == "item-not-found"
        assert resumes(server, id, 0).receives_any().tag == f"{SM}resumed"

    def test_unknown(self, server: Server) -> None:
        """An unknown id is told without a count, and a resource can be bound instead."""
        client = resumes(server, "some-long-sm-id", 0)
        failed = client.receives_any()
        assert (condition(failed), failed.get("h")) == ("item-not-found", None)
        assert client.binds("balcony") == JULIET

    @pytest.mark.parametrize("attributes", ["h='0'", "previd='' h='0'", "previd='x'", "previd='x' h='-1'"])
    def test_malformed(self, server: Server, attributes: str) -> None:
        """A request that names no session or no count is refused."""
        client = authenticated(server)
        client.sends(f"<resume xmlns='{NS}' {attributes}/>")
        assert condition(client.receives_any()) == "bad-request"

    def test_behind_binding(self, server: Server, juliet: Client) -> None:
        """Behind resource binding it is too late."""
        juliet.sends(f"<resume xmlns='{NS}' previd='x' h='0'/>")
        assert condition(juliet.receives_any()) == "unexpected-request"

    def test_too_high(self, server: Server, juliet: Client) -> None:
        """A count of what was never sent ends the stream, and the session too: nobody could make sense of it."""
        id = resumable(juliet)
        juliet.loses_connection()
        resumes(server, id, 7).receives_stream_error("undefined-condition")
        assert condition(resumes(server, id, 0).receives_any()) == "item-not-found"

    def test_without_resumption(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A session that cannot be resumed ends with its connection."""
        enables(juliet)
        juliet.loses_connection()
        assert server.node.sessions.of("juliet@capulet.example") == ()

    def test_too_many_tries(self, server: Server) -> None:
        """Nobody may guess for ever."""
        client = authenticated(server)
        client.sends(f"<resume xmlns='{NS}' previd='x' h='0'/>" * 21)
        assert client.stream_ended


class TestTimeOut:
    """Resumption: until when."""

    def test_timed_out(self, server: Server, juliet: Client) -> None:
        """Too late the answer has the count; contacts learn that the resource is gone when its time is over."""
        chamber = server.online("juliet@capulet.example/chamber")
        id = resumable(juliet, max="120")
        juliet.sends("<presence><show>away</show></presence>")
        chamber.forgets()
        juliet.loses_connection()
        server.advance(119)
        chamber.receives_nothing()
        server.advance(2)
        assert chamber.receives_any().get("type") == "unavailable"
        failed = resumes(server, id, 1).receives_any()
        assert (condition(failed), failed.get("h")) == ("item-not-found", "1")

    def test_count_forgotten(self, server: Server, juliet: Client) -> None:
        """Some time later the count is forgotten; and nobody else was ever told it."""
        id = resumable(juliet)
        juliet.loses_connection()
        server.advance(minutes=11)
        assert resumes(server, id, 1, ROMEO).receives_any().get("h") is None
        assert resumes(server, id, 1).receives_any().get("h") == "0"
        server.advance(minutes=11)
        assert resumes(server, id, 1).receives_any().get("h") is None

    def test_wish(self, server: Server, juliet: Client) -> None:
        """The client's smaller wish is honoured."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        server.advance(59)
        assert len(server.node.sessions.of("juliet@capulet.example")) == 1
        server.advance(2)
        assert len(server.node.sessions.of("juliet@capulet.example")) == 0

    def test_resumed_in_time(self, server: Server, juliet: Client) -> None:
        """Who has come back is not timed out."""
        id = resumable(juliet)
        juliet.loses_connection()
        again = resumes(server, id, 0)
        again.forgets()
        server.advance(minutes=4)
        again.sends("<presence/>")
        server.advance(minutes=4)
        again.sends("<presence/>")
        server.advance(minutes=4)
        assert len(server.node.sessions.of("juliet@capulet.example")) == 1

    def test_no_answer(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A connection on which no acknowledgement comes is given up, and the session waits."""
        id = resumable(juliet)
        romeo.sends(message())
        server.advance(minutes=2)
        assert juliet.stream_ended
        again = resumes(server, id, 0)
        again.receives_any()
        assert stanzas(again) == ["m1"]

    def test_no_sign_of_life(self, server: Server, juliet: Client) -> None:
        """A silent client's session waits, too."""
        id = resumable(juliet)
        server.advance(minutes=8)
        assert juliet.stream_ended
        assert resumes(server, id, 0).receives_any().tag == f"{SM}resumed"


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
        from xmppd.protocol.jid import Jid

        server.wait(server.node.accounts.set_enabled(Jid.parse("juliet@capulet.example"), False))
        assert len(server.node.sessions) == 0

    def test_node_stops(self, server: Server, juliet: Client) -> None:
        """When the server is stopped, nobody waits any more."""
        resumable(juliet)
        juliet.loses_connection()
        server.wait(server.node.stop())
        assert len(server.node.sessions) == 0


class TestLeftovers:
    """Acks: what is unacknowledged when the session ends is treated as sent to an unavailable resource."""

    def test_request_is_answered(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A request gets its error."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(f"<iq to='{JULIET}' id='v' type='get'><query xmlns='jabber:iq:version'/></iq>")
        romeo.receives_nothing()
        server.advance(61)
        assert romeo.receives_error("service-unavailable", id="v").get("from") == JULIET

    def test_kept_message_waits(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A message that is kept waits for the next session; its sender hears nothing."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(message())
        server.advance(61)
        romeo.receives_nothing()
        again = server.connect(JULIET)
        again.sends("<presence/>")
        assert "m1" in stanzas(again)

    def test_kept_message_goes_elsewhere(self, server: Server, juliet: Client, romeo: Client) -> None:
        """It goes to another resource at once, if there is one."""
        chamber = server.online("juliet@capulet.example/chamber")
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(message())
        chamber.forgets()
        server.advance(61)
        assert "m1" in stanzas(chamber)

    def test_other_message_is_bounced(self, server: Server, juliet: Client, romeo: Client) -> None:
        """One that is not kept and that nobody takes is bounced."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(
            f"<message to='{JULIET}' id='x' type='chat'><body>psst</body><no-store xmlns='urn:xmpp:hints'/></message>"
        )
        romeo.receives_nothing()
        server.advance(61)
        romeo.receives_error("service-unavailable", id="x")

    @pytest.mark.parametrize("type", ["headline", "error"])
    def test_nobody_hears_of_others(self, server: Server, juliet: Client, romeo: Client, type: str) -> None:
        """Headlines, errors and presence are dropped."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(f"<message to='{JULIET}' type='{type}'><body>x</body></message><presence to='{JULIET}'/>")
        server.advance(61)
        assert [element.get("type") for element in romeo.inbox] == ["unavailable"] * (len(romeo.inbox) > 0)

    def test_acknowledged_is_delivered(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What was acknowledged does not come again in another session."""
        resumable(juliet, max="60")
        romeo.sends(message(1) + message(2))
        juliet.sends(a(1))
        juliet.loses_connection()
        again = server.connect(JULIET)
        again.sends("<presence/>")
        came = stanzas(again)
        assert "m2" in came
        assert "m1" not in came


class TestLimits:
    """A quota for everything."""

    def test_queue_of_a_connection(self, romeo: Client) -> None:
        """A client that reads and never acknowledges is closed; messages are kept."""
        server = Server(modules={"stream_management": {"unacknowledged": 100}})
        juliet, romeo = server.online(JULIET), server.online(ROMEO)
        resumable(juliet)
        for number in range(101):
            romeo.sends(message(number))
        assert juliet.stream_ended
        assert server.node.sessions.of("juliet@capulet.example") == ()
        romeo.receives_nothing()

    def test_queue_of_a_hibernating_session(self) -> None:
        """A session for which too much waits ends, and messages wait in the log."""
        server = Server(modules={"stream_management": {"unacknowledged": 100}})
        juliet, romeo = server.online(JULIET), server.online(ROMEO)
        resumable(juliet)
        juliet.loses_connection()
        for number in range(101):
            romeo.sends(message(number))
        assert server.node.sessions.of("juliet@capulet.example") == ()
        romeo.receives_nothing()
        again = server.connect(JULIET)
        again.sends("<presence/>")
        assert len([id for id in stanzas(again) if id.startswith("m")]) == 101

    def test_catching_up_is_no_flood(self) -> None:
        """Whoever has missed more than may be unacknowledged reads it as fast as it acknowledges."""
        server = Server(modules={"stream_management": {"unacknowledged": 100}})
        romeo = server.online(ROMEO)
        server.account(JULIET)
        for number in range(300):
            romeo.sends(message(number))
        juliet = server.connect(JULIET)
        enables(juliet)
        juliet.sends("<presence/>")
        seen: list[str] = []
        count = 0
        while came := [element for element in juliet.inbox if element.tag.startswith("{jabber:client}")]:
            juliet.inbox.clear()
            count += len(came)
            seen += [element.get("id", "") for element in came if element.tag.endswith("message")]
            juliet.sends(a(count))
        assert seen == [f"m{number}" for number in range(300)]

    def test_per_account(self) -> None:
        """One session too many of an account ends the one that has waited longest."""
        server = Server(modules={"stream_management": {"hibernating_per_account": 2}})
        ids = []
        for resource in ("one", "two", "three"):
            client = server.connect(f"juliet@capulet.example/{resource}")
            ids.append(resumable(client))
            client.loses_connection()
            server.advance(1)
        assert [server_knows(server, id) for id in ids] == [False, True, True]

    def test_in_all(self) -> None:
        """Nor does the node keep any number of them."""
        server = Server(modules={"stream_management": {"hibernating": 2}})
        for name in ("romeo", "benvolio", "mercutio"):
            client = server.connect(f"{name}@montague.example/here")
            resumable(client)
            client.loses_connection()
        assert len(server.node.sessions) == 2
        assert server.node.sessions.of("romeo@montague.example") == ()

    @pytest.mark.parametrize("option", ["hibernating", "hibernating_per_account"])
    def test_none(self, option: str) -> None:
        """None may mean none."""
        server = Server(modules={"stream_management": {option: 0}})
        juliet = server.connect(JULIET)
        resumable(juliet)
        juliet.loses_connection()
        assert len(server.node.sessions) == 0

    def test_room_for_a_new_session(self) -> None:
        """At an account's limit of sessions, one that waits makes room for one that begins."""
        server = Server(limits={"sessions_per_account": 2})
        first = server.connect("juliet@capulet.example/one")
        server.connect("juliet@capulet.example/two")
        resumable(first)
        first.loses_connection()
        server.connect("juliet@capulet.example/three")
        assert [session.resource for session in server.node.sessions.of("juliet@capulet.example")] == ["two", "three"]

    def test_client_does_not_read(self) -> None:
        """A client that does not read is cut off; its session waits, with all that was written."""
        server = Server(limits={"send_buffer": 65_536})
        juliet, romeo = server.online(JULIET), server.online(ROMEO)
        id = resumable(juliet)
        juliet.stops_reading()
        for number in range(40):
            romeo.sends(f"<message to='{JULIET}' id='m{number}' type='chat'><body>{'a' * 5000}</body></message>")
        romeo.receives_nothing()
        again = resumes(server, id, 0)
        again.receives_any()
        assert stanzas(again) == [f"m{number}" for number in range(40)]


def server_knows(server: Server, id: str) -> bool:
    """Whether a session can be resumed."""
    return resumes(server, id, 0).receives_any().tag == f"{SM}resumed"


class TestSettlement:
    """Acknowledge only what is committed (architecture rule 7)."""

    def test_handler_waits(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What the lost connection had begun is settled before the count is told."""
        id = resumable(juliet)
        server.store.hold()
        juliet.sends(message(1, "nurse@capulet.example"))
        juliet.loses_connection()
        server.store.release()
        server.store.hold()
        server.store.release()
        again = resumes(server, id, 0)
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='1'/>")
        again.receives_error("service-unavailable", id="m1")
