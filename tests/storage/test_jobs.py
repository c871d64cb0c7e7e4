"""Jobs: what a fault means for the connection, for a read, and for everybody else."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import make_url
from twisted.python.failure import Failure

from xmppd.core.shards import StorageUnavailable
from xmppd.storage.faults import Fault
from xmppd.storage.jobs import Committer, ConnectionLost, Job, Outage, Runner
from xmppd.storage.sqlite import SqliteLink, sqlite_engine

PATIENCE = 8.0


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Broken(Exception):
    """What a driver raises; the connection may be gone with it."""

    def __init__(self, lost: bool) -> None:
        super().__init__("broken")
        self.fault = Fault("the server has gone", lost)


class FakeLink:
    """A connection that does what the test says."""

    def __init__(self) -> None:
        self.alive = True
        self.closed = False

    def fault_of(self, error: Exception) -> Fault | None:
        return getattr(error, "fault", None)

    def named(self, error: Exception) -> Exception:
        return error

    def is_alive(self) -> bool:
        return self.alive

    def close(self) -> None:
        self.closed = True


class World:
    """A runner, the links that it opened, and the time."""

    def __init__(self) -> None:
        self.time = Time()
        self.links: list[FakeLink] = []
        self.reachable = True
        self.outage = Outage("shard 0", retry=1.0)
        self.runner: Runner[Any] = Runner(self.connect, self.outage, PATIENCE, self.time)  # type: ignore[arg-type]

    def connect(self) -> FakeLink:
        if not self.reachable:
            raise OSError("connection refused")
        self.links.append(FakeLink())
        return self.links[-1]

    def job(self, *outcomes: object, repeatable: bool = True) -> Job:
        """Return a job that returns or raises one outcome after the other."""
        left = list(outcomes)

        def call(link: FakeLink) -> object:
            outcome = left.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return Job("test", call, (), repeatable, self.time.now)

    def perform(self, job: Job) -> object:
        """Run one job; return what it returned, or the exception."""
        self.runner.perform([job])
        return job.outcome.value if isinstance(job.outcome, Failure) else job.outcome


@pytest.fixture
def world() -> World:
    return World()


class TestOutage:
    """Whether a shard is known to be down, and who may try it."""

    def test_up(self) -> None:
        """Everybody is admitted."""
        outage = Outage("shard 0", retry=1.0)
        assert outage.admits(0.0)
        assert not outage.covers(0.0)

    def test_down(self) -> None:
        """Everybody is refused, but for one try after each interval."""
        outage = Outage("shard 0", retry=1.0)
        outage.begin("refused", 10.0)

        assert [outage.admits(now) for now in (10.0, 10.9, 11.0, 11.9, 12.0)] == [False, False, True, False, True]

    def test_jobs_from_before(self) -> None:
        """Jobs that wait since before the outage need not try; the one that was admitted since then does."""
        outage = Outage("shard 0", retry=1.0)
        outage.begin("refused", 10.0)
        assert outage.covers(9.9)
        assert not outage.covers(11.0)

    def test_up_again(self) -> None:
        """One answer ends it."""
        outage = Outage("shard 0", retry=1.0)
        outage.begin("refused", 10.0)
        outage.end()
        assert outage.admits(10.0)


class TestRunner:
    """One thread's way with its connection."""

    def test_connection_is_kept(self, world: World) -> None:
        """Jobs share one connection, opened by the first of them."""
        assert [world.perform(world.job(outcome)) for outcome in (1, 2)] == [1, 2]
        assert len(world.links) == 1

    def test_exceptions_come_through(self, world: World) -> None:
        """What the work raised is raised where the job is awaited; the connection stays."""
        error = LookupError("no such room")
        assert error is world.perform(world.job(error))
        assert not world.links[0].closed

    def test_read_is_repeated_once(self, world: World) -> None:
        """A read whose connection breaks is repeated on a new one."""
        assert world.perform(world.job(Broken(lost=True), "rows")) == "rows"
        assert [link.closed for link in world.links] == [True, False]

    def test_read_is_not_repeated_twice(self, world: World) -> None:
        """If that breaks too, the shard is out of order."""
        assert isinstance(world.perform(world.job(Broken(lost=True), Broken(lost=True), "rows")), ConnectionLost)

    def test_write_is_not_repeated(self, world: World) -> None:
        """Nobody knows whether a write has landed."""
        assert isinstance(world.perform(world.job(Broken(lost=True), 1, repeatable=False)), StorageUnavailable)
        assert world.links[0].closed

    def test_fault_that_leaves_the_connection(self, world: World) -> None:
        """A lock that is not granted is told at once, and the connection kept."""
        told = world.perform(world.job(Broken(lost=False), "rows"))
        assert isinstance(told, StorageUnavailable)
        assert str(told) == "shard 0: test: the server has gone"
        assert not world.links[0].closed

    def test_write_on_a_connection_that_was_closed(self, world: World) -> None:
        """A write looks first whether the other side is still there, and takes a new connection if not."""
        world.perform(world.job(1))
        world.links[0].alive = False

        assert world.perform(world.job(2, repeatable=False)) == 2
        assert [link.closed for link in world.links] == [True, False]

    def test_unreachable(self, world: World) -> None:
        """A shard that takes no connection is down, and its jobs are told why."""
        world.reachable = False
        told = world.perform(world.job("rows"))

        assert str(told) == "shard 0 is down: connection refused"
        assert not world.outage.admits(world.time.now)

    def test_recovery(self, world: World) -> None:
        """The first job that succeeds ends the outage."""
        world.reachable = False
        world.perform(world.job("rows"))
        world.reachable = True
        world.time.now += 1.0

        assert world.outage.admits(world.time.now)
        assert world.perform(world.job("rows")) == "rows"
        assert world.outage.admits(world.time.now)

    def test_job_from_before_an_outage(self, world: World) -> None:
        """What waited while the shard went down is refused without a try."""
        job = world.job("rows")
        world.time.now += 1.0
        world.outage.begin("frozen", world.time.now)

        assert str(world.perform(job)) == "shard 0 is down: frozen"
        assert not world.links

    def test_job_that_waited_too_long(self, world: World) -> None:
        """Who asked has given up."""
        job = world.job("rows")
        world.time.now += PATIENCE + 0.1
        assert str(world.perform(job)) == "shard 0: test waited too long"

    def test_seconds(self, world: World) -> None:
        """The time in the thread is measured without the time in the queue."""

        def call(link: object) -> None:
            world.time.now += 0.25

        job = Job("test", call, (), True, world.time.now)
        world.time.now += 2.0
        world.perform(job)
        assert (job.started - job.submitted, job.seconds) == (2.0, 0.25)


class TestCommitter:
    """SQLite's writes, committed together."""

    @pytest.fixture
    def run(self) -> Callable[..., list[object]]:
        """Perform works in one commit on a database with one table; return the outcomes."""
        engine = sqlite_engine(make_url("sqlite://"), 1.0)
        self.outage = Outage("shard 0", retry=1.0)
        self.time = Time()
        self.committer = Committer(lambda: SqliteLink(engine), self.outage, PATIENCE, self.time)
        self.raw = SqliteLink(engine).raw
        self.raw.execute("CREATE TABLE t (x PRIMARY KEY)")

        def run(*works: Callable[[Any], object]) -> list[object]:
            jobs = [Job("test", lambda link, work: link.transact(work, None), (work,), False, 100.0) for work in works]
            self.committer.perform(jobs)
            return [job.outcome.value if isinstance(job.outcome, Failure) else job.outcome for job in jobs]

        return run

    def rows(self) -> list[object]:
        return [row[0] for row in self.raw.execute("SELECT x FROM t ORDER BY x")]

    def test_together(self, run: Callable[..., list[object]]) -> None:
        """Each gets its own answer."""
        add = "INSERT INTO t VALUES (?)"
        told = run(*(lambda c, x=x: c.exec_driver_sql(add, (x,)).rowcount for x in range(3)))
        assert told == [1, 1, 1]
        assert self.rows() == [0, 1, 2]

    def test_one_fails_alone(self, run: Callable[..., list[object]]) -> None:
        """An exception undoes what its own work did, and nothing else."""
        error = LookupError("no such room")

        def failing(connection: Any) -> None:
            connection.exec_driver_sql("INSERT INTO t VALUES (2)")
            raise error

        first, second, third = run(
            lambda c: c.exec_driver_sql("INSERT INTO t VALUES (1)").rowcount,
            failing,
            lambda c: c.exec_driver_sql("INSERT INTO t VALUES (3)").rowcount,
        )
        assert (1, error, 1) == (first, second, third)
        assert self.rows() == [1, 3]

    def test_full_disk_fails_all(self, run: Callable[..., list[object]]) -> None:
        """SQLite undoes the transaction by itself: nobody is told that his write landed. The next one may."""
        pages = self.raw.execute("PRAGMA page_count").fetchone()[0]
        self.raw.execute(f"PRAGMA max_page_count = {pages}")
        told = run(
            lambda c: c.exec_driver_sql("INSERT INTO t VALUES (1)").rowcount,
            lambda c: c.exec_driver_sql("INSERT INTO t VALUES (zeroblob(100000))").rowcount,
        )
        assert [str(error) for error in told] == ["shard 0: test: database or disk is full"] * 2
        assert all(isinstance(error, StorageUnavailable) for error in told)
        assert self.rows() == []

        self.raw.execute(f"PRAGMA max_page_count = {pages + 100}")
        assert run(lambda c: c.exec_driver_sql("INSERT INTO t VALUES (1)").rowcount) == [1]
        assert self.rows() == [1]

    def test_late_ones_are_left_out(self, run: Callable[..., list[object]]) -> None:
        """A write that waited too long is refused, its neighbours are not."""
        self.time.now += PATIENCE + 1
        assert [str(told) for told in run(lambda c: None)] == ["shard 0: test waited too long"]

    def test_time_is_shared(self, run: Callable[..., list[object]]) -> None:
        """The time of a commit is shared among those who were in it."""

        def slow(link: object) -> None:
            self.time.now += 1.0

        jobs = [Job("test", slow, (), False, self.time.now) for _ in range(2)]
        self.committer.perform(jobs)
        assert [job.seconds for job in jobs] == [1.0, 1.0]
