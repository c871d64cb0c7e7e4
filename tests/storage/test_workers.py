"""Lanes: a bounded queue, threads, and answers in the loop's own thread."""

import threading
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from xmppd.core.shards import StorageUnavailable
from xmppd.storage import workers
from xmppd.storage.bells import LockBell
from xmppd.storage.jobs import Limits, Outage, Runner
from xmppd.storage.tallies import Tallies
from xmppd.storage.workers import InlineLane, ThreadLane, Worker

from .deployments import HANG, Loop
from .test_jobs import FakeLink, Time

LIMITS = Limits(threads=1, queue=5, patience=1000.0)


class Lanes:
    """Makes lanes on fake links, and ends them."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.time = Time()
        self.outage = Outage("shard 0", retry=1.0)
        self.tallies = Tallies("shard 0", slow=1000.0)
        self.made: list[ThreadLane] = []
        self.turns: list[Callable[..., object]] = []

    def soon(self, call: Callable[..., object]) -> None:
        """Note a call of the loop's own thread, and make it where the loop runs."""
        self.turns.append(call)
        self.loop.call(call)

    def runner(self) -> Runner[Any]:
        return Runner(FakeLink, self.outage, LIMITS.patience, self.time)  # type: ignore[arg-type]

    def threads(
        self, count: int = 1, limits: Limits = LIMITS, together: int = 1, *, prompt: bool = False
    ) -> ThreadLane:
        runners = [self.runner() for _ in range(count)]
        lane = ThreadLane(
            "test", runners, self.loop.call, limits, self.tallies, call_soon=self.soon, together=together, prompt=prompt
        )
        self.made.append(lane)
        return lane


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    made = Lanes()
    yield made
    for lane in made.made:
        made.loop.run(lane.close())


def submit(lane: ThreadLane, call: Callable[[Any], object], name: str = "test") -> Deferred[Any]:
    return lane.submit(name, call, (), True)


class TestThreadLane:
    """Threads do the work, the loop hears of it."""

    def test_work_is_done_elsewhere(self, lanes: Lanes) -> None:
        """The call is made in another thread, the answer comes in the loop's."""
        told: list[int] = []
        asked = submit(lanes.threads(), lambda link: threading.get_ident())
        asked.addCallback(lambda worker: told.extend((worker, threading.get_ident())))
        lanes.loop.run(asked)

        assert told[0] != threading.get_ident() == told[1]

    def test_failures(self, lanes: Lanes) -> None:
        """What is raised there is raised here."""

        def call(link: object) -> None:
            raise LookupError("no such room")

        with pytest.raises(LookupError, match="no such room"):
            lanes.loop.run(submit(lanes.threads(), call))

    def test_queue_is_bounded(self, lanes: Lanes) -> None:
        """Jobs beyond the limit are refused at once; there is room again when answers have been delivered."""
        lane, gate = lanes.threads(), Event()
        waiting = [submit(lane, lambda link: gate.wait(HANG)) for _ in range(LIMITS.queue)]
        with pytest.raises(StorageUnavailable, match="too many jobs wait"):
            lanes.loop.run(submit(lane, lambda link: None))

        gate.set()
        for asked in waiting:
            lanes.loop.run(asked)
        assert lanes.loop.run(submit(lane, lambda link: "done")) == "done"

    def test_order(self, lanes: Lanes) -> None:
        """One thread runs jobs in the order in which they were submitted."""
        lane, seen = lanes.threads(), []
        asked = [submit(lane, lambda link, n=n: seen.append(n)) for n in range(LIMITS.queue)]  # type: ignore[misc]
        for deferred in asked:
            lanes.loop.run(deferred)
        assert list(range(LIMITS.queue)) == seen

    def test_threads_work_at_the_same_time(self, lanes: Lanes) -> None:
        """Two jobs that wait for each other both end."""
        lane, meeting = lanes.threads(2), threading.Barrier(2)
        asked = [submit(lane, lambda link: meeting.wait(HANG)) for _ in range(2)]
        assert sorted(lanes.loop.run(deferred) for deferred in asked) == [0, 1]

    def test_jobs_are_taken_together(self, lanes: Lanes) -> None:
        """What waits while a thread is busy is taken in one go, up to the limit."""
        lane, started, gate = lanes.threads(together=3), Event(), Event()

        def first(link: object) -> None:
            started.set()
            gate.wait(HANG)

        asked = [submit(lane, first)]
        lanes.loop.turn()
        assert started.wait(HANG)
        asked += [submit(lane, lambda link: None) for _ in range(4)]
        taken = lane.take(Worker(lane, lanes.runner(), 3, LockBell()), 3)
        assert len(taken) == 3
        gate.set()
        for job in taken:
            job.outcome = None
        lane.finish(taken)
        for deferred in asked:
            lanes.loop.run(deferred)

    def test_a_turn_is_handed_over_once(self, lanes: Lanes) -> None:
        """What is submitted in one turn costs the loop one call, and nothing runs before that."""
        lane, ran = lanes.threads(2), Event()
        asked = [submit(lane, lambda link: ran.set()) for _ in range(3)]
        assert len(lanes.turns) == 1
        assert not ran.is_set()

        for deferred in asked:
            lanes.loop.run(deferred)
        lanes.loop.run(submit(lane, lambda link: None))
        assert len(lanes.turns) == 2

    def test_tallies(self, lanes: Lanes) -> None:
        """Jobs are counted by name, in the loop."""
        lane = lanes.threads()
        lanes.loop.run(submit(lane, lambda link: None, "roster.get"))
        lanes.loop.run(submit(lane, lambda link: None, "roster.get"))
        assert lanes.tallies.by_name["roster.get"].count == 2

    def test_close_waits_for_the_queue(self, lanes: Lanes) -> None:
        """What was submitted is done before the lane is closed; nothing new is taken."""
        lane, done = lanes.threads(2), []
        asked = [submit(lane, lambda link, n=n: done.append(n)) for n in range(5)]  # type: ignore[misc]
        closed = lane.close()
        with pytest.raises(StorageUnavailable, match="closed"):
            lanes.loop.run(submit(lane, lambda link: None))
        lanes.loop.run(closed)

        assert sorted(done) == [0, 1, 2, 3, 4]
        assert all(deferred.called for deferred in asked)

    def test_close_twice(self, lanes: Lanes) -> None:
        """Closing what is closed does nothing."""
        lane = lanes.threads()
        lanes.loop.run(lane.close())
        lanes.loop.run(lane.close())

    def test_down(self, lanes: Lanes) -> None:
        """A shard that is known to be down refuses in the loop, without a thread."""
        lanes.outage.begin("refused", lanes.time.now)
        with pytest.raises(StorageUnavailable, match="shard 0 is down: refused"):
            lanes.loop.run(submit(lanes.threads(), lambda link: None))

    def test_cancelled_job(self, lanes: Lanes) -> None:
        """Who cancels hears at once; the job goes on and its answer is dropped."""
        lane, gate = lanes.threads(), Event()
        asked = submit(lane, lambda link: gate.wait(HANG))
        asked.addErrback(lambda failure: failure.type.__name__)
        asked.cancel()
        assert lanes.loop.run(asked) == "CancelledError"

        gate.set()
        assert lanes.loop.run(submit(lane, lambda link: "next")) == "next"

    def test_frozen_database(self, lanes: Lanes) -> None:
        """What takes longer than anybody's patience is interrupted, and the shard is down."""
        interrupted = Event()
        lane = lanes.threads(limits=Limits(threads=1, patience=0.08))
        lanes.loop.run(submit(lane, lambda link: setattr(link, "interrupt", interrupted.set)))

        def call(link: object) -> str:
            lanes.time.now += 1.0
            return "answered" if interrupted.wait(HANG) else "frozen"

        assert lanes.loop.run(submit(lane, call)) == "answered"


class TestPromptness:
    """The loop waits for answers that are sure to come at once, and for no others."""

    @pytest.fixture
    def lane(self, lanes: Lanes, monkeypatch: pytest.MonkeyPatch) -> ThreadLane:
        """Return a lane that waits; when a test does not want it to wait in vain, for as long as it takes."""
        monkeypatch.setattr(workers, "BRIEF", HANG)
        return lanes.threads(2, prompt=True)

    def test_answers_come_in_the_same_turn(self, lanes: Lanes, lane: ThreadLane) -> None:
        """When the jobs have been handed over all of them are done, in other threads, and none asks for a call."""
        asked = [submit(lane, lambda link: threading.get_ident()) for _ in range(4)]
        lanes.loop.turn()
        assert all(deferred.called and deferred.result != threading.get_ident() for deferred in asked)
        assert lanes.loop.is_idle

    def test_what_an_answer_asks(self, lanes: Lanes, lane: ThreadLane) -> None:
        """A question that an answer leads to is asked in the next turn."""
        asked = submit(lane, lambda link: 1).addCallback(lambda _: submit(lane, lambda link: 2))
        lanes.loop.turn()
        assert not asked.called or asked.paused
        lanes.loop.turn()
        assert asked.result == 2

    def test_slow_answers_come_later(self, lanes: Lanes, lane: ThreadLane, monkeypatch: pytest.MonkeyPatch) -> None:
        """A job that takes long keeps neither the loop nor its neighbours; while that lasts, nobody is waited for."""
        monkeypatch.setattr(workers, "BRIEF", 0.0)
        gate = Event()
        slow, quick = submit(lane, lambda link: gate.wait(HANG)), submit(lane, lambda link: "quick")
        assert lanes.loop.run(quick) == "quick"
        assert not slow.called

        monkeypatch.setattr(workers, "BRIEF", HANG)
        assert lanes.loop.run(submit(lane, lambda link: "next")) == "next"
        gate.set()
        assert lanes.loop.run(slow) is True

    def test_promptness_comes_back(self, lanes: Lanes, lane: ThreadLane, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some time behind a wait in vain the loop waits again."""
        monkeypatch.setattr(workers, "BRIEF", 0.0)
        gate = Event()
        slow = submit(lane, lambda link: gate.wait(HANG))
        lanes.loop.turn()
        gate.set()
        lanes.loop.run(slow)

        monkeypatch.setattr(workers, "BRIEF", HANG)
        lanes.time.now += workers.LATE
        asked = submit(lane, lambda link: "prompt")
        lanes.loop.turn()
        assert asked.called

    def test_nothing_to_wait_for(self, lanes: Lanes, lane: ThreadLane) -> None:
        """A job that a busy thread has taken before it was handed over is not waited for."""
        asked = submit(lane, lambda link: "taken")
        (job,) = lane.take(Worker(lane, lanes.runner(), 1, LockBell()), 1)
        lanes.loop.turn()
        job.outcome = "taken"
        lane.finish([job])
        assert lanes.loop.run(asked) == "taken"


class TestInlineLane:
    """Everything at once, for tests in memory and for tools."""

    def test_never_waits(self, lanes: Lanes) -> None:
        """The answer is there when `submit` returns, made by the calling thread."""
        lane = InlineLane(lanes.runner(), lanes.tallies, lanes.time)
        asked = lane.submit("test", lambda link: threading.get_ident(), (), True)
        assert asked.called
        assert threading.get_ident() == asked.result
        assert lanes.tallies.by_name["test"].count == 1

    def test_closed(self, lanes: Lanes) -> None:
        """A closed lane refuses."""
        lane = InlineLane(lanes.runner(), lanes.tallies, lanes.time)
        lanes.loop.run(lane.close())
        with pytest.raises(StorageUnavailable, match="closed"):
            lanes.loop.run(lane.submit("test", lambda link: None, (), True))
