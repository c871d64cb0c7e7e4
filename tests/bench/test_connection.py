"""A connection on the loop, against a peer that the test plays itself."""

from bench.loop import Loop

from .peer import LIMIT, Peer


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
