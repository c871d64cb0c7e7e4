"""A script on a connection, against a peer that the test plays itself."""

import re

from bench.connection import Connection
from bench.dialogue import Dialogue, NegotiationError, Script
from bench.loop import Loop

from .peer import LIMIT, Peer


def test_a_script_hears_what_it_waits_for(loop: Loop, peer: Peer) -> None:
    """A pattern is matched wherever the stream is cut; what follows it is kept for the next one."""
    ended: list[NegotiationError | None] = []
    heard: list[bytes] = []

    def script(connection: Connection) -> Script:
        connection.send(b"one?")
        heard.append((yield re.compile(rb"<one/>")).group())
        heard.append((yield re.compile(rb"<two>(.)</two>")).group(1))

    Dialogue(peer.connection, script(peer.connection), lambda _, error: ended.append(error)).start()
    assert peer.hears(4) == b"one?"
    peer.socket.sendall(b" <on")
    loop.turn(LIMIT)
    assert heard == []
    peer.socket.sendall(b"e/><two>2</two><three/>")
    assert loop.until(lambda: ended == [None], LIMIT)
    assert heard == [b"<one/>", b"2"]


def test_a_script_that_fails_ends_with_its_error(loop: Loop, peer: Peer) -> None:
    """Whoever started the dialogue is told why."""
    ended: list[NegotiationError | None] = []

    def script() -> Script:
        yield re.compile(rb"<failure/>")
        raise NegotiationError("refused")

    Dialogue(peer.connection, script(), lambda _, error: ended.append(error)).start()
    peer.socket.sendall(b"<failure/>")
    assert loop.until(lambda: bool(ended), LIMIT)
    assert str(ended[0]) == "refused"


def test_a_script_whose_connection_ends_says_whose_it_was(loop: Loop, peer: Peer) -> None:
    """The account and what was heard last are in the error; the loss is the script's, not the scenario's."""
    ended: list[NegotiationError | None] = []

    def script() -> Script:
        yield re.compile(rb"<never/>")

    Dialogue(peer.connection, script(), lambda _, error: ended.append(error)).start()
    peer.socket.sendall(b"<other/>")
    loop.turn(LIMIT)
    peer.socket.close()
    assert loop.until(lambda: bool(ended), LIMIT)
    assert "romeo" in str(ended[0])
    assert "<other/>" in str(ended[0])
    assert loop.lost == 0
