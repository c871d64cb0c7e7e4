"""Whether a process is ready, as its load balancer is told."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher

from xmppd.app.readiness import Readiness


class Shard:
    """A database; `answers` lets the looks at it end."""

    def __init__(self) -> None:
        self.down: str | None = None
        self.looks: list[Deferred[None]] = []

    def look(self) -> "Deferred[None]":
        self.looks.append(Deferred())
        return self.looks[-1]

    def answers(self, down: str | None = None) -> None:
        self.down = down
        self.looks[-1].callback(None)


@pytest.fixture
def shards() -> list[Any]:
    return [Shard(), Shard()]


@pytest.fixture
def readiness(shards: list[Any]) -> Readiness:
    return Readiness(lambda: True, shards)


def status(readiness: Readiness) -> int:
    return readiness.page()[0]


def test_starting(shards: list[Any]) -> None:
    """Before the listeners are open, and when they are closed, nobody is to come; the databases are left alone."""
    serving: list[bool] = []
    readiness = Readiness(lambda: bool(serving), shards)
    assert readiness.page()[::2] == (503, b"starting or stopping\n")
    assert shards[0].looks == []
    serving.append(True)
    assert readiness.page()[::2] == (200, b"ready\n")


def test_all_are_down(readiness: Readiness, shards: list[Any]) -> None:
    """A node without any database serves nobody."""
    for shard in shards:
        shard.down = "refused"
    assert readiness.page()[::2] == (503, b"not ready: all shards are down (0, 1)\n")


@pytest.mark.parametrize("number", [0, 1])
def test_some_are_down(readiness: Readiness, shards: list[Any], number: int) -> None:
    """The accounts of the others are served, so the node is ready; which are down is said."""
    shards[number].down = "refused"
    assert readiness.page()[::2] == (200, b"ready but for shards that are down: %d\n" % number)


def test_found_out_without_traffic(readiness: Readiness, shards: list[Any]) -> None:
    """Nobody else need ask a database for its end, and its return, to be noticed."""
    assert status(readiness) == 200
    for shard in shards:
        shard.answers("refused")
    assert status(readiness) == 503
    for shard in shards:
        shard.answers()
    assert status(readiness) == 200


def test_one_look_at_a_time(readiness: Readiness, shards: list[Any]) -> None:
    """A database that is frozen does not collect looks; another one is looked at meanwhile."""
    status(readiness)
    shards[1].answers()
    for _ in range(3):
        status(readiness)
    assert [len(shard.looks) for shard in shards] == [1, 2]


def test_look_that_fails(readiness: Readiness, shards: list[Any]) -> None:
    """A look that goes wrong is told, and is not the last."""
    logged: list[Any] = []
    globalLogPublisher.addObserver(logged.append)
    try:
        status(readiness)
        shards[0].looks[0].errback(ValueError("no such table"))
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert [event["log_failure"].type for event in logged if "log_failure" in event] == [ValueError]
    status(readiness)
    assert len(shards[0].looks) == 2
