"""The epoll loop: sockets that are ready are served, and a wait has an end."""

from bench.loop import Loop

from .peer import LIMIT, Peer


def test_nothing_is_ready(loop: Loop) -> None:
    """A turn without a wait returns at once, and a wait that is over says that it was in vain."""
    loop.turn(0.0)
    assert not loop.until(lambda: False, 0.0)


def test_what_holds_already_is_not_waited_for(loop: Loop) -> None:
    """No turn is taken."""
    turns: list[float] = []
    loop.turn = turns.append  # type: ignore[method-assign]
    assert loop.until(lambda: True, LIMIT)
    assert turns == []


def test_a_connection_that_was_removed_is_not_served(loop: Loop, peer: Peer) -> None:
    """Its socket is still open, and is somebody else's affair; removing it twice harms nothing."""
    heard: list[bytes] = []
    peer.connection.receive = heard.append
    loop.remove(peer.connection)
    loop.remove(peer.connection)
    peer.socket.sendall(b"unheard")
    loop.turn(0.0)
    loop.add(peer.connection)
    assert heard == []
    assert loop.until(lambda: heard == [b"unheard"], LIMIT)


def test_room_to_write_is_told_only_if_it_is_wanted(loop: Loop, peer: Peer) -> None:
    """An idle connection has room all the time; the loop would never rest."""
    events: list[int] = []
    ready = peer.connection.ready
    loop.connections[peer.connection.fd] = type(
        "Spy", (), {"ready": staticmethod(events.append), "close": lambda _: None}
    )()
    loop.turn(0.0)
    assert events == []
    loop.want_write(peer.connection, True)
    loop.turn(LIMIT)
    assert len(events) == 1
    loop.connections[peer.connection.fd] = peer.connection
    ready(events[0])
