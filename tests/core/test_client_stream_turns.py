"""The turns of a bound stream: by number, by time and by bytes; and the lines of the log that streams leave."""

from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.client_stream import LONGEST_TURN, SLICE, SLICES_PER_TURN
from xmppd.core.events import StanzaReceived
from xmppd.core.hooks import Phase, on

PING = "<iq id='{id}' type='get' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>"


class Toil:
    """Each stanza takes its time."""

    def __init__(self, server: Server, seconds: float) -> None:
        self._server = server
        self._seconds = seconds
        self.seen: list[str] = []

    @on(StanzaReceived, Phase.GUARD)
    async def work(self, event: StanzaReceived) -> None:
        self._server.clock.rightNow += self._seconds
        self.seen.append(event.stanza.id or "")


@pytest.fixture
def juliet(server: Server) -> Client:
    return server.connect("juliet@capulet.example/balcony")


def gives(client: Client, data: str) -> None:
    """Let bytes arrive, and nothing of later turns happen yet."""
    client.connection.waiting.append(data.encode())
    client.connection.pass_on()


def pings(count: int, pad: int = 0) -> str:
    return "".join(PING.format(id=number) + " " * pad for number in range(count))


def test_stanzas_that_take_long(server: Server, juliet: Client) -> None:
    """A turn ends when its time is over, whatever its number of stanzas; each later turn, too."""
    toil = Toil(server, 0.6 * LONGEST_TURN)
    server.node.hooks.bind("toil", toil)
    gives(juliet, pings(7))
    assert len(toil.seen) == 2
    assert juliet.connection.is_paused
    turns = []
    while server._soon:
        server._soon.popleft()()
        turns.append(len(toil.seen))
    assert turns[:2] == [4, 6]
    assert toil.seen == [str(number) for number in range(7)]
    assert not juliet.connection.is_paused


def test_a_large_piece(server: Server, juliet: Client) -> None:
    """What comes in one large piece is parsed slice by slice, and in order."""
    toil = Toil(server, 0.0)
    server.node.hooks.bind("toil", toil)
    gives(juliet, pings(3, pad=SLICE * SLICES_PER_TURN))
    assert toil.seen == []
    assert juliet.connection.is_paused
    server.run()
    assert toil.seen == ["0", "1", "2"]
    assert not juliet.connection.is_paused


def test_a_large_piece_behind_one_that_waits(server: Server, juliet: Client) -> None:
    """Bytes never overtake stanzas."""
    toil = Toil(server, 2 * LONGEST_TURN)
    server.node.hooks.bind("toil", toil)
    gives(juliet, pings(3))
    juliet.driver.take((PING.format(id="last") + " " * SLICE).encode())
    server.run()
    assert toil.seen == ["0", "1", "2", "last"]


def test_an_error_in_a_large_piece(server: Server, juliet: Client) -> None:
    """Stanzas before the fault are answered, and nothing behind it is kept."""
    juliet.sends(pings(30) + "<a:b/>" + " " * 5 * SLICE)
    assert [juliet.receives_any().get("id") for _ in range(30)] == [str(number) for number in range(30)]
    juliet.receives_stream_error("bad-namespace-prefix")
    assert juliet.driver._unread == b""


def test_the_end_in_a_large_piece(server: Server, juliet: Client) -> None:
    """RFC 6120, 4.4: so with the end of the stream."""
    juliet.sends(pings(30) + "</stream:stream>" + " " * 5 * SLICE)
    assert len([juliet.receives_any() for _ in range(30)]) == 30
    assert juliet.is_disconnected


def test_lines_about_ends(server: Server) -> None:
    """Streams that strangers break fill no log: so many lines, then their number."""
    lines: list[dict[str, Any]] = []

    def note(event: dict[str, Any]) -> None:
        if event["log_namespace"] == "c2s":
            lines.append(event)

    globalLogPublisher.addObserver(note)
    try:
        for _ in range(150):
            server.connection().sends("<")
            server.connection().sends("<a>&b;")
        assert len(lines) == 100
        server.advance(10)
        server.connection().sends("<a>&b;")
    finally:
        globalLogPublisher.removeObserver(note)
    assert lines[100]["count"] == 50
    assert len(lines) == 102
