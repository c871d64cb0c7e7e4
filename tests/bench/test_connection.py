"""A connection on the loop, a script on the connection: against a peer that the test plays itself."""

import re
import socket
from collections.abc import Iterator

import pytest

from bench.connection import Connection
from bench.dialogue import Dialogue, NegotiationError, Script
from bench.loop import Loop

LIMIT = 10.0  # seconds; never reached


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    for connection in list(loop.connections.values()):
        connection.close()
    loop.epoll.close()


class Peer:
    """The server's end of one connection."""

    def __init__(self, loop: Loop) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            host, port = listener.getsockname()
            self.connection = Connection(loop, host, port, b"romeo")
            self.socket = listener.accept()[0]

    def hears(self, size: int) -> bytes:
        heard = b""
        while len(heard) < size:
            heard += self.socket.recv(size - len(heard))
        return heard


@pytest.fixture
def peer(loop: Loop) -> Iterator[Peer]:
    peer = Peer(loop)
    yield peer
    peer.socket.close()


def test_bytes_go_both_ways(loop: Loop, peer: Peer) -> None:
    """What is sent arrives, what arrives is received."""
    received = bytearray()
    peer.connection.receive = received.extend
    peer.connection.send(b"hello")
    assert peer.hears(5) == b"hello"
    peer.socket.sendall(b"world")
    assert loop.until(lambda: received == b"world", LIMIT)


def test_what_the_socket_does_not_take_is_sent_later(loop: Loop, peer: Peer) -> None:
    """More than the kernel buffers arrives whole and in order."""
    data = bytes(range(256)) * 60_000
    peer.connection.send(data[:1000])
    peer.connection.send(data[1000:])
    peer.socket.setblocking(False)
    heard = bytearray()

    def read() -> bool:
        try:
            heard.extend(peer.socket.recv(1 << 20))
        except BlockingIOError:
            return False
        return len(heard) == len(data)

    assert loop.until(read, LIMIT)
    assert heard == data


def test_a_connection_that_the_server_ends_is_counted(loop: Loop, peer: Peer) -> None:
    """A scenario that has lost a session must know."""
    peer.socket.close()
    assert loop.until(lambda: loop.lost == 1, LIMIT)
    assert not peer.connection.open
    assert not loop.connections


def test_one_that_we_end_is_not(loop: Loop, peer: Peer) -> None:
    """RFC 6120, 4.4: the stream is ended first; that is no loss."""
    peer.connection.close()
    assert peer.hears(16) == b"</stream:stream>"
    assert loop.lost == 0
    peer.connection.send(b"too late")
    peer.connection.close()


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
