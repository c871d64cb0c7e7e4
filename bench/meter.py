"""Processor time of the server, its database, the generator and everybody else, between two readings."""

import resource
import time
from dataclasses import dataclass, replace

from .procs import Process, machine, processes, tree


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor time by who used it, and of the monotonic clock: when it began, how long it took.

    :ivar database: of the database that was started for the server; None if there is none.
    """

    at: float
    wall: float
    server: float
    generator: float
    others: float
    stolen: float
    database: float | None = None

    @property
    def whole(self) -> float:
        """The server's processor time, its database's included."""
        return self.server + (self.database or 0.0)

    def per_unit(self, units: int, scale: float = 1e6) -> float:
        """Return the server's processor time, its database's included, per unit: microseconds, or by `scale`."""
        return self.whole * scale / max(units, 1)

    def cost(self, units: int) -> dict[str, float]:
        """Return what one unit costs in microseconds: in all, and by whom where there is a database."""
        costs = {"cpu_us": self.per_unit(units)}
        if self.database is not None:
            costs["server_us"] = self.server * 1e6 / max(units, 1)
            costs["database_us"] = self.database * 1e6 / max(units, 1)
        return costs

    def less(self, other: "Usage") -> "Usage":
        """Return this usage without what `other` had to pay for as well: of the server and its database only."""
        database = None if self.database is None else self.database - (other.database or 0.0)
        return replace(self, server=self.server - other.server, database=database)

    def plus(self, other: "Usage") -> "Usage":
        """Return this usage and what `other` took besides: of the server and its database only."""
        database = None if self.database is None else self.database + (other.database or 0.0)
        return replace(self, server=self.server + other.server, database=database)

    def figures(self) -> dict[str, float]:
        """Return what every result carries, so that a crowded machine shows; shares are in cores."""
        wall = self.wall or 1.0
        figures = {
            "at": self.at,
            "wall_s": self.wall,
            "server_cpu_s": self.server,
            "server_cores": self.server / wall,
            "generator_cores": self.generator / wall,
            "other_cores": max(0.0, self.others / wall),  # two clocks of unlike resolution may disagree by a tick
            "stolen_cores": self.stolen / wall,
        }
        return figures if self.database is None else {**figures, "database_cores": self.database / wall}


@dataclass(frozen=True, slots=True)
class Reading:
    """All clocks at one moment, in seconds since moments of their own; no database has no clock."""

    at: float
    server: float
    generator: float
    busy: float
    stolen: float
    database: float | None = None

    def until(self, later: "Reading") -> Usage:
        """Return what was used between this reading and a later one."""
        server = later.server - self.server
        generator = later.generator - self.generator
        database = None if later.database is None else later.database - (self.database or 0.0)
        others = later.busy - self.busy - server - generator - (database or 0.0)
        stolen = later.stolen - self.stolen
        return Usage(self.at, later.at - self.at, server, generator, others, stolen, database)


class Meter:
    """Reads the clocks.

    :param pid: the server is the process tree below it; none: its share reads as zero.
    :param database: its database is the tree below that; none: there is no such share.
    """

    def __init__(self, pid: int | None, database: int | None = None) -> None:
        self.pid = pid
        self.database = database

    def cpu(self) -> float:
        """Return the seconds of processor time that the server and its database have used."""
        table = processes()
        return cpu_below(self.pid, table) + cpu_below(self.database, table)

    def resident(self) -> int:
        """Return the server's resident memory in KiB."""
        return 0 if self.pid is None else sum(process.resident for process in tree(self.pid, processes()))

    def read(self) -> Reading:
        """Read all clocks."""
        whole, table = machine(), processes()
        own = resource.getrusage(resource.RUSAGE_SELF)
        return Reading(
            time.monotonic(),
            cpu_below(self.pid, table),
            own.ru_utime + own.ru_stime,
            whole.busy,
            whole.stolen,
            None if self.database is None else cpu_below(self.database, table),
        )


def cpu_below(pid: int | None, table: dict[int, Process]) -> float:
    """Return the seconds of processor time that a process and its descendants have used; none has used none."""
    return 0.0 if pid is None else sum(process.cpu for process in tree(pid, table))


def calibrate(turns: int = 50_000) -> float:
    """Return the processor time, in milliseconds, of a fixed piece of work: a slow or crowded core makes it longer."""
    begin = time.process_time()
    table: dict[int, bytes] = {}
    state = 1
    for _ in range(turns):
        state = (state * 69069 + 1) & 0xFFFFFFFF
        table[state >> 16] = b"%x" % state
    return (time.process_time() - begin) * 1e3
