"""A bound client's stream: order, fairness, faults, floods and silence (RFC 6120, 4, 8.1 and 10.1)."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.client_stream import ClientStream
from xmppd.core.events import SessionEnded, SessionSilent, StanzaReceived
from xmppd.core.hooks import Phase, Verdict, notice, on
from xmppd.core.session import Session
from xmppd.protocol.element import Element
from xmppd.protocol.errors import Forbidden, StreamError

PING = "<iq id='{id}' type='get' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>"


class Gate:
    """Lets a stanza whose id is "wait" wait, one whose id is "refuse" be refused, one whose id is "bug" fail."""

    def __init__(self) -> None:
        self.waiting: Deferred[None] = Deferred()
        self.seen: list[str] = []
        self.ended: list[tuple[str, str]] = []

    @on(StanzaReceived, Phase.GUARD)
    async def judge(self, event: StanzaReceived) -> None:
        words = (event.stanza.id or "").split()
        if "wait" in words:
            await self.waiting
        self.seen.append(event.stanza.id or "")
        if "refuse" in words:
            raise Forbidden("not you")
        if "bug" in words:
            raise KeyError("a bug")

    @notice(SessionEnded)
    async def note(self, event: SessionEnded) -> None:
        self.ended.append((event.session.jid, event.reason))


@pytest.fixture
def gate(server: Server) -> Gate:
    gate = Gate()
    server.node.hooks.bind("gate", gate)
    return gate


@pytest.fixture
def juliet(server: Server, gate: Gate) -> Client:
    return server.connect("juliet@capulet.example/balcony")


def ids(client: Client) -> list[str | None]:
    """Return the ids of what came, in order."""
    client.server.run()
    found = [element.get("id") for element in client.inbox]
    client.inbox.clear()
    return found


class TestOrder:
    """RFC 6120, 10.1: stanzas of one stream are handled one after the other."""

    def test_kept_while_one_waits(self, juliet: Client, gate: Gate) -> None:
        """What follows a stanza that waits, waits; then everything comes in order."""
        juliet.sends("".join(PING.format(id=id) for id in ("1", "wait", "3", "4")))
        assert gate.seen == ["1"]
        assert juliet.connection.is_paused
        juliet.sends(PING.format(id="5"))
        assert ids(juliet) == ["1"]
        gate.waiting.callback(None)
        assert ids(juliet) == ["wait", "3", "4", "5"]
        assert gate.seen == ["1", "wait", "3", "4", "5"]
        assert not juliet.connection.is_paused

    def test_last_one_waits(self, juliet: Client, gate: Gate) -> None:
        """The same if what follows comes in a later packet."""
        juliet.sends(PING.format(id="wait"))
        juliet.sends(PING.format(id="2"))
        juliet.sends(PING.format(id="3"))
        assert ids(juliet) == []
        gate.waiting.callback(None)
        assert ids(juliet) == ["wait", "2", "3"]

    def test_others_go_on(self, server: Server, juliet: Client, gate: Gate) -> None:
        """Nobody else waits for one client's stanza."""
        juliet.sends(PING.format(id="wait"))
        nurse = server.connect("nurse@capulet.example/kitchen")
        nurse.sends(PING.format(id="1"))
        assert ids(nurse) == ["1"]

    def test_end_waits_for_its_turn(self, juliet: Client, gate: Gate) -> None:
        """4.4: what came before the end tag is answered before the stream is closed."""
        juliet.sends(PING.format(id="wait") + PING.format(id="2") + "</stream:stream>")
        juliet.receives_nothing()
        assert not juliet.connection.closed
        gate.waiting.callback(None)
        assert ids(juliet) == ["wait", "2"]
        juliet.is_disconnected()
        assert gate.ended == [("juliet@capulet.example/balcony", "")]

    def test_fault_waits_for_its_turn(self, juliet: Client, gate: Gate) -> None:
        """What came before broken XML is answered before the error."""
        juliet.sends(PING.format(id="wait") + PING.format(id="2") + "<a></b>")
        gate.waiting.callback(None)
        juliet.server.run()
        assert [juliet.receives_any().get("id") for _ in range(2)] == ["wait", "2"]
        juliet.receives_stream_error("not-well-formed")


class TestFairness:
    """Architecture rule 8: a bounded number of stanzas per connection and turn."""

    def test_turns(self, server: Server, gate: Gate) -> None:
        """A flood is handled in portions, between which others have their turn; meanwhile nothing more is read."""
        juliet = server.connect("juliet@capulet.example/balcony")
        nurse = server.connect("nurse@capulet.example/kitchen")
        juliet.connection.waiting.append("".join(PING.format(id=str(id)) for id in range(70)).encode())
        juliet.connection.pass_on()
        assert len(gate.seen) == 20
        assert juliet.connection.is_paused
        nurse.connection.waiting.append(PING.format(id="nurse").encode())
        nurse.connection.pass_on()
        assert gate.seen[20] == "nurse"
        server.run()
        assert gate.seen[21:] == [str(id) for id in range(20, 70)]
        assert ids(juliet) == [str(id) for id in range(70)]
        assert not juliet.connection.is_paused

    def test_exactly_one_turn(self, server: Server, gate: Gate) -> None:
        """A portion that is just large enough pauses nothing."""
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.sends("".join(PING.format(id=str(id)) for id in range(20)))
        assert not juliet.connection.is_paused
        assert len(ids(juliet)) == 20

    def test_waiting_in_a_later_turn(self, server: Server, gate: Gate) -> None:
        """Order holds across turns in which one waits."""
        juliet = server.connect("juliet@capulet.example/balcony")
        names = [str(id) for id in range(25)] + ["wait"] + [str(id) for id in range(26, 60)]
        juliet.sends("".join(PING.format(id=id) for id in names))
        assert len(ids(juliet)) == 25
        gate.waiting.callback(None)
        assert ids(juliet) == names[25:]

    def test_lost_in_between(self, server: Server, gate: Gate) -> None:
        """What was put off for a connection that is lost is dropped."""
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.connection.waiting.append("".join(PING.format(id=str(id)) for id in range(70)).encode())
        juliet.connection.pass_on()
        juliet.loses_connection()
        assert len(gate.seen) == 20
        assert gate.ended == [("juliet@capulet.example/balcony", "connection reset")]


class TestErrors:
    """RFC 6120, 8.3: one stanza fails, the stream goes on."""

    @pytest.mark.parametrize("wait", [False, True])
    @pytest.mark.parametrize(("fault", "condition"), [("refuse", "forbidden"), ("bug", "internal-server-error")])
    def test_refusals_and_bugs(self, juliet: Client, gate: Gate, fault: str, condition: str, wait: bool) -> None:
        """A refusal is answered as it is, a bug as internal-server-error, before as behind a wait."""
        id = f"{fault} wait" if wait else fault
        juliet.sends(PING.format(id=id) + PING.format(id="2"))
        if wait:
            gate.waiting.callback(None)
        juliet.receives_error(condition, id=id)
        assert ids(juliet) == ["2"]

    @pytest.mark.parametrize(
        "stanza",
        [
            "<message id='refuse' type='error'/>",
            "<presence id='refuse' type='error'/>",
            "<iq id='refuse' type='result'/>",
            "<iq id='refuse' type='error'><error type='cancel'/></iq>",
            "<message id='1' type='error' to='a@b@c'/>",
            "<presence id='1' type='error' to='a@b@c'/>",
            "<iq id='1' type='result'><a xmlns='urn:x'/><b xmlns='urn:x'/></iq>",
            "<iq type='result'/>",
            "<iq type='error'/>",
            "<iq id='1' type='error' to='a@b@c'/>",
        ],
    )
    def test_errors_and_results_are_not_answered(self, juliet: Client, gate: Gate, stanza: str) -> None:
        """8.3.1 and 8.2.3: never an error for an error, nor for a result, whatever is wrong with them."""
        juliet.sends(stanza)
        juliet.receives_nothing()

    @pytest.mark.parametrize(
        ("stanza", "condition"),
        [
            ("<message id='1' to='a@b@c'/>", "jid-malformed"),
            ("<presence id='1' to='a@b@c'/>", "jid-malformed"),
            ("<iq id='1' type='get' to='a@b@c'><a xmlns='urn:x'/></iq>", "jid-malformed"),
            ("<iq id='1' type='subscribe' to='a@b@c'><a xmlns='urn:x'/></iq>", "jid-malformed"),
            ("<presence id='1' type='invisible'/>", "bad-request"),
            ("<iq id='1'><a xmlns='urn:x'/></iq>", "bad-request"),
            ("<iq id='1' type='subscribe'><a xmlns='urn:x'/></iq>", "bad-request"),
            ("<iq id='1' type='get'/>", "bad-request"),
            ("<iq id='1' type='set'><a xmlns='urn:x'/><b xmlns='urn:x'/></iq>", "bad-request"),
        ],
    )
    def test_malformed_stanzas(self, juliet: Client, gate: Gate, stanza: str, condition: str) -> None:
        """8.2.3 and 8.3.3.8: what is wrong with a stanza is told; it reaches nobody, and the stream goes on."""
        juliet.sends(stanza)
        error = juliet.receives_error(condition, type="modify", id="1")
        assert error.get("from") == "juliet@capulet.example"
        assert gate.seen == []
        juliet.sends(PING.format(id="2"))
        assert ids(juliet) == ["2"]

    def test_without_id(self, juliet: Client, gate: Gate) -> None:
        """8.2.3: an IQ without an id is answered all the same, without one."""
        juliet.sends("<iq type='get'><a xmlns='urn:x'/></iq>")
        assert juliet.receives_error("bad-request").get("id") is None

    def test_echo(self, juliet: Client, gate: Gate) -> None:
        """Whatever stands in an id comes back exactly, and breaks nothing."""
        for written, id in (
            ("it&apos;s", "it's"),
            ("a&quot;&lt;b&gt;&amp;", 'a"<b>&'),
            ("a&#10;b&#9;&#13;", "a\nb\t\r"),
        ):
            juliet.sends(f'<iq type="get" id="{written}"><a xmlns="urn:x"/></iq>')
            juliet.receives_error("service-unavailable", id=id)


class TestSender:
    """RFC 6120, 8.1.2.1: who sent it is who it is from."""

    @pytest.mark.parametrize(
        "sender", ["", "juliet@capulet.example", "juliet@capulet.example/balcony", "Juliet@CAPULET.example/balcony"]
    )
    def test_own_addresses(self, server: Server, juliet: Client, sender: str) -> None:
        """The client's own addresses are accepted, and what leaves has the full one."""
        romeo = server.connect("romeo@montague.example/garden")
        attribute = f" from='{sender}'" if sender else ""
        juliet.sends(f"<iq type='get' id='1'{attribute} to='romeo@montague.example/garden'><a xmlns='urn:x'/></iq>")
        assert romeo.receives_any().get("from") == "juliet@capulet.example/balcony"

    @pytest.mark.parametrize(
        "sender",
        [
            "romeo@montague.example",
            "juliet@capulet.example/chamber",
            "capulet.example",
            "",
            "a@b@c",
            "juliet@montague.example",
        ],
    )
    @pytest.mark.parametrize("kind", ["message", "presence", "iq"])
    def test_forged(self, server: Server, juliet: Client, kind: str, sender: str) -> None:
        """4.9.3.9: anything else ends the stream."""
        romeo = server.connect("romeo@montague.example/garden")
        juliet.sends(f"<{kind} from='{sender}' id='1' type='error' to='romeo@montague.example/garden'/>")
        juliet.receives_stream_error("invalid-from")
        romeo.receives_nothing()


class TestRelaying:
    """What one client sends and another gets."""

    def test_language_of_the_stream(self, server: Server) -> None:
        """8.1.5: a stanza that names no language has that of its sender's stream."""
        server.account("juliet@capulet.example")
        romeo = server.connect("romeo@montague.example/garden")
        juliet = server.connection()
        header = (
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' to='capulet.example' xml:lang='it'"
            " xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        juliet.sends(header)
        juliet.receives_any()
        juliet.authenticates("juliet", "pencil")
        juliet.sends(header)
        juliet.receives_any()
        juliet.binds("balcony")
        lang = "{http://www.w3.org/XML/1998/namespace}lang"
        for own, expected in (("", "it"), (" xml:lang='en'", "en"), (" xml:lang=''", "")):
            juliet.sends(f"<iq{own} type='get' id='1' to='romeo@montague.example/garden'><a xmlns='urn:x'/></iq>")
            assert romeo.receives_any().get(lang) == expected

    @pytest.mark.parametrize(
        "content",
        [
            "<xml:a xmlns:b='urn:x' b:c='1'/>",
            "<p:a xmlns:p='urn:p'><p:b/><stream:c/></p:a>",
            "<a xmlns=''/>",
            "<a xmlns='urn:x'>]]&gt;&#13;<![CDATA[<b>]]></a>",
        ],
    )
    def test_nothing_breaks_the_recipients_stream(self, server: Server, juliet: Client, content: str) -> None:
        """Whatever well-formed content one client sends, the other's stream stays well-formed."""
        romeo = server.connect("romeo@montague.example/garden")
        juliet.sends(f"<iq type='set' id='1' to='romeo@montague.example/garden'>{content}</iq>")
        assert len(romeo.receives_any()) == 1


class TestOtherElements:
    """What is no stanza."""

    def test_unknown(self, juliet: Client) -> None:
        """4.9.3.24: an element that nobody knows ends the stream."""
        juliet.sends("<a xmlns='urn:x'/>")
        juliet.receives_stream_error("unsupported-stanza-type")

    @pytest.mark.parametrize("element", ["auth", "starttls"])
    def test_negotiation_is_over(self, juliet: Client, element: str) -> None:
        """Nobody authenticates, or begins TLS, on a bound stream."""
        kind = "tls" if element == "starttls" else "sasl"
        juliet.sends(f"<{element} xmlns='urn:ietf:params:xml:ns:xmpp-{kind}'/>")
        juliet.receives_stream_error("unsupported-stanza-type")

    def test_error_of_the_client(self, juliet: Client, gate: Gate) -> None:
        """4.9.1.1: a stream error is not answered with another."""
        juliet.sends("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>")
        juliet.receives_nothing()
        juliet.is_disconnected()

    @pytest.mark.parametrize("wait", [False, True])
    @pytest.mark.parametrize(
        ("error", "condition"),
        [(None, None), (StreamError("policy-violation"), "policy-violation"), (KeyError("x"), "internal-server-error")],
    )
    def test_of_a_module(
        self, server: Server, juliet: Client, error: Exception | None, condition: str | None, wait: bool
    ) -> None:
        """A module may take elements of its own; its fault ends the stream, and the transport hears of nothing."""
        waiting: Deferred[None] = Deferred()
        taken: list[str] = []

        async def take(session: Session, element: Element) -> None:
            if wait:
                await waiting
            taken.append(element.name)
            if error is not None:
                raise error

        server.node.clients.nonzas["{urn:x}a"] = take
        juliet.sends("<a xmlns='urn:x'/>" + PING.format(id="2"))
        if wait:
            juliet.receives_nothing()
            waiting.callback(None)
        if condition is None:
            assert ids(juliet) == ["2"]
        else:
            juliet.receives_stream_error(condition)
        assert taken == ["{urn:x}a"]


class TestOverflow:
    """Architecture rule 8: who does not read costs nobody else."""

    @pytest.fixture
    def server(self) -> Server:
        return Server(limits={"send_buffer": 100_000})

    def test_client_that_does_not_read(self, server: Server, juliet: Client, gate: Gate) -> None:
        """More than the buffer may wait for nobody; the sender is not held up, and whose request was lost is told."""
        romeo = server.connect("romeo@montague.example/garden")
        juliet.stops_reading()
        for number in range(12):
            romeo.sends(
                f"<iq type='set' id='{number}' to='juliet@capulet.example/balcony'><a xmlns='urn:x'>{'x' * 10_000}</a></iq>"
            )
        assert juliet.connection.closed
        assert juliet.connection.unread < 110_000
        assert gate.ended[0][0] == "juliet@capulet.example/balcony"
        assert "resource-constraint" in gate.ended[0][1]
        for number in (9, 10, 11):
            romeo.receives_error("service-unavailable", id=str(number))

    def test_slow_client(self, server: Server, juliet: Client) -> None:
        """A client that catches up in time loses nothing."""
        romeo = server.connect("romeo@montague.example/garden")
        for _ in range(5):
            juliet.stops_reading()
            for number in range(9):
                romeo.sends(
                    f"<iq type='set' id='{number}' to='juliet@capulet.example/balcony'><a xmlns='urn:x'>{'x' * 10_000}</a></iq>"
                )
            juliet.reads_again()
            assert ids(juliet) == [str(number) for number in range(9)]

    def test_flood_that_is_not_read(self, server: Server, juliet: Client) -> None:
        """Answers to one's own flood count, too."""
        juliet.stops_reading()
        juliet.sends("".join(PING.format(id="x" * 1000) for _ in range(120)))
        assert juliet.connection.closed


class TestSilence:
    """RFC 6120, 4.6: dead connections."""

    class Asks:
        """Asks silent sessions for something."""

        def __init__(self) -> None:
            self.asked: list[str] = []

        @on(SessionSilent, Phase.GUARD)
        async def ask(self, event: SessionSilent) -> Verdict:
            self.asked.append(event.session.jid)
            return Verdict.HANDLED

    def test_living_client(self, server: Server) -> None:
        """4.6.1: who answers, or says anything, stays."""
        asks = self.Asks()
        server.node.hooks.bind("asks", asks)
        juliet = server.connect("juliet@capulet.example/balcony")
        for _ in range(4):
            server.advance(350)
            juliet.sends_bytes(b" ")
        assert len(asks.asked) == 4
        juliet.receives_nothing()

    def test_dead_client(self, server: Server) -> None:
        """4.6.3: who does not answer in time is gone."""
        server.node.hooks.bind("asks", self.Asks())
        juliet = server.connect("juliet@capulet.example/balcony")
        server.advance(300 + 60 + 2 * 20 + 2)
        juliet.receives_stream_error("connection-timeout")
        assert len(server.node.sessions) == 0

    def test_nobody_asks(self) -> None:
        """4.6.1: without a module that asks a space goes out, which nobody need answer."""
        server = Server(disable=("ping",))
        juliet = server.connect("juliet@capulet.example/balcony")
        juliet.raw = b""
        server.advance(minutes=30)
        assert set(juliet.raw) == set(b" ")
        assert 4 <= len(juliet.raw) <= 6
        juliet.receives_nothing()
        assert not juliet.connection.closed


class TestClosing:
    """The end of a stream, from our side."""

    def test_error_once(self, server: Server, juliet: Client, gate: Gate) -> None:
        """4.9.1.1: one error, one end tag, one end of the session, however often it is asked for."""
        for condition in ("conflict", "system-shutdown"):
            juliet.driver.close(StreamError(condition))
        juliet.driver.close()
        juliet.receives_stream_error("conflict")
        assert juliet.raw.count(b"</stream:stream>") == 1
        assert gate.ended == [("juliet@capulet.example/balcony", "conflict")]
        assert server.node.clients.counters.stream_errors == 1

    def test_nothing_is_handled_behind_it(self, juliet: Client, gate: Gate) -> None:
        """What arrives at a closed stream is not read, and nothing is written to it."""
        juliet.driver.close()
        juliet.driver.data_received(PING.format(id="1").encode())
        assert gate.seen == []
        assert not juliet.driver.write_stanza(b"<message/>")

    def test_answer_for_nobody(self, server: Server, juliet: Client, gate: Gate) -> None:
        """A handler that ends when the client is gone harms nothing."""
        juliet.sends(PING.format(id="wait") + PING.format(id="2"))
        juliet.loses_connection()
        gate.waiting.callback(None)
        server.run()
        assert gate.seen == ["wait"]

    def test_before_login(self, server: Server) -> None:
        """4.9.1.2: also a stream on which nothing was said is closed with a whole stream."""
        client = server.connection()
        client.driver.close(StreamError("system-shutdown"))
        client.receives_stream_error("system-shutdown")
        assert client.header["from"] == "montague.example"

    def test_limits_of_new_streams(self, server: Server) -> None:
        """Limits that change count for streams that are opened behind the change."""
        old = server.connect("juliet@capulet.example/balcony")
        server.node.clients.limits.stanza = type(server.node.clients.limits.stanza)("10 kB")
        server.node.clients.limits_changed()
        new = server.connect("juliet@capulet.example/chamber")
        large = PING.format(id="x" * 20_000)
        old.sends(large)
        assert len(ids(old)) == 1
        new.sends(large)
        new.receives_stream_error("policy-violation")


def test_wire(server: Server) -> None:
    """What the core and the modules may ask of a session's wire."""
    juliet = server.connect("juliet@capulet.example/balcony", peer_address="2001:db8::1")
    driver: Any = juliet.driver
    assert isinstance(driver, ClientStream)
    assert driver.peer_address == "2001:db8::1"
    assert driver.secure
    assert driver.connected_at == server.clock.seconds()
    counters = server.node.clients.counters
    assert (counters.connections, counters.logins, counters.login_failures) == (1, 1, 0)
