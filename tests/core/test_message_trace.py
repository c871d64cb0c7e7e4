"""What became of a message."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import NOON, Server
from xmppd.core import message_trace
from xmppd.core.events import Delivering, StanzaReceived
from xmppd.core.message_log import ARCHIVE, CHAT, RECEIVED, Row, id_at
from xmppd.core.message_trace import Happening, MessageTrace, Recorder, What, marks_in
from xmppd.core.seam import Seam
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

ORCHARD = Jid("romeo@montague.example/orchard")
BALCONY = Jid("juliet@capulet.example/balcony")
ROMEO, JULIET = ORCHARD.bare, BALCONY.bare
HARK = f"<message to='{JULIET}' type='chat' id='m1'><body>hark</body></message>"


def trace_of(server: Server, recorder: Recorder | None = None) -> MessageTrace:
    node = server.node
    return MessageTrace(node.log, node.router.inboxes, node.sessions, recorder)


def steps(server: Server, name: str = "m1", recorder: Recorder | None = None, since: int = 0) -> list[tuple[str, str]]:
    """Return what happened, and where."""
    found = server.wait(trace_of(server, recorder).find(name, since))
    return [(happening.what, happening.where) for happening in found]


@pytest.fixture
def romeo(server: Server) -> Client:
    server.account(JULIET)
    return server.online(ORCHARD)


def sends(client: Client, xml: str) -> None:
    client.sends(xml)
    client.server.run()


@pytest.fixture
def recorder(server: Server) -> Recorder:
    """A recorder that hears of everything."""
    made = Recorder(server.clock)
    node = server.node
    node.hooks.tap = made.see
    Seam(node.router.inboxes, "delivered").open(made.delivered)
    Seam(node.clients.management, "acknowledged").open(made.acknowledged)
    return made


# From the log


def test_message_that_waits(server: Server, romeo: Client) -> None:
    """It was received from a session, committed for both sides, and waits."""
    sends(romeo, HARK)
    assert steps(server) == [
        ("received", ORCHARD),
        ("committed", JULIET),
        ("committed", ROMEO),
        ("waiting", JULIET),
    ]


def test_message_that_was_delivered(server: Server, romeo: Client) -> None:
    """It is known at once that it is delivered, and in which rows it is, since when."""
    server.online(BALCONY)
    sends(romeo, HARK)
    found = server.wait(trace_of(server).find("m1", 0))
    assert [happening.what for happening in found][-1] is What.DELIVERED
    committed = [happening for happening in found if happening.what is What.COMMITTED]
    assert all(happening.row and happening.when == pytest.approx(NOON) for happening in committed)


def test_message_that_is_not_acknowledged(server: Server, romeo: Client) -> None:
    """XEP-0198: a session that has been sent it has yet to say that it came."""
    juliet = server.online(BALCONY)
    juliet.sends("<enable xmlns='urn:xmpp:sm:3'/>")
    sends(romeo, HARK)
    assert steps(server)[-2:] == [("unacknowledged", BALCONY), ("waiting", JULIET)]
    sends(juliet, "<a xmlns='urn:xmpp:sm:3' h='1'/>")
    assert steps(server)[-1] == ("delivered", JULIET)


def test_what_came_back(server: Server, romeo: Client) -> None:
    """XEP-0184, XEP-0333: a receipt and a marker of the same conversation tell more, once each."""
    juliet = server.online(BALCONY)
    sends(romeo, HARK)
    for payload in (
        "<received xmlns='urn:xmpp:receipts' id='m1'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='m2'/>",
    ):
        sends(juliet, f"<message to='{ORCHARD}' type='chat'>{payload}</message>")
    assert steps(server)[-2:] == [("receipt", BALCONY), ("displayed", BALCONY)]


def test_marker_behind_a_long_talk(server: Server, romeo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for page by page, but not for ever."""
    monkeypatch.setattr(message_trace, "PAGE", 2)
    monkeypatch.setattr(message_trace, "LOOKED_AT", 6)
    juliet = server.online(BALCONY)
    sends(romeo, HARK)
    for number in range(4):
        sends(romeo, f"<message to='{JULIET}' type='chat' id='n{number}'><body>and</body></message>")
    marker = f"<message to='{ORCHARD}' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/></message>"
    sends(juliet, marker)
    assert steps(server)[-1] == ("displayed", BALCONY)
    monkeypatch.setattr(message_trace, "LOOKED_AT", 4)
    assert steps(server)[-1] == ("delivered", JULIET)


def test_origin_id(server: Server, romeo: Client) -> None:
    """XEP-0359: the sender's name for a message is its origin-id if it has one; markers use its id."""
    juliet = server.online(BALCONY)
    origin = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"
    sends(romeo, f"<message to='{JULIET}' type='chat' id='m1'><body>hark</body>{origin}</message>")
    sends(juliet, f"<message to='{ORCHARD}' type='chat'><received xmlns='urn:xmpp:receipts' id='m1'/></message>")
    assert steps(server, "o1")[-1] == ("receipt", BALCONY)
    assert steps(server, "m1") == []


def test_how_far_back(server: Server, romeo: Client) -> None:
    """Nothing is told of what is older than was asked for."""
    sends(romeo, HARK)
    assert steps(server, since=id_at(NOON + 60)) == []
    assert steps(server, "another") == []


def test_marks_are_looked_for_in_few_messages() -> None:
    """What mentions neither receipts nor markers is not parsed, so it may be anything."""
    row = Row(id_at(NOON), ROMEO, RECEIVED, CHAT, ARCHIVE, None, b"no XML")
    assert list(marks_in(row, {"m1"})) == []


# From a record


def test_record(server: Server, romeo: Client, recorder: Recorder) -> None:
    """While it runs every step has its session and its time."""
    juliet = server.online(BALCONY)
    juliet.sends("<enable xmlns='urn:xmpp:sm:3'/>")
    sends(romeo, HARK)
    server.advance(1)
    sends(juliet, "<a xmlns='urn:xmpp:sm:3' h='1'/>")
    found = server.wait(trace_of(server, recorder).find("m1", 0))
    assert [(happening.what, happening.where) for happening in found] == [
        ("received", ORCHARD),
        ("committed", JULIET),
        ("committed", ROMEO),
        ("handed over", BALCONY),
        ("acknowledged", BALCONY),
        ("delivered", JULIET),
    ]
    times = {happening.what: happening.when for happening in found}
    assert times[What.RECEIVED] == times[What.HANDED_OVER] == NOON
    assert times[What.ACKNOWLEDGED] == times[What.DELIVERED] == NOON + 1


def test_message_without_a_row(server: Server, romeo: Client, recorder: Recorder) -> None:
    """XEP-0334: of what is not stored the record alone knows."""
    server.online(BALCONY)
    hint = "<no-store xmlns='urn:xmpp:hints'/>"
    sends(romeo, f"<message to='{JULIET}' type='chat' id='m1'><body>hark</body>{hint}</message>")
    assert steps(server) == []
    assert steps(server, recorder=recorder) == [("received", ORCHARD), ("handed over", BALCONY)]


def test_ring(server: Server, romeo: Client) -> None:
    """It keeps no more than its size; the oldest events go."""
    recorder = Recorder(server.clock, 2)
    for number in range(5):
        recorder.delivered(JULIET, number)
    assert len(recorder) == 2
    assert list(recorder.about("", frozenset({(str(JULIET), 4)}))) == [Happening(What.DELIVERED, JULIET, NOON, 4)]


def test_only_messages_are_recorded(server: Server, romeo: Client) -> None:
    """Presence and IQs are nobody's question here; nor is what has no row when it is acknowledged."""
    recorder = Recorder(server.clock)
    session = server.session(ORCHARD)
    presence = Stanza.build("presence", to=None, from_=ORCHARD)
    recorder.see(StanzaReceived(session, presence))
    recorder.see(Delivering(session, presence))
    recorder.acknowledged(None, [(b"<presence/>", 0)])
    assert len(recorder) == 0
