"""The queue of one shard: what goes together, who is told what, and when it is sent again."""

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from xmppd.core.message_log import StorageUnavailable
from xmppd.storage.faults import SlotElsewhere
from xmppd.storage.jobs import failure
from xmppd.storage.message_log.batch import Item
from xmppd.storage.message_log.keys import Keys
from xmppd.storage.message_log.measures import LogMetrics
from xmppd.storage.message_log.postgres_append import Busy, MissingHead
from xmppd.storage.message_log.writer import PATIENCE, RETRY, Bounds, Writer

from .logs import JULIET, ROMEO, Told, received, sent
from .shard import Shard, lost


class Subject:
    """A writer, its loop and its clock."""

    def __init__(self, bounds: Bounds, gap: float = 0.0) -> None:
        self.shard = Shard()
        self.clock = Clock()
        self.metrics = LogMetrics()
        self.calls: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.refreshed = 0
        self.routed: list[Item] = []
        self.writer = Writer(
            self.shard,  # type: ignore[arg-type]
            self.shard,
            Keys(),
            self.clock,
            lambda function, *args: self.calls.append((function, args)),
            self._refresh,
            self._route,
            self.metrics,
            bounds,
            gap,
        )
        self.elsewhere: set[object] = set()  # owners that a newer map has on another shard

    def turn(self) -> None:
        """Make the calls that were asked for."""
        calls, self.calls = self.calls, []
        for function, args in calls:
            function(*args)

    def append(self, count: int = 1, told: Told | None = None, **entry: Any) -> Told:
        """Append so many rows, each by itself, in one turn."""
        told = told or Told()
        for _ in range(count):
            self.writer.append([received(**entry)], told)
        self.turn()
        return told

    def _refresh(self) -> Deferred[None]:
        self.refreshed += 1
        return succeed(None)

    def _route(self, item: Item) -> None:
        if item.entries[0].owner in self.elsewhere:
            self.routed.append(item)
        else:
            self.writer.add(item)


@pytest.fixture
def subject() -> Subject:
    """A writer with small bounds."""
    return Subject(Bounds(batch=4, batch_bytes=1000, rows=12, bytes=4000))


def unavailable(told: Told) -> bool:
    """Say whether all were told that the storage cannot be used."""
    return bool(told.heard) and all(isinstance(error, StorageUnavailable) for error in told.heard)


class TestGathering:
    """What goes together."""

    def test_one_turn(self, subject: Subject) -> None:
        """What one turn brings is one batch."""
        told = subject.append(3)
        assert subject.shard.rows == [3]
        subject.shard.commit()
        assert told.heard == [None] * 3

    def test_meanwhile(self, subject: Subject) -> None:
        """What comes while a batch is in flight is the next one."""
        subject.append()
        subject.append()
        subject.append(2)
        assert subject.shard.rows == [1]
        subject.shard.commit()
        subject.turn()
        assert subject.shard.rows == [1, 3]

    def test_what_a_waiter_appends(self, subject: Subject) -> None:
        """It goes with the next batch, whoever appended it."""
        told = Told()
        subject.writer.append([received()], lambda error: subject.writer.append([received()], told))
        subject.append()
        subject.shard.commit()
        subject.turn()
        assert subject.shard.rows == [2, 1]
        assert told.heard == []

    def test_measures(self, subject: Subject) -> None:
        """Rows, batches and how long a commit took."""
        subject.append(3)
        subject.clock.advance(0.015)
        subject.shard.commit()
        assert (subject.metrics.appended, subject.metrics.commit_seconds) == (3, pytest.approx(0.015))
        assert subject.metrics.batches == {"4": 1}
        assert subject.metrics.commits == {"0.02": 1}


class TestPace:
    """Small batches begin no more often than told; see `pace`."""

    @pytest.fixture
    def subject(self) -> Subject:
        """A writer whose small batches are a second apart."""
        subject = Subject(Bounds(), gap=1.0)
        subject.append()
        subject.shard.commit()
        return subject

    def test_the_second_batch_gathers(self, subject: Subject) -> None:
        """What comes soon behind the first one goes together."""
        for _ in range(3):
            subject.append()
            subject.clock.advance(0.25)
        assert subject.shard.rows == [1]

        subject.clock.advance(0.25)
        assert subject.shard.rows == [1, 3]

    def test_enough_goes_at_once(self, subject: Subject) -> None:
        """At the end of its turn, and once."""
        subject.append(1)
        subject.append(100)
        assert subject.shard.rows == [1, 101]

        subject.shard.commit()
        subject.clock.advance(5.0)
        subject.turn()
        assert len(subject.shard.rows) == 2

    def test_the_pause_ends_while_a_turn_ends(self, subject: Subject) -> None:
        """Then one batch goes, and nothing is lost."""
        told = subject.append(1)
        for _ in range(100):
            subject.writer.append([received()], told)
        subject.clock.advance(1.0)
        subject.turn()
        assert subject.shard.rows == [1, 101]

        subject.shard.commit()
        assert told.heard == [None] * 101

    def test_whoever_waits_for_all_hurries(self, subject: Subject) -> None:
        """It need not be in time for others."""
        subject.append(1)
        settled = subject.writer.settled()
        subject.turn()
        assert len(subject.shard.rows) == 2

        subject.shard.commit()
        assert settled.called


class TestBounds:
    """The queue is bounded."""

    def test_rows(self, subject: Subject) -> None:
        """Beyond it the waiter hears at once, in a turn of its own."""
        subject.append()
        queued = subject.append(12)
        refused = Told()
        subject.writer.append([received()], refused)
        assert refused.heard == []
        subject.turn()
        assert unavailable(refused)
        assert queued.heard == []
        assert subject.writer.rows == 12

    def test_closed(self, subject: Subject) -> None:
        """A closed writer commits what it has and takes no more."""
        told = subject.append(2)
        closed = Deferred.fromCoroutine(subject.writer.close())
        assert unavailable(subject.append())
        assert not closed.called
        subject.shard.commit()
        subject.turn()
        assert told.heard == [None, None]
        assert closed.called


class TestPatience:
    """Nobody waits for longer than ten seconds."""

    def test_never_sent(self, subject: Subject) -> None:
        """What was not sent by then fails, and never is."""
        subject.append()
        late = subject.append(2)
        subject.clock.advance(PATIENCE - 1)
        fresh = subject.append()
        subject.clock.advance(1)
        subject.writer.give_up_late()
        assert unavailable(late)
        assert fresh.heard == []
        subject.shard.commit()
        subject.turn()
        assert subject.shard.rows == [1, 1]

    def test_sent(self, subject: Subject) -> None:
        """What was sent is told that it takes too long, once; the answer that comes in the end tells nobody."""
        told = subject.append()
        subject.clock.advance(PATIENCE)
        subject.writer.give_up_late()
        subject.writer.give_up_late()
        subject.shard.commit()
        assert unavailable(told)
        assert len(told.heard) == 1

    def test_in_time(self, subject: Subject) -> None:
        """Before that nobody hears anything."""
        told = subject.append()
        subject.clock.advance(PATIENCE - 0.5)
        subject.writer.give_up_late()
        assert told.heard == []


class TestFaults:
    """What a batch may come to."""

    def test_wrong_row(self, subject: Subject) -> None:
        """The batch is halved until the wrong one is alone; the others keep their order."""
        told = Told()
        subject.shard.wrong = received("wrong").stanza
        for body in ("a", "b", "wrong", "c"):
            subject.writer.append([received(body)], told)
        subject.turn()
        while subject.calls or subject.writer.is_busy:
            if subject.calls:
                subject.turn()
            else:
                subject.shard.commit()
        assert [error is None for error in told.heard] == [True, True, False, True]
        assert subject.shard.rows == [2, 1]

    def test_file_that_is_opened_anew(self, subject: Subject) -> None:
        """On SQLite a commit that fails is one that failed."""
        error = lost()
        cause = error.__cause__
        assert cause is not None
        cause.sqlite_errorcode = 10  # type: ignore[attr-defined]
        told = subject.append()
        subject.shard.fail(error)
        assert unavailable(told)

    def test_each_batch_has_a_number(self, subject: Subject) -> None:
        """Halves are other batches than the whole."""
        subject.append(2)
        subject.shard.fail(ValueError("numeric value out of range"))
        for _ in range(2):
            subject.turn()
            subject.shard.commit()
        assert subject.shard.numbers == [1, 2, 3]

    def test_out_of_order(self, subject: Subject) -> None:
        """A shard that is down, full or read-only: nobody waits, nothing is sent again."""
        told = subject.append(3)
        subject.shard.fail(StorageUnavailable("shard 0 is down: refused"))
        assert unavailable(told)
        assert subject.metrics.refused == 3
        assert not subject.writer.is_busy

    def test_read_only(self, subject: Subject) -> None:
        """The connection is given up, yet the answer is certain."""
        told = subject.append()
        subject.shard.fail(lost("25006"))
        assert unavailable(told)

    def test_lock(self, subject: Subject) -> None:
        """A lock that does not come free is waited for again, under the same number."""
        told = subject.append()
        subject.shard.fail(Busy("canceling statement due to lock timeout"))
        subject.clock.advance(RETRY)
        subject.shard.commit()
        assert told.heard == [None]
        assert subject.shard.numbers == [1, 1]

    @pytest.mark.parametrize("state", (None, "57P01", "08006"))
    def test_lost_connection(self, subject: Subject, state: str | None) -> None:
        """Nobody knows whether it landed: it is sent again under its number."""
        told = subject.append()
        subject.shard.fail(lost(state))
        subject.clock.advance(RETRY)
        assert told.heard == []
        subject.shard.commit()
        assert told.heard == [None]
        assert subject.shard.numbers == [1, 1]
        assert subject.metrics.sent_again == 1

    def test_down_behind_a_lost_connection(self, subject: Subject) -> None:
        """What waits and what comes is refused at once; the doubtful batch waits for the shard to answer."""
        told = subject.append()
        queued = subject.append()
        subject.shard.fail(lost())
        subject.clock.advance(RETRY)
        subject.shard.fail(StorageUnavailable("shard 0 is down: refused"))
        assert unavailable(queued)
        assert unavailable(subject.append())
        assert told.heard == []
        subject.clock.advance(RETRY)
        subject.shard.commit()
        assert told.heard == [None]
        assert subject.append().heard == []

    def test_doubtful_for_too_long(self, subject: Subject) -> None:
        """Its waiters hear of it, and the next batch goes under the next number."""
        told = subject.append()
        subject.shard.fail(lost())
        subject.clock.advance(RETRY)
        subject.shard.fail(StorageUnavailable("shard 0 is down: refused"))
        subject.writer.give_up_late()
        assert told.heard == []
        subject.clock.rightNow += PATIENCE
        subject.writer.give_up_late()
        assert unavailable(told)
        assert subject.clock.getDelayedCalls() == []
        subject.append()
        assert subject.shard.numbers == [1, 1, 2]

    def test_doubtful_and_in_flight_for_too_long(self, subject: Subject) -> None:
        """When the answer is bad again it is not sent a third time."""
        told = subject.append()
        subject.shard.fail(lost())
        subject.clock.advance(RETRY)
        subject.clock.advance(PATIENCE)
        subject.writer.give_up_late()
        assert unavailable(told)
        subject.shard.fail(lost())
        assert not subject.writer.is_busy
        assert subject.clock.getDelayedCalls() == []

    def test_close_while_doubtful(self, subject: Subject) -> None:
        """There is no time for more tries."""
        told = subject.append()
        subject.shard.fail(lost())
        closed = Deferred.fromCoroutine(subject.writer.close())
        subject.clock.advance(RETRY)
        subject.shard.fail(lost())
        subject.turn()
        assert unavailable(told)
        assert closed.called

    def test_missing_head(self, subject: Subject) -> None:
        """What was believed of heads is forgotten, and the batch sent again."""
        told = subject.append()
        subject.shard.fail(MissingHead("a head is missing"))
        subject.shard.commit()
        assert told.heard == [None]
        assert subject.shard.forgotten == 1


class TestMoves:
    """An owner has moved to another shard."""

    def test_moved(self, subject: Subject) -> None:
        """What was sent and what waits goes, in order, where a newer map says."""
        told = Told()
        subject.writer.append([received()], told)
        subject.writer.append([sent()], told)
        subject.turn()
        subject.append(told=told)
        subject.elsewhere.add(JULIET)
        subject.shard.fail(SlotElsewhere("slot 5"))
        assert subject.refreshed == 1
        assert [item.entries[0].owner for item in subject.routed] == [JULIET]
        subject.turn()
        assert [[entry.owner for entry in batch.entries] for batch, _ in subject.shard.sent[1:]] == [[ROMEO, ROMEO]]

    def test_being_moved(self, subject: Subject) -> None:
        """The map says what it said before: only the owner that is refused fails."""
        told = Told()
        subject.writer.append([received()], told)
        subject.writer.append([sent()], told)
        subject.turn()
        subject.shard.fail(SlotElsewhere("slot 5"))
        subject.turn()
        subject.shard.fail(SlotElsewhere("slot 5"))
        subject.turn()
        subject.shard.fail(SlotElsewhere("slot 5"))
        subject.turn()
        subject.shard.commit()
        assert isinstance(told.heard[0], StorageUnavailable)
        assert told.heard[1] is None

    def test_map_cannot_be_read(self, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
        """Then the old one is all there is."""
        told = subject.append()
        deferred: Deferred[None] = Deferred()
        deferred.errback(failure(StorageUnavailable("shard 0 is down")))
        monkeypatch.setattr(subject.writer, "_refresh", lambda: deferred)
        subject.shard.fail(SlotElsewhere("slot 5"))
        subject.turn()
        subject.shard.fail(SlotElsewhere("slot 5"))
        assert unavailable(told)


class TestBarrier:
    """`settled` waits for what was queued before."""

    def test_settled(self, subject: Subject) -> None:
        """Not for what comes behind it; with nothing queued, nothing is sent."""
        subject.append()
        settled = subject.writer.settled()
        subject.append()
        subject.shard.commit()
        subject.turn()
        assert not settled.called
        subject.shard.commit()
        assert settled.called
        again = subject.writer.settled()
        subject.turn()
        assert again.called
        assert subject.shard.rows == [1, 1]

    def test_failure(self, subject: Subject) -> None:
        """It fires whatever became of what was before, be that moved or lost."""
        subject.append()
        settled = subject.writer.settled()
        subject.shard.fail(SlotElsewhere("slot 5"))
        subject.turn()
        subject.shard.fail(StorageUnavailable("shard 0 is down"))
        subject.turn()
        assert settled.called

    def test_a_waiter_that_fails(self, subject: Subject) -> None:
        """One that fails when it hears of a failure harms nobody."""

        def fail(error: Exception | None) -> None:
            raise LookupError("no such session")

        subject.writer.append([received()], fail)
        told = subject.append()
        subject.shard.fail(StorageUnavailable("shard 0 is down"))
        assert unavailable(told)
