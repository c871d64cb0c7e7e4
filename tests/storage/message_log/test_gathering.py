"""What is delivered waits in memory, and comes back if it could not be written."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from xmppd.core.message_log import StorageUnavailable
from xmppd.protocol.jid import Jid
from xmppd.storage.faults import SlotElsewhere
from xmppd.storage.jobs import failure
from xmppd.storage.message_log.cursors import Cursor, Cursors
from xmppd.storage.message_log.gathering import Gathering
from xmppd.storage.message_log.keys import Keys
from xmppd.storage.message_log.measures import LogMetrics

from .logs import JULIET, ROMEO


class Lane:
    """A lane whose answers the test gives."""

    def __init__(self) -> None:
        self.asked: list[Deferred[int]] = []
        self.rows: list[Any] = []

    def submit(self, name: str, call: Callable[..., Any], args: tuple[Any, ...], repeatable: bool) -> Deferred[int]:
        self.asked.append(Deferred())
        self.rows.append(args[1])
        return self.asked[-1]

    def fail(self, error: Exception) -> None:
        self.asked.pop().errback(failure(error))


class Subject:
    """A gathering over two lanes: Juliet has one of her own."""

    def __init__(self) -> None:
        self.lane, self.hers = Lane(), Lane()
        self.refreshed = 0
        self.refreshing: Callable[[], Deferred[None]] = lambda: succeed(None)
        self.metrics = LogMetrics()
        self.gathering = Gathering(Cursors(Keys(), True), self._lane_of, self._refresh, self.metrics)  # type: ignore[arg-type]

    def write(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self.gathering.write())

    def _lane_of(self, owner: Jid) -> Lane:
        return self.hers if owner == JULIET else self.lane

    def _refresh(self) -> Deferred[None]:
        self.refreshed += 1
        return self.refreshing()


@pytest.fixture
def subject() -> Subject:
    return Subject()


def test_gathers(subject: Subject) -> None:
    """What comes for one owner is one cursor."""
    subject.gathering.add(ROMEO, Cursor(5, frozenset([3])), [5])
    subject.gathering.add(ROMEO, Cursor(4), [4])
    assert Cursor(5) == subject.gathering.known(ROMEO)
    written = subject.write()
    assert [(Cursor(5), [4, 5])] == [row[1:] for row in subject.lane.rows[0]]
    subject.lane.asked.pop().callback(2)
    assert written.called
    assert (subject.metrics.cursors, subject.metrics.purged) == (1, 2)


def test_known_while_it_is_written(subject: Subject) -> None:
    """Nobody sees less than was told before, until it is stored."""
    subject.gathering.add(ROMEO, Cursor(5))
    subject.write()
    subject.gathering.add(ROMEO, Cursor(7))
    assert Cursor(7) == subject.gathering.known(ROMEO)
    assert subject.gathering
    subject.lane.asked.pop().callback(0)
    subject.gathering.drop(ROMEO)
    assert Cursor() == subject.gathering.known(ROMEO)
    assert not subject.gathering


def test_one_by_one(subject: Subject) -> None:
    """A second writing waits for the first, and writes what has come since."""
    subject.gathering.add(ROMEO, Cursor(5))
    subject.write()
    subject.gathering.add(ROMEO, Cursor(7))
    second = subject.write()
    assert len(subject.lane.asked) == 1
    subject.lane.asked.pop().callback(0)
    subject.lane.asked.pop().callback(0)
    assert second.called


def test_by_shard(subject: Subject) -> None:
    """Each shard gets its own; what one cannot write waits, what the other has written does not."""
    subject.gathering.add(ROMEO, Cursor(5), [5])
    subject.gathering.add(JULIET, Cursor(6))
    written = subject.write()
    subject.lane.fail(StorageUnavailable("shard 0 is down"))
    subject.hers.asked.pop().callback(0)
    assert written.called
    assert (Cursor(5), Cursor()) == (subject.gathering.known(ROMEO), subject.gathering.known(JULIET))


def test_moved(subject: Subject) -> None:
    """An owner that lives elsewhere by now: the map is read anew, and it is written the next time."""
    subject.gathering.add(ROMEO, Cursor(5))
    subject.write()
    subject.lane.fail(SlotElsewhere("slot 5"))
    assert subject.refreshed == 1
    assert Cursor(5) == subject.gathering.known(ROMEO)


def test_map_cannot_be_read(subject: Subject) -> None:
    """That does no harm: it waits."""
    subject.refreshing = lambda: fail(failure(StorageUnavailable("shard 0 is down")))
    subject.gathering.add(ROMEO, Cursor(5))
    written = subject.write()
    subject.lane.fail(SlotElsewhere("slot 5"))
    assert written.called
    assert Cursor(5) == subject.gathering.known(ROMEO)


def test_wrong(subject: Subject) -> None:
    """What can never be written is logged and not tried for ever."""
    subject.gathering.add(ROMEO, Cursor(2**70))
    subject.write()
    subject.lane.fail(OverflowError("int too large"))
    assert not subject.gathering
