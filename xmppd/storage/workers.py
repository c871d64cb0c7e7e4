"""Lanes: a bounded queue of jobs and the threads that run them; and how answers come back to the loop.

What is submitted in one turn of the loop is handed over at its end, and every answer that is ready comes back by one
call. A lean queue and plain threads, since a `concurrent.futures` pool costs a lock, a condition and a future for each
job.

Threads that work while the loop works fight it for the interpreter: each of a driver's calls gives the interpreter's
lock away and wants it back, and each of these times somebody is woken in vain. That costs several times what a small
query costs. So where answers come from memory nearly always (SQLite's reads), the loop hands over and **waits for the
answers, briefly**: they are there long before. A disk that is slow, or a large query, costs the loop a `BRIEF` moment
and no more for a while: its answer comes as it does from a server.
"""

from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from ..core.shards import StorageUnavailable
from .bells import Bell, LockBell, PipeBell
from .jobs import Clock, Job, Limits, Outage, Runner
from .tallies import Tallies

CallInLoop = Callable[..., object]

BRIEF: Final = 0.001
"""Seconds that the loop may wait for answers."""

LATE: Final = 0.1
"""Seconds without any such wait behind one that was in vain."""


class Lane(Protocol):
    """Where jobs are run."""

    def submit(self, name: str, call: Callable[..., Any], args: tuple[Any, ...], repeatable: bool) -> Deferred[Any]:
        """Have `call(link, *args)` made; return what comes of it.

        :param repeatable: whether it only reads, so that it may be called twice.
        """

    def close(self) -> Deferred[None]:
        """Take no more jobs, run those that wait, close the connections."""


class InlineLane:
    """Runs each job at once in the calling thread: nothing ever waits."""

    def __init__(self, runner: Runner[Any], tallies: Tallies, clock: Clock) -> None:
        self._runner = runner
        self._tallies = tallies
        self._clock = clock
        self._closed = False

    def submit(self, name: str, call: Callable[..., Any], args: tuple[Any, ...], repeatable: bool) -> Deferred[Any]:
        now = self._clock()
        if self._closed or not self._runner.outage.admits(now):
            return fail(_refusal(self._runner.outage, self._closed))
        job = Job(name, call, args, repeatable, now)
        self._runner.perform((job,))
        _deliver(job, self._tallies)
        return job.deferred

    def close(self) -> Deferred[None]:
        self._closed = True
        self._runner.close()
        return succeed(None)


class ThreadLane:
    """A queue in front of one thread for each runner, and one more thread that looks after them.

    :param name: of the threads.
    :param call_in_loop: asks the loop for a call, from any thread.
    :param call_soon: the same, from the loop's own thread; costs less.
    :param together: how many jobs a runner is given at once.
    :param prompt: the loop waits briefly for the answers.
    """

    def __init__(
        self,
        name: str,
        runners: Sequence[Runner[Any]],
        call_in_loop: CallInLoop,
        limits: Limits,
        tallies: Tallies,
        *,
        call_soon: CallInLoop | None = None,
        together: int = 1,
        prompt: bool = False,
    ) -> None:
        self._outage = runners[0].outage
        self._clock = runners[0].clock
        self._call_in_loop = call_in_loop
        self._call_soon = call_in_loop if call_soon is None else call_soon
        self._limits = limits
        self._tallies = tallies
        self._queue: deque[Job] = deque()
        self._idle: list[Worker] = []  # those that wait to be woken; whoever takes one out wakes it
        self._done: deque[Job] = deque()
        self._hand_over_due = False  # the loop's own
        self._delivery_due = False
        self._prompt = prompt
        self._hurry_from = 0.0  # the loop waits for nothing before that
        self._awaited = False  # the loop waits, and delivers what is done when it goes on
        self._answered: SimpleQueue[None] = SimpleQueue()
        self._under_way = 0  # jobs submitted and not delivered; the loop's own
        self._ended = 0  # threads that have ended; the loop's own
        self._closed: Deferred[None] | None = None
        self._watch_over = Event()
        self._workers = [Worker(self, runner, together, PipeBell() if prompt else LockBell()) for runner in runners]
        self._threads = [
            Thread(target=worker.work, name=f"{name}-{number}", daemon=True)
            for number, worker in enumerate(self._workers)
        ]
        self._watch = Thread(target=self._look, name=f"{name}-watch", daemon=True)
        for thread in (*self._threads, self._watch):
            thread.start()

    def submit(self, name: str, call: Callable[..., Any], args: tuple[Any, ...], repeatable: bool) -> Deferred[Any]:
        now = self._clock()
        if self._closed is not None or not self._outage.admits(now):
            return fail(_refusal(self._outage, self._closed is not None))
        if self._under_way >= self._limits.queue:
            return fail(StorageUnavailable(f"{self._outage.place}: too many jobs wait"))
        self._under_way += 1
        job = Job(name, call, args, repeatable, now)
        self._queue.append(job)
        if not self._hand_over_due:
            self._hand_over_due = True
            self._call_soon(self._hand_over)
        return job.deferred

    def close(self) -> Deferred[None]:
        if self._closed is None:
            self._closed = Deferred()
            self._wake(len(self._workers))
        waiter: Deferred[None] = Deferred()
        self._closed.chainDeferred(waiter)
        return waiter

    # In the loop

    def _hand_over(self) -> None:
        """Let the threads have what was submitted in this turn."""
        self._hand_over_due = False
        if not self._prompt or self._clock() < self._hurry_from:
            self._wake(len(self._queue))
        elif self._queue and self._idle:
            self._wait_briefly()
            self._deliver_all()

    def _wait_briefly(self) -> None:
        """Give one thread the time to do everything; if that takes long, let the others help and go on."""
        self._awaited = True
        self._wake(1)
        try:
            self._answered.get(timeout=BRIEF)
        except Empty:
            self._hurry_from = self._clock() + LATE
        self._awaited = False
        while not self._answered.empty():  # two threads may have answered, or one when we had just given up
            self._answered.get()
        self._wake(len(self._queue))

    def _wake(self, most: int) -> None:
        """Wake that many threads, if so many have nothing to do."""
        try:
            for _ in range(most):
                self._idle.pop().wake()
        except IndexError:
            return

    def _deliver_all(self) -> None:
        self._delivery_due = False
        while self._done:
            self._under_way -= 1
            _deliver(self._done.popleft(), self._tallies)

    # Called by workers

    def take(self, worker: "Worker", most: int) -> list[Job]:
        """Wait for jobs; return some, or none when there will be no more."""
        while True:
            is_over = self._closed is not None  # asked first: nothing comes behind that
            jobs = self._some(most)
            if jobs or is_over:
                return jobs
            self._idle.append(worker)
            if self._queue or self._closed is not None:  # that came between our two steps, so nobody may have seen us
                try:
                    self._idle.remove(worker)
                except ValueError:  # somebody has, and wakes us
                    worker.sleep()
            else:
                worker.sleep()

    def _some(self, most: int) -> list[Job]:
        """Return what is in the queue, up to so many jobs."""
        jobs: list[Job] = []
        try:
            while len(jobs) < most:
                jobs.append(self._queue.popleft())
        except IndexError:
            return jobs
        return jobs

    def finish(self, jobs: Sequence[Job]) -> None:
        """Have the outcomes of jobs delivered in the loop.

        Either flag may be cleared between our steps, never so that an outcome stays behind: the loop clears it before
        it looks.
        """
        self._done.extend(jobs)
        if self._awaited:
            if not self._queue:
                self._answered.put(None)
        elif not self._delivery_due:
            self._delivery_due = True
            self._call_in_loop(self._deliver_all)

    def end(self) -> None:
        """Note that a worker has ended."""
        self._call_in_loop(self._note_end)

    def _note_end(self) -> None:
        self._ended += 1
        if self._ended == len(self._workers) and self._closed is not None:
            self._deliver_all()
            self._watch_over.set()
            self._closed.callback(None)

    def _look(self) -> None:
        """Interrupt, every now and then, what takes longer than anybody waits: its database is frozen."""
        patience = self._limits.patience
        while not self._watch_over.wait(patience / 8):
            for worker in self._workers:
                worker.interrupt(self._clock(), patience)


class Worker:
    """One thread of a lane.

    :param bell: wakes it.
    """

    def __init__(self, lane: ThreadLane, runner: Runner[Any], together: int, bell: Bell) -> None:
        self._lane = lane
        self._runner = runner
        self._together = together
        self._since: float | None = None  # when it began what it is doing
        self._bell = bell

    def sleep(self) -> None:
        """Wait until `wake` is called, or return at once if that was before."""
        self._bell.wait()

    def wake(self) -> None:
        """Let the thread go on; once for each `sleep`."""
        self._bell.ring()

    def work(self) -> None:
        """Run jobs until there will be no more."""
        clock = self._runner.clock
        while jobs := self._lane.take(self, self._together):
            self._since = clock()
            self._runner.perform(jobs)
            self._since = None
            self._lane.finish(jobs)
        self._runner.close()
        self._bell.close()
        self._lane.end()

    def interrupt(self, now: float, patience: float) -> None:
        """End what the thread is waiting for, if that takes too long."""
        since, link = self._since, self._runner.link
        if since is not None and link is not None and now - since > patience:
            self._runner.outage.begin(f"no answer in {patience:g} s", now)
            link.interrupt()


def _deliver(job: Job, tallies: Tallies) -> None:
    outcome = job.outcome
    failed = isinstance(outcome, Failure)
    tallies.note(job.name, job.seconds, job.started - job.submitted, failed)
    if failed:
        job.deferred.errback(outcome)
    else:
        job.deferred.callback(outcome)


def _refusal(outage: Outage, closed: bool) -> StorageUnavailable:
    if closed:
        return StorageUnavailable(f"{outage.place} is closed")
    return StorageUnavailable(f"{outage.place} is down: {outage.reason}")
