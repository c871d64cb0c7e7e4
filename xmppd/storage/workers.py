"""Lanes: a bounded queue of jobs and the threads that run them; and how answers come back to the loop.

A thread that has finished jobs asks the loop for one call, unless one is on its way already: that call hands over every
answer that is ready. A lean queue and plain threads, since a `concurrent.futures` pool costs a lock, a condition and a
future for each job.
"""

from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from ..core.shards import StorageUnavailable
from .jobs import Clock, Job, Limits, Outage, Runner
from .tallies import Tallies

CallInLoop = Callable[..., object]


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
    :param together: how many jobs a runner is given at once.
    """

    def __init__(
        self,
        name: str,
        runners: Sequence[Runner[Any]],
        call_in_loop: CallInLoop,
        limits: Limits,
        tallies: Tallies,
        *,
        together: int = 1,
    ) -> None:
        self._outage = runners[0].outage
        self._clock = runners[0].clock
        self._call_in_loop = call_in_loop
        self._limits = limits
        self._tallies = tallies
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._done: deque[Job] = deque()
        self._delivery_due = False
        self._under_way = 0  # jobs submitted and not delivered; the loop's own
        self._ended = 0  # threads that have ended; the loop's own
        self._closed: Deferred[None] | None = None
        self._watch_over = Event()
        self._workers = [Worker(self, runner, together) for runner in runners]
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
        self._queue.put(job)
        return job.deferred

    def close(self) -> Deferred[None]:
        if self._closed is None:
            self._closed = Deferred()
            for _ in self._workers:
                self._queue.put(None)
        waiter: Deferred[None] = Deferred()
        self._closed.chainDeferred(waiter)
        return waiter

    def take(self, most: int) -> list[Job]:
        """Wait for jobs; return some, or none when there will be no more. Called by workers."""
        job = self._queue.get()
        jobs: list[Job] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == most:
                return jobs
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs
        if jobs:
            self._queue.put(None)  # the end is told to whoever comes next, which may be the same worker
        return jobs

    def finish(self, jobs: Sequence[Job]) -> None:
        """Have the outcomes of jobs delivered in the loop. Called by workers.

        The flag may be cleared between our two steps, never so that an outcome stays behind: `_deliver_all` clears it
        before it looks.
        """
        self._done.extend(jobs)
        if not self._delivery_due:
            self._delivery_due = True
            self._call_in_loop(self._deliver_all)

    def end(self) -> None:
        """Note that a worker has ended. Called by workers."""
        self._call_in_loop(self._note_end)

    def _deliver_all(self) -> None:
        self._delivery_due = False
        while self._done:
            self._under_way -= 1
            _deliver(self._done.popleft(), self._tallies)

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
    """One thread of a lane."""

    def __init__(self, lane: ThreadLane, runner: Runner[Any], together: int) -> None:
        self._lane = lane
        self._runner = runner
        self._together = together
        self._since: float | None = None  # when it began what it is doing

    def work(self) -> None:
        """Run jobs until there will be no more."""
        clock = self._runner.clock
        while jobs := self._lane.take(self._together):
            self._since = clock()
            self._runner.perform(jobs)
            self._since = None
            self._lane.finish(jobs)
        self._runner.close()
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
