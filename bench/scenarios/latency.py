"""Latency at a fixed rate, open loop: the next message leaves on time, whatever has arrived."""

import re
import time
from typing import Any

from ..connection import Connection
from ..dialogue import NegotiationError
from ..job import Job
from ..meter import Reading
from ..stage import Stage
from ..stanzas import BODY, chat
from .pairs import bring_pairs, dismiss_pairs

STAMP = re.compile(rb"<body>@(\d+) ")
LONGEST_STAMP = 40  # bytes
SPIN = 1_000_000  # nanoseconds before a message is due in which we poll without sleeping


class Arrivals:
    """Milliseconds from just before `send` to the receipt, for every message that arrived on one connection."""

    __slots__ = ("_tail", "delays")

    def __init__(self, recipient: Connection, delays: list[float]) -> None:
        self._tail = b""
        self.delays = delays
        recipient.receive = self._received

    def _received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        data = self._tail + data
        end = 0
        for stamp in STAMP.finditer(data):
            self.delays.append((now - int(stamp.group(1))) / 1e6)
            end = stamp.end()
        self._tail = data[max(end, len(data) - LONGEST_STAMP) :]


class Schedule:
    """Sends stamped messages at a fixed rate, in turn from every pair; `late` has by how many ms each was late."""

    def __init__(self, stage: Stage, members: list[tuple[Connection, bytes, Connection]], rate: float) -> None:
        self._stage = stage
        self._members = members
        self._gap = 1e9 / rate
        self._run = time.monotonic_ns()
        self._sent = 0
        self.late: list[float] = []

    def send(self, count: int) -> None:
        """Send so many messages, each when it is due."""
        begin = time.monotonic_ns() + SPIN
        for index in range(count):
            self._wait(begin + int(index * self._gap))
            sender, to, _ = self._members[self._sent % len(self._members)]
            body = b"@%d %s" % (time.monotonic_ns(), BODY[:174])
            sender.send(chat(to, b"%x-%d" % (self._run, self._sent), body))
            self._sent += 1

    def _wait(self, due: int) -> None:
        while (left := due - time.monotonic_ns()) > 0:
            self._stage.loop.turn(0 if left < SPIN else (left - SPIN / 2) / 1e9)
        self.late.append(-left / 1e6)


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which that share of the ordered values lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latency(stage: Stage, job: Job) -> dict[str, Any]:
    """Send `job.rate` messages a second over all pairs, warm up first."""
    pairs = bring_pairs(stage, job)
    stage.calm()
    delays: list[float] = []
    for _, _, recipient in pairs.members:
        Arrivals(recipient, delays)
    schedule = Schedule(stage, pairs.members, job.rate)
    schedule.send(int(job.rate * job.warmup))
    stage.loop.run(0.2)
    delays.clear()
    schedule.late.clear()
    before, count = stage.meter.read(), int(job.rate * job.seconds)
    schedule.send(count)
    after = stage.meter.read()
    stage.loop.until(lambda: len(delays) >= count, 10.0)
    stage.unharmed()
    dismiss_pairs(stage, pairs)
    if not delays:
        raise NegotiationError("no message arrived")
    return _figures(before, after, sorted(delays), sorted(schedule.late), count)


def _figures(before: Reading, after: Reading, delays: list[float], late: list[float], count: int) -> dict[str, Any]:
    usage = before.until(after)
    return {
        **usage.figures(),
        "unit": "message",
        "units": len(delays),
        "lost": count - len(delays),
        **usage.cost(len(delays)),
        "p50_ms": quantile(delays, 0.5),
        "p90_ms": quantile(delays, 0.9),
        "p99_ms": quantile(delays, 0.99),
        "max_ms": delays[-1],
        "late_p99_ms": quantile(late, 0.99),
        "per_s": count / usage.wall,
    }
