"""What is run and what is shown of it: sizes, runs in blocks, figures with their goals."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from .scenarios.names import SENDERS
from .task import Task

OURS = "xmppd"
POSTGRES = "xmppd-pg"
OURSELVES = (OURS, POSTGRES)
"""The names of our server: as one starts it, and on PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much load: options of the jobs, by name of `bench.job.Job`."""

    name: str
    logins: int
    idle: int
    pairs: int
    background: int
    friends: int
    contacts: int
    turns: int
    warmup: float
    seconds: float
    rate: float
    settle: float
    away: int
    waiting: int
    archive: int

    def accounts(self, tasks: Collection[Task]) -> int:
        """Return how many accounts without rosters all runs of these tasks need."""
        needed = {
            Task.RELAY: max(self.logins, self.idle + 50, 2 * self.pairs + self.background),
            Task.STORE: max(2 * self.pairs, SENDERS + self.away + 2),
            Task.RETURN: self.logins,
        }
        return max(needed[task] for task in tasks)


FULL = Size(
    "full", logins=1000, idle=3000, pairs=50, background=3000, friends=100, contacts=50, turns=6,
    warmup=1.5, seconds=5.0, rate=500.0, settle=6.0,
    away=100, waiting=2000, archive=5000,
)  # fmt: skip
QUICK = Size(
    "quick", logins=100, idle=150, pairs=10, background=100, friends=20, contacts=10, turns=5,
    warmup=0.3, seconds=1.0, rate=100.0, settle=0.5,
    away=20, waiting=200, archive=200,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the generator: a label, a scenario and options beyond the size's."""

    label: str
    scenario: str
    options: dict[str, Any] = field(default_factory=dict)

    def job(self, size: Size) -> dict[str, Any]:
        """Return the options of the job, those of the size included."""
        logins = {"sessions": size.logins}
        flow = {"pairs": size.pairs, "warmup": size.warmup, "seconds": size.seconds}
        of_size: dict[str, dict[str, Any]] = {
            "login": logins,
            "login-sasl2": logins,
            "login-fast": logins,
            "idle": {"sessions": size.idle, "settle": size.settle},
            "msg": flow,
            "smacks": flow,
            "latency": {**flow, "rate": size.rate},
            "offline": {"away": size.away, "messages": size.waiting},
            "mam": {"away": size.away, "messages": size.archive, "seconds": size.seconds},
            "presence": {"friends": size.friends, "contacts": size.contacts, "turns": size.turns},
        }
        options = {"scenario": self.scenario, **of_size[self.scenario], **self.options}
        if options.get("background"):
            options["background"] = size.background
        return options


@dataclass(frozen=True, slots=True)
class Block:
    """One start of a server, and the runs that it is started for."""

    task: Task
    runs: tuple[Run, ...]


# Logins swell a heap for good, and archives grow, so what is sensitive to that has a block of its own.
BLOCKS: tuple[Block, ...] = (
    Block(Task.RELAY, (Run("login", "login"), Run("login-tls", "login", {"tls": True}))),
    Block(Task.RELAY, (Run("idle", "idle"),)),
    Block(Task.RELAY, (Run("idle-tls", "idle", {"tls": True}),)),
    Block(
        Task.RELAY,
        (
            Run("msg", "msg"),
            Run("msg-tls", "msg", {"tls": True}),
            Run("msg-w1", "msg", {"window": 1}),
            Run("msg-tls-w1", "msg", {"window": 1, "tls": True}),
            Run("latency", "latency"),
            Run("smacks", "smacks"),
        ),
    ),
    Block(Task.RELAY, (Run("msg-crowd", "msg", {"background": True}),)),
    Block(Task.RELAY, (Run("presence", "presence"),)),
    Block(
        Task.RETURN,
        (Run("login-sasl2", "login-sasl2", {"tls": True}), Run("login-fast", "login-fast", {"tls": True})),
    ),
    Block(
        Task.STORE,
        (
            Run("msg-mam", "msg"),
            Run("msg-mam-tls", "msg", {"tls": True}),
            Run("msg-mam-w1", "msg", {"window": 1}),
            Run("latency-mam", "latency"),
        ),
    ),
    Block(Task.STORE, (Run("offline", "offline"), Run("mam", "mam"))),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    :ivar run: the label of the run that yields it, and `key` where in its result it is.
    :ivar goal: at most so much; or the label of a run of the same server that it may not exceed.
    :ivar ours: which of ours is held against the goal and the others.
    """

    title: str
    run: str
    key: str
    unit: str
    goal: float | str | None = None
    ours: str = OURS


FIGURES = (
    Figure("login", "login", "cpu_ms", "ms", 0.8),
    Figure("login, TLS", "login-tls", "cpu_ms", "ms", 1.5),
    Figure("idle session", "idle", "kib", "KiB", 12),
    Figure("idle session, TLS", "idle-tls", "kib", "KiB", 38),
    Figure("message", "msg", "cpu_us", "µs", 25),
    Figure("message, TLS", "msg-tls", "cpu_us", "µs", 40),
    Figure("message, one in flight", "msg-w1", "cpu_us", "µs", 40),
    Figure("message, one in flight, TLS", "msg-tls-w1", "cpu_us", "µs"),
    Figure("message, crowd online", "msg-crowd", "cpu_us", "µs", "msg"),
    Figure("message at a low rate", "latency", "cpu_us", "µs"),
    Figure("latency, median", "latency", "p50_ms", "ms"),
    Figure("latency, 99 %", "latency", "p99_ms", "ms"),
    Figure("presence delivered", "presence", "cpu_us", "µs", 20),
    Figure("message, acknowledged", "smacks", "cpu_us", "µs", 35),
    Figure("message, archived", "msg-mam", "cpu_us", "µs", 90),
    Figure("· server beside a database", "msg-mam", "server_us", "µs", 60, POSTGRES),
    Figure("· its database", "msg-mam", "database_us", "µs", 65, POSTGRES),
    Figure("message, archived, TLS", "msg-mam-tls", "cpu_us", "µs"),
    Figure("message, archived, one in flight", "msg-mam-w1", "cpu_us", "µs"),
    Figure("message, archived, at a low rate", "latency-mam", "cpu_us", "µs"),
    Figure("latency, archived, median", "latency-mam", "p50_ms", "ms", 6),
    Figure("latency, archived, 99 %", "latency-mam", "p99_ms", "ms"),
    Figure("message to somebody away", "offline", "cpu_us", "µs", 120),
    Figure("message from the archive", "mam", "cpu_us", "µs", 25),
    Figure("login, SASL2, TLS", "login-sasl2", "cpu_ms", "ms"),
    Figure("login by a token, TLS", "login-fast", "cpu_ms", "ms"),
)
LABELS = tuple(run.label for block in BLOCKS for run in block.runs)


def chosen(only: list[str]) -> list[Block]:
    """Return the blocks, with the runs whose label or scenario is in `only`; all if it is empty."""
    wanted = set(only)
    kept = [
        Block(block.task, tuple(run for run in block.runs if not wanted or {run.label, run.scenario} & wanted))
        for block in BLOCKS
    ]
    return [block for block in kept if block.runs]


def block_of(label: str) -> Block:
    """Return a block that has only the run of that label."""
    return next(Block(block.task, (run,)) for block in BLOCKS for run in block.runs if run.label == label)
