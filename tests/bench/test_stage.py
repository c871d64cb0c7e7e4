"""Sessions of a run, against a server that is a few lines of the test's own."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from bench import stage as module
from bench.connection import Connection
from bench.dialogue import NegotiationError, Script
from bench.loop import Loop
from bench.negotiation import Target
from bench.stage import AT_ONCE, Arrivals, Stage

from .peer import LIMIT


@pytest.fixture
def target() -> Iterator[Target]:
    """A port that accepts, and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield Target("127.0.0.1", listener.getsockname()[1], b"localhost")


class Meter:
    """A server that uses what the test says, step by step."""

    def __init__(self, *steps: float) -> None:
        self.steps = list(steps)
        self.total = 0.0

    def cpu(self) -> float:
        self.total += self.steps.pop(0)
        return self.total


@pytest.fixture
def stage(target: Target) -> Iterator[Stage]:
    found = Stage(target, Meter())  # type: ignore[arg-type]
    yield found
    found.dismiss(list(found.loop.connections.values()))
    found.loop.epoll.close()


def at_once(connection: Connection, target: Target) -> Script:
    """A login that is through before it has begun."""
    return
    yield


def never(connection: Connection, target: Target) -> Script:
    """One that waits."""
    yield module.re.compile(b"never")


def refused(connection: Connection, target: Target) -> Script:
    """One that fails for the second user."""
    if connection.name == b"user1":
        raise NegotiationError("refused")
    yield from at_once(connection, target)


def test_so_many_come_at_once(target: Target) -> None:
    """The next one comes when one is through."""
    loop = Loop()
    arrivals = Arrivals(loop, target, never, [b"user%d" % number for number in range(AT_ONCE + 5)])
    arrivals.fill()
    assert len(arrivals.connections) == AT_ONCE
    assert not arrivals.settled()
    arrivals._done(arrivals.connections[0], None)
    assert len(arrivals.connections) == AT_ONCE + 1
    for connection in arrivals.connections:
        connection.close()
    loop.epoll.close()


def test_all_of_them_in_the_order_of_their_names(stage: Stage) -> None:
    """More than may come at once."""
    names = [b"user%d" % number for number in range(AT_ONCE + 5)]
    assert [connection.name for connection in stage.bring(names, at_once)] == names


def test_the_first_failure_ends_it(stage: Stage) -> None:
    """It is told as it is."""
    with pytest.raises(NegotiationError, match="refused"):
        stage.bring([b"user0", b"user1", b"user2"], refused)


def test_patience_has_an_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many have come is told."""
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with pytest.raises(NegotiationError, match="0 of 2 came in 0 s"):
        stage.bring([b"user0", b"user1"], never)


@pytest.mark.parametrize(
    ("steps", "limit", "is_calm", "left"),
    [
        ([0.0, 0.0, 0.0, 9.0], 30.0, True, 1),
        ([0.0, 0.5, 0.0, 0.5, 0.0, 0.0, 9.0], 30.0, True, 1),
        ([0.0, 0.5, 0.5, 9.0], 0.5, False, 1),
    ],
)
def test_calm(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, steps: list[float], limit: float, is_calm: bool, left: int
) -> None:
    """Two quiet steps in a row are calm; a server that works on is given up."""
    monkeypatch.setattr(stage.loop, "run", lambda seconds: None)
    meter: Any = Meter(*steps)
    stage.meter = meter
    assert stage.calm(limit) == is_calm
    assert len(meter.steps) == left


class Answers:
    """Connections whose pings are answered, in pieces."""

    def __init__(self, stage: Stage, *pieces: bytes) -> None:
        self.receive: Any = None
        self.pieces = pieces
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        for piece in self.pieces:
            self.receive(piece)


def test_a_barrier_is_passed_when_every_ping_is_answered(stage: Stage) -> None:
    """Wherever the stream is cut; whatever else comes meanwhile."""
    connections: Any = [
        Answers(stage, b"<message/><iq type='result' id='b", b"1'/>"),
        Answers(stage, b'<iq id="b1" type="result"/>'),
    ]
    stage.barrier(connections, b"b1")
    assert all(b"id='b1'" in connection.sent[0] for connection in connections)


def test_a_ping_without_an_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many are missing is told; an answer to another ping is none."""
    monkeypatch.setattr(stage.loop, "until", lambda holds, limit: holds())
    connections: Any = [Answers(stage, b"<iq id='b1'/>"), Answers(stage, b"<iq id='b10'/>")]
    with pytest.raises(NegotiationError, match="1 of 2 pings"):
        stage.barrier(connections, b"b1")


def test_a_script_on_a_session_that_is_there(stage: Stage) -> None:
    """It runs to its end; what goes wrong is told, and so is that nothing goes on."""
    (session,) = stage.bring([b"user0"], at_once)
    stage.converse(session, at_once(session, stage.target))
    session.name = b"user1"
    with pytest.raises(NegotiationError, match="refused"):
        stage.converse(session, refused(session, stage.target))


def test_a_script_that_comes_to_no_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose it was is told."""
    (session,) = stage.bring([b"user0"], at_once)
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with pytest.raises(NegotiationError, match="user0: no end after 0 s"):
        stage.converse(session, never(session, stage.target))


def test_losses(stage: Stage) -> None:
    """A connection that the server ends spoils the figures; one that we end does not."""
    connections = stage.bring([b"user0"], at_once)
    stage.dismiss(connections)
    stage.unharmed()
    connections[0].count_loss("closed by the server")
    with pytest.raises(NegotiationError, match="1 connections were ended by the server"):
        stage.unharmed()
    assert stage.loop.until(lambda: not stage.loop.connections, LIMIT)
