"""Jobs, and how one thread runs them on one connection.

Here is decided what a fault of the database means: for the connection (kept or replaced), for a read (repeated once on
a new connection), for everybody else (`Outage`: while the shard is known to be down, jobs are refused at once, but for
one try every now and then, which ends the outage when it succeeds).
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ..core.log import Log
from ..core.shards import StorageUnavailable
from .faults import hush
from .link import Link
from .sqlite import SqliteLink

log = Log("storage")

Clock = Callable[[], float]
L = TypeVar("L", bound=Link)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait, and how long; times are in seconds.

    :ivar threads: connections that read (on PostgreSQL: that read and write); 0 runs everything in the calling thread.
    :ivar queue: jobs that may wait or run; more are refused.
    :ivar together: writes that SQLite may commit together.
    :ivar connect: for connecting.
    :ivar lock: for another transaction's lock.
    :ivar statement: for one statement, as the server measures it.
    :ivar patience: for one job, waiting included; then it is refused or interrupted. Longer than `statement`.
    :ivar retry: between tries while a shard is down.
    :ivar slow: transactions that take longer are logged.
    """

    threads: int = 4
    queue: int = 4096
    together: int = 64
    connect: float = 3.0
    lock: float = 1.0
    statement: float = 6.0
    patience: float = 8.0
    retry: float = 1.0
    slow: float = 0.5


def failure(error: BaseException) -> Failure:
    """Return an exception as Twisted carries it."""
    return Failure(error)  # type: ignore[no-untyped-call]


class ConnectionLost(StorageUnavailable):
    """The connection broke while it was used."""


class Job:
    """One call to be made with a link, and the Deferred that gets what comes of it.

    :ivar repeatable: whether it only reads.
    :ivar outcome: what the call returned, or a Failure.
    """

    __slots__ = ("args", "call", "deferred", "name", "outcome", "repeatable", "seconds", "started", "submitted")

    def __init__(
        self, name: str, call: Callable[..., Any], args: tuple[Any, ...], repeatable: bool, now: float
    ) -> None:
        self.name = name
        self.call = call
        self.args = args
        self.repeatable = repeatable
        self.deferred: Deferred[Any] = Deferred()
        self.outcome: Any = None
        self.submitted = self.started = now
        self.seconds = 0.0


class Outage:
    """Whether a shard is known to be down. Threads tell it, the loop asks it; each change is one assignment."""

    def __init__(self, place: str, retry: float) -> None:
        self.place = place
        self.reason: str | None = None
        self._retry = retry
        self._since = self._until = 0.0

    def admits(self, now: float) -> bool:
        """Say whether a new job may try; while the shard is down one may, every `retry` seconds."""
        if self.reason is None:
            return True
        if now < self._until:
            return False
        self._until = now + self._retry
        return True

    def covers(self, submitted: float) -> bool:
        """Say whether a job that waits was there before the outage, so that it need not try."""
        return self.reason is not None and submitted < self._since

    def begin(self, reason: str, now: float) -> None:
        """Note that the shard is down."""
        known, self._since, self._until = self.reason, now, now + self._retry
        self.reason = reason
        if known is None:
            log.error("{place} is down: {reason}", place=self.place, reason=reason)

    def end(self) -> None:
        """Note that the shard answers."""
        if self.reason is not None:
            self.reason = None
            log.info("{place} answers again", place=self.place)


class Runner(Generic[L]):
    """Runs jobs one after the other on a connection that it opens when needed, keeps, and replaces when broken.

    :ivar link: the connection, if there is one.
    """

    def __init__(self, connect: Callable[[], L], outage: Outage, patience: float, clock: Clock) -> None:
        self.link: L | None = None
        self.outage = outage
        self.clock = clock
        self._connect = connect
        self._patience = patience

    def perform(self, jobs: Sequence[Job]) -> None:
        """Give each job its outcome; raises nothing."""
        for job in jobs:
            job.started = self.clock()
            try:
                job.outcome = self._run(job)
            except BaseException as error:  # whatever it is belongs to whoever waits for the job
                job.outcome = failure(error)
            job.seconds = self.clock() - job.started

    def close(self) -> None:
        """Close the connection."""
        link, self.link = self.link, None
        if link is not None:
            link.close()

    def _run(self, job: Job) -> Any:
        try:
            return self._try(job)
        except ConnectionLost:
            if not job.repeatable:
                raise
        return self._try(job)

    def _try(self, job: Job) -> Any:
        self._refuse_late(job)
        if self.link is not None and not job.repeatable and not self.link.is_alive():
            self.close()
        link = self._open()
        try:
            result = job.call(link, *job.args)
        except Exception as error:
            told = self._explained(error, link, job.name)
            if told is error:
                raise
            raise told from error
        self.outage.end()
        return result

    def _refuse_late(self, job: Job) -> None:
        """Raise for a job that waited for long, or for a shard that has gone down since."""
        if self.outage.covers(job.submitted):
            raise StorageUnavailable(f"{self.outage.place} is down: {self.outage.reason}")
        if job.started - job.submitted > self._patience:
            raise StorageUnavailable(f"{self.outage.place}: {job.name} waited too long")

    def _open(self) -> L:
        if self.link is None:
            try:
                self.link = self._connect()
            except Exception as error:
                reason = str(error).partition("\n")[0]
                self.outage.begin(reason, self.clock())
                raise StorageUnavailable(f"{self.outage.place} is down: {reason}") from error
        return self.link

    def _explained(self, error: Exception, link: Link, name: str) -> Exception:
        """Return what the asker is told instead of `error`; close the connection if it is lost."""
        hush(error)
        fault = link.fault_of(error)
        if fault is None:
            return link.named(error)
        told = f"{self.outage.place}: {name}: {fault.reason}"
        if not fault.lost:
            return StorageUnavailable(told)
        self.close()
        return ConnectionLost(told)


class Committer(Runner[SqliteLink]):
    """Runs the writes of an SQLite database: those that wait are committed together, each undone alone if it fails."""

    def perform(self, jobs: Sequence[Job]) -> None:
        """Give each job its outcome; raises nothing."""
        started = self.clock()
        admitted = [job for job in jobs if self._admit(job, started)]
        if not admitted:
            return
        try:
            self._commit(admitted)
        except BaseException as error:  # whatever it is belongs to whoever waits for the jobs
            for job in admitted:
                job.outcome = failure(error)
        share = (self.clock() - started) / len(admitted)
        for job in admitted:
            job.seconds = share

    def _admit(self, job: Job, now: float) -> bool:
        job.started = now
        try:
            self._refuse_late(job)
        except StorageUnavailable as error:
            job.outcome = failure(error)
            return False
        return True

    def _commit(self, jobs: Sequence[Job]) -> None:
        link = self._open()
        name = jobs[0].name
        try:
            link.begin(is_alone=len(jobs) == 1)
            for job in jobs:
                name = job.name
                job.outcome = self._outcome(job, link)
            link.commit()
        except Exception as error:
            self._abandon(link)
            told = self._explained(error, link, name)
            if told is error:
                raise
            raise told from error
        self.outage.end()

    def _abandon(self, link: SqliteLink) -> None:
        try:
            link.abandon()
        except sqlite3.Error:  # the first error tells more; this one means that the connection is of no use
            self.close()

    def _outcome(self, job: Job, link: SqliteLink) -> Any:
        """Return what the job returned, or its Failure; raise if the whole transaction is in trouble."""
        try:
            return job.call(link, *job.args)
        except Exception as error:
            if not link.in_transaction or link.fault_of(error) is not None:
                raise
            return failure(link.named(error))
