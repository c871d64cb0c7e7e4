"""Runs the plan: seeds, then rounds in which the servers take turns at every block."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .job import Job
from .plan import Block, Run, Size
from .servers import Instance, Server, StartError
from .servers.base import DOMAIN
from .servers.certificate import Certificate, make_certificate
from .task import Task

ROOT = Path(__file__).parents[1]
LONGEST_RUN = 300.0  # seconds
LONGEST_SEED = 1200.0

Record = dict[str, Any]


class SeedError(Exception):
    """A server could not be given its accounts and rosters."""


@dataclass(frozen=True, slots=True)
class Seed:
    """Data that a server starts on, with accounts and rosters, and the salted passwords of the accounts."""

    data: Path
    salts: Path


def generate(options: dict[str, Any], limit: float = LONGEST_RUN) -> Record:
    """Run the generator in a process of its own; return its figures, or what went wrong under `error`."""
    command = [sys.executable, "-m", "bench.generator", Job(**options).dump()]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {limit:.0f} s"}
    try:
        figures: Record = json.loads(answer.stdout)
    except ValueError:
        return {"error": f"the generator failed: {answer.stderr[-1500:]}"}
    return figures


class Laboratory:
    """A folder for everything that a benchmark makes, and the seeds that outlive it.

    :param work: the folder of this run; nothing in it is kept.
    :param cache: where seeds are kept by server, version and size; None keeps none.
    """

    def __init__(self, work: Path, cache: Path | None, size: Size, say: Callable[[str], None]) -> None:
        self._work = work
        self._cache = cache
        self._size = size
        self._say = say
        self._count = 0
        self._certificate: Certificate = make_certificate(work, DOMAIN)
        work.chmod(0o711)  # PostgreSQL runs as another user if we are root; only what it knows by name is open to it

    @contextlib.contextmanager
    def instance(self, server: Server, seed: Seed, task: Task, wrapper: Sequence[str] = ()) -> Iterator[Instance]:
        """Run the server on a copy of the seed, set up for the task."""
        folder, keeps = self._folder(server), task is Task.STORE
        shutil.copytree(seed.data, folder / "data", symlinks=True)
        with server.running(folder, folder / "data", self._certificate, wrapper, keeps=keeps) as instance:
            yield instance
        shutil.rmtree(folder)

    def seed(self, server: Server) -> Seed:
        """Return the server's seed, from the cache if it is there."""
        kept = self._kept(server)
        if kept is not None and kept.exists():
            return Seed(kept / "data", kept / "salts.json")
        made = self._make(server)
        if kept is None:
            return Seed(made / "data", made / "salts.json")
        shutil.rmtree(kept.parent, ignore_errors=True)  # seeds of other versions, which will not come back
        kept.parent.mkdir(parents=True)
        shutil.move(made, kept)
        return Seed(kept / "data", kept / "salts.json")

    def block(self, server: Server, seed: Seed, block: Block) -> Iterator[tuple[Run, Record]]:
        """Start the server once and do the block's runs; a server that does not start fails all of them."""
        left = list(block.runs)
        try:
            with self.instance(server, seed, block.task) as instance:
                while left:
                    run = left.pop(0)
                    yield run, generate(self.options(run, instance, seed))
        except StartError as error:
            for run in block.runs:
                yield run, {"error": f"did not start: {error}"}

    def options(self, run: Run, instance: Instance, seed: Seed) -> dict[str, Any]:
        """Return the options of a run's job against an instance."""
        processes = {"pid": instance.pid, "database": instance.database}
        return {**run.job(self._size), "port": instance.port, **processes, "salts": str(seed.salts)}

    def _folder(self, server: Server) -> Path:
        self._count += 1
        return self._work / f"{self._count:03}-{server.name}"

    def _kept(self, server: Server) -> Path | None:
        version = server.version()
        if self._cache is None or "dirty" in version or version == "unknown":
            return None  # such data may have the format of a minute ago
        return self._cache / f"{server.data_format}-{self._size.name}" / re.sub(r"[^\w.+~-]+", "_", version)

    def _make(self, server: Server) -> Path:
        folder = self._work / f"seed-{server.name}"
        tls, scenarios = server.registers_over_tls, ["register", "verify"]
        accounts = {"sessions": self._size.accounts(server.tasks)}
        if Task.RELAY in server.tasks:  # nothing else needs rosters, which take longer than all the rest
            accounts |= {"friends": self._size.friends, "contacts": self._size.contacts}
            scenarios.append("roster")
        with server.running(folder, folder / "data", self._certificate) as instance:
            common = {"port": instance.port, "pid": instance.pid, "salts": str(folder / "salts.json"), "tls": tls}
            for scenario in scenarios:
                figures = generate({"scenario": scenario, **common, **accounts}, LONGEST_SEED)
                if "error" in figures:
                    raise SeedError(f"{server.name}, {scenario}: {figures['error']}")
                self._say(f"{server.name}: {scenario} {figures['units']} {figures['unit']}s{cost(figures)}")
        return folder


def cost(figures: Record) -> str:
    """Return the cost of a run in words, for the progress shown."""
    shown = [(key, name) for key, name in (("cpu_ms", "ms"), ("cpu_us", "µs"), ("kib", "KiB")) if key in figures]
    return "".join(f", {figures[key]:.3g} {name} each" for key, name in shown)


@dataclass(frozen=True, slots=True)
class Course:
    """How a benchmark goes: which servers and blocks, how many rounds, and for how long at most."""

    servers: list[Server]
    blocks: list[Block]
    rounds: int
    budget: float  # seconds; no block starts after that

    def turns(self) -> Iterator[tuple[Block, Server]]:
        """Yield the blocks of a round, each with every server that takes part in its task."""
        return ((block, server) for block in self.blocks for server in self.servers if block.task in server.tasks)


def follow(course: Course, laboratory: Laboratory, say: Callable[[str], None]) -> Generator[Record, None, None]:
    """Seed the servers, then run every block on each in turn, round by round; yield a record for each run."""
    end = time.monotonic() + course.budget
    seeds: dict[str, Seed] = {}
    for _, server in course.turns():
        if server.name not in seeds:
            seeds[server.name] = laboratory.seed(server)
    for number in range(1, course.rounds + 1):
        for block, server in course.turns():
            if time.monotonic() > end:
                say(f"out of time in round {number}")
                return
            for run, figures in laboratory.block(server, seeds[server.name], block):
                yield {"server": server.name, "run": run.label, "round": number, **figures}
