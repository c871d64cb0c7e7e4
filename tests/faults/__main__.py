"""Runs all faults, many times over, and writes the report: `make faults`."""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .disks import is_full, is_locked
from .house import ENGINES, FILE, House, SqliteFile, databases
from .kills import Figures, killed
from .outages import TROUBLES, Outage, pillars
from .postgres import Mortal
from .report import write
from .small_disk import SmallHouse

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results"
H = TypeVar("H", bound=House)
T = TypeVar("T", Figures, Outage)


@contextmanager
def a_folder() -> Iterator[Path]:
    """Yield a folder for one house."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        yield Path(name)


def run(house: H, what: Callable[[H], Coroutine[Any, Any, T]]) -> T:
    """Start a house, do something to it, stop it; say what was found."""

    async def played() -> T:
        await house.start()
        outcome = await what(house)
        await house.stop()
        return outcome

    try:
        outcome = asyncio.run(played())
    finally:
        house.ends()
    print(_said(outcome), flush=True)
    return outcome


def _said(outcome: Figures | Outage) -> str:
    what = outcome.engine if isinstance(outcome, Figures) else outcome.what
    assert outcome.findings is not None
    return f"{what}: {outcome.findings.acknowledged} acknowledged, faults: {outcome.findings.faults or 'none'}"


def all_kills(kills: int, seed: int, server: Mortal) -> list[Figures]:
    """Kill a server on each kind of database."""
    found = []
    for engine in ENGINES:
        with a_folder() as folder:
            house = House(folder, databases(engine, folder, lambda: server))
            found.append(run(house, partial(killed, engine=engine, seed=seed, kills=kills)))
    return found


def all_outages(seed: int, first: Mortal, second: Mortal) -> list[Outage]:
    """Do everything to one of two shards, and to an SQLite file."""
    found = []
    for trouble, weak in TROUBLES.values():
        with a_folder() as folder:
            stage = pillars(first, second, weak)
            house = House(folder, stage.databases)
            found.append(run(house, partial(trouble, stage=stage, seed=seed)))
    with a_folder() as folder:
        found.append(run(SmallHouse(folder), partial(is_full, seed=seed)))
    with a_folder() as folder:
        house = House(folder, [SqliteFile(f"sqlite:///{FILE}", lambda: folder / "data" / FILE)])
        found.append(run(house, partial(is_locked, seed=seed)))
    return found


def commit() -> str:
    """Return the commit, with a mark if the sources differ from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude", "*"]
    return str(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


def main() -> int:
    """Run them; return 1 if anything was found that must not be."""
    parse = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parse.add_argument("--kills", type=int, default=50, help="how many times to kill the server on each database")
    parse.add_argument("--seed", type=int, default=1597, help="of the moments")
    parse.add_argument("--results", type=Path, default=RESULTS, help="where to write the report")
    options = parse.parse_args()
    version = commit()
    with Mortal() as first, Mortal() as second:
        runs = all_kills(options.kills, options.seed, first)
        outages = all_outages(options.seed, first, second)
    print(write(options.results, version, options.seed, os.cpu_count() or 1, runs, outages))
    findings = [*(each.findings for each in runs), *(each.findings for each in outages)]
    return int(any(each is None or each.faults for each in findings))


if __name__ == "__main__":
    sys.exit(main())
