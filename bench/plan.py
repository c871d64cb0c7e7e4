"""What is run and what is shown of it: sizes, runs in blocks, figures with their goals."""

from dataclasses import dataclass, field
from typing import Any


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

    def accounts(self) -> int:
        """Return how many accounts without rosters all runs need."""
        return max(self.logins, self.idle + 50, 2 * self.pairs + self.background)


FULL = Size(
    "full", logins=1000, idle=3000, pairs=50, background=3000, friends=100, contacts=50, turns=6,
    warmup=1.5, seconds=5.0, rate=500.0, settle=6.0,
)  # fmt: skip
QUICK = Size(
    "quick", logins=100, idle=150, pairs=10, background=100, friends=20, contacts=10, turns=5,
    warmup=0.3, seconds=1.0, rate=100.0, settle=0.5,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the generator: a label, a scenario and options beyond the size's."""

    label: str
    scenario: str
    options: dict[str, Any] = field(default_factory=dict)

    def job(self, size: Size) -> dict[str, Any]:
        """Return the options of the job, those of the size included."""
        of_size: dict[str, dict[str, Any]] = {
            "login": {"sessions": size.logins},
            "idle": {"sessions": size.idle, "settle": size.settle},
            "msg": {"pairs": size.pairs, "warmup": size.warmup, "seconds": size.seconds},
            "latency": {"pairs": size.pairs, "warmup": size.warmup, "seconds": size.seconds, "rate": size.rate},
            "presence": {"friends": size.friends, "contacts": size.contacts, "turns": size.turns},
        }
        options = {"scenario": self.scenario, **of_size[self.scenario], **self.options}
        if options.get("background"):
            options["background"] = size.background
        return options


# One block is one start of a server. Logins swell a heap for good, so what is sensitive to that has its own block.
BLOCKS: tuple[tuple[Run, ...], ...] = (
    (Run("login", "login"), Run("login-tls", "login", {"tls": True})),
    (Run("idle", "idle"),),
    (Run("idle-tls", "idle", {"tls": True}),),
    (
        Run("msg", "msg"),
        Run("msg-tls", "msg", {"tls": True}),
        Run("msg-w1", "msg", {"window": 1}),
        Run("msg-tls-w1", "msg", {"window": 1, "tls": True}),
        Run("latency", "latency"),
    ),
    (Run("msg-crowd", "msg", {"background": True}),),
    (Run("presence", "presence"),),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    :ivar run: the label of the run that yields it, and `key` where in its result it is.
    :ivar goal: at most so much; or the label of a run of the same server that it may not exceed.
    """

    title: str
    run: str
    key: str
    unit: str
    goal: float | str | None = None


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
)
LABELS = tuple(run.label for block in BLOCKS for run in block)


def chosen(only: list[str]) -> list[tuple[Run, ...]]:
    """Return the blocks, with the runs whose label or scenario is in `only`; all if it is empty."""
    kept = [tuple(run for run in block if not only or {run.label, run.scenario} & set(only)) for block in BLOCKS]
    return [block for block in kept if block]
