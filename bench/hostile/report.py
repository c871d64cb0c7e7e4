"""The report: one line for each attack."""

import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..scenarios.latency import quantile

HEAD = """\
# What attackers do, and what others notice of it

xmppd {version}, Python {python}. Written by `python -m bench.hostile`: one process with its default limits, the
attacker a process on the same machine, and a bystander who pings over TLS meanwhile. Processor time and resident memory
are the server's; memory is read before the attack, at its highest, and a second behind it. Attacker, bystander and
server share {cores} cores, perhaps with others, so the times are upper bounds.

| attack | how it ended | s | CPU s | MiB before | highest | behind | log KiB | ping ms: median | p99 | longest |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attack.

    :ivar attack: what was done.
    :ivar seconds: how long it took.
    :ivar cpu: seconds of the server's processor time.
    :ivar before: its resident memory in KiB; so are `peak` and `behind`.
    :ivar logged: bytes of its log.
    :ivar waits: how long the bystander's pings took, in milliseconds, in order of length.
    """

    attack: str
    outcome: str
    seconds: float
    cpu: float
    before: int
    peak: int
    behind: int
    logged: int
    waits: Sequence[float]

    def line(self) -> str:
        """Return the line of the table."""
        waits = list(self.waits) or [0.0]
        cells = (
            self.attack, self.outcome, f"{self.seconds:.1f}", f"{self.cpu:.2f}", f"{self.before / 1024:.0f}",
            f"{self.peak / 1024:.0f}", f"{self.behind / 1024:.0f}", f"{self.logged / 1024:.0f}",
            f"{statistics.median(waits):.1f}", f"{quantile(waits, 0.99):.0f}", f"{waits[-1]:.0f}",
        )  # fmt: skip
        return "| " + " | ".join(cells) + " |"


def report(outcomes: Iterable[Outcome], version: str, cores: int) -> str:
    """Return the whole report."""
    head = HEAD.format(version=version, python=platform.python_version(), cores=cores)
    return head + "".join(f"{outcome.line()}\n" for outcome in outcomes)
