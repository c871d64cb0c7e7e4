"""Processor time of the server, of the generator and of everybody else, between two readings."""

import resource
import time
from dataclasses import dataclass

from .procs import machine, processes, tree


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor time by who used it, and of the monotonic clock: when it began, how long it took."""

    at: float
    wall: float
    server: float
    generator: float
    others: float
    stolen: float

    def per_unit(self, units: int, scale: float = 1e6) -> float:
        """Return the server's processor time per unit of work: microseconds, or by `scale`."""
        return self.server * scale / max(units, 1)

    def figures(self) -> dict[str, float]:
        """Return what every result carries, so that a crowded machine shows; shares are in cores."""
        wall = self.wall or 1.0
        return {
            "at": self.at,
            "wall_s": self.wall,
            "server_cpu_s": self.server,
            "server_cores": self.server / wall,
            "generator_cores": self.generator / wall,
            "other_cores": max(0.0, self.others / wall),  # two clocks of unlike resolution may disagree by a tick
            "stolen_cores": self.stolen / wall,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """All clocks at one moment, in seconds since moments of their own."""

    at: float
    server: float
    generator: float
    busy: float
    stolen: float

    def until(self, later: "Reading") -> Usage:
        """Return what was used between this reading and a later one."""
        server = later.server - self.server
        generator = later.generator - self.generator
        others = later.busy - self.busy - server - generator
        return Usage(self.at, later.at - self.at, server, generator, others, later.stolen - self.stolen)


class Meter:
    """Reads the clocks; the server is the process tree below `pid` (none: its share reads as zero)."""

    def __init__(self, pid: int | None) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """Return the seconds of processor time that the server has used."""
        return 0.0 if self.pid is None else sum(process.cpu for process in tree(self.pid, processes()))

    def resident(self) -> int:
        """Return the server's resident memory in KiB."""
        return 0 if self.pid is None else sum(process.resident for process in tree(self.pid, processes()))

    def read(self) -> Reading:
        """Read all clocks."""
        whole = machine()
        own = resource.getrusage(resource.RUSAGE_SELF)
        return Reading(time.monotonic(), self.cpu(), own.ru_utime + own.ru_stime, whole.busy, whole.stolen)


def calibrate(turns: int = 50_000) -> float:
    """Return the processor time, in milliseconds, of a fixed piece of work: a slow or crowded core makes it longer."""
    begin = time.process_time()
    table: dict[int, bytes] = {}
    state = 1
    for _ in range(turns):
        state = (state * 69069 + 1) & 0xFFFFFFFF
        table[state >> 16] = b"%x" % state
    return (time.process_time() - begin) * 1e3
