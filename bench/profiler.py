"""Where a server's time goes under messages: a table and a bar chart.

Two views, each of its own run, since one would disturb the other: `bench.sampler` for Python's functions (our server
only), and `perf`, where it is installed, for everything below them: the interpreter, OpenSSL, SQLite, the kernel.
"""

import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from .plan import Block, Size
from .plot import bars
from .report import grid
from .runner import Laboratory, Record, cost, generate
from .sampler import NATIVE, SLICE
from .servers import Server

SAMPLER = Path(__file__).parent / "sampler.py"
SHOWN = 30
EVERYTHING = 99.5  # per cent: what runs the loop calls all there is, and says nothing
PERF_RATE = "997"  # per second; prime, so that it does not march in step with any timer

Shares = list[tuple[str, float]]  # name, per cent; the largest first


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at the time: a heading, what the first column is, and the shares."""

    heading: str
    column: str
    shares: Shares


def short(function: str) -> str:
    """Return ``file:name`` with the file as it would be imported from."""
    path, _, name = function.rpartition(":")
    for marker in ("/site-packages/", "/xmppd/", "/modules/"):
        if marker in path:
            kept = path.rpartition(marker)[2]
            return f"{marker.strip('/') + '/' if marker != '/site-packages/' else ''}{kept}:{name}"
    return f"{Path(path).name}:{name}" if path else name


def area(function: str) -> str:
    """Return the part of the system that a function belongs to."""
    path = short(function).rpartition(":")[0]
    if function == NATIVE:
        return NATIVE
    parts = path.split("/")
    if parts[0] == "xmppd":
        return ".".join(part.removesuffix(".py") for part in parts[:2])
    if parts[0] == "modules":
        return "xmppd.modules"
    return parts[0].removesuffix(".py") if len(parts) > 1 else "standard library"


def shares(totals: Mapping[str, float]) -> Shares:
    """Return per cent of the whole, the largest first."""
    whole = sum(totals.values()) or 1.0
    return sorted(((name, 100 * used / whole) for name, used in totals.items()), key=lambda item: -item[1])


def within(entries: Iterable[Record], begin: float, end: float) -> Iterator[Record]:
    """Yield the entries whose slice lies wholly in the measured time."""
    return (entry for entry in entries if begin <= entry["at"] and entry["at"] + SLICE <= end)


def python_views(entries: Sequence[Record]) -> list[View]:
    """Return time by area, by function alone, and by function with all that it called."""
    own: dict[str, float] = {}
    areas: dict[str, float] = {}
    called: dict[str, float] = {}
    whole = sum(entry["cpu"] for entry in entries) or 1.0
    for entry in entries:
        function, used = entry["stack"][0], entry["cpu"]
        own[short(function)] = own.get(short(function), 0.0) + used
        areas[area(function)] = areas.get(area(function), 0.0) + used
        for name in {short(name) for name in entry["stack"]}:
            called[name] = called.get(name, 0.0) + used
    with_called = sorted(((name, 100 * used / whole) for name, used in called.items()), key=lambda item: -item[1])
    with_called = [(name, share) for name, share in with_called if share < EVERYTHING]
    return [
        View("Python: by area", "area", shares(areas)),
        View("Python: by function, without what it calls", "function", shares(own)[:SHOWN]),
        View("Python: by function, with what it calls", "function", with_called[:SHOWN]),
    ]


def parse_perf(output: str) -> list[tuple[float, str, str]]:
    """Read ``perf report --field-separator=;``: per cent, shared object, symbol."""
    found = []
    for line in output.splitlines():
        match = re.match(r"\s*([\d.]+)%?\s*;\s*([^;]*?)\s*;\s*(?:\[.\]\s*)?(.*?)\s*$", line)
        if match:
            found.append((float(match[1]), match[2].strip("[]") or "kernel", match[3]))
    return found


def perf_views(rows: Sequence[tuple[float, str, str]]) -> list[View]:
    """Return time by shared object and by symbol."""
    objects: dict[str, float] = {}
    symbols: dict[str, float] = {}
    for percent, shared, symbol in rows:
        objects[shared] = objects.get(shared, 0.0) + percent
        name = f"{shared}: {'(no symbol)' if symbol.startswith('0x') else symbol}"
        symbols[name] = symbols.get(name, 0.0) + percent
    return [
        View("perf: by shared object", "object", shares(objects)[:SHOWN]),
        View("perf: by symbol", "symbol", shares(symbols)[:SHOWN]),
    ]


class Profile:
    """Profiles one server under one run."""

    def __init__(self, server: Server, laboratory: Laboratory, block: Block, work: Path) -> None:
        self._server = server
        self._laboratory = laboratory
        self._task = block.task
        self._run = block.runs[0]
        self._work = work
        self._seed = laboratory.seed(server)

    def sampled(self) -> tuple[Record, list[View]]:
        """Run a Python server under the sampler."""
        output = self._work / "samples.jsonl"
        wrapper = [sys.executable, "-P", str(SAMPLER), str(output)]
        with self._laboratory.instance(self._server, self._seed, self._task, wrapper) as instance:
            figures = generate(self._laboratory.options(self._run, instance, self._seed))
        entries = [json.loads(line) for line in output.read_text().splitlines()]
        measured = list(within(entries, figures["at"], figures["at"] + figures["wall_s"])) if "at" in figures else []
        return figures, python_views(measured)

    def perf(self) -> tuple[Record, list[View]]:
        """Run the server under perf, whose clock is the same as the generator's."""
        with (
            self._laboratory.instance(self._server, self._seed, self._task) as instance,
            self._recording(instance.pid) as data,
        ):
            figures = generate(self._laboratory.options(self._run, instance, self._seed))
        if "at" not in figures:
            return figures, []
        return figures, perf_views(self._report(data, figures["at"], figures["at"] + figures["wall_s"]))

    @contextlib.contextmanager
    def _recording(self, pid: int) -> Iterator[Path]:
        data = self._work / "perf.data"
        command = ["perf", "record", "-q", "-e", "cpu-clock", "-F", PERF_RATE, "-k", "CLOCK_MONOTONIC", "-p", str(pid)]
        perf = subprocess.Popen([*command, "-o", data], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield data
        finally:
            perf.terminate()  # it writes its file and ends
            perf.wait(60)

    def _report(self, data: Path, begin: float, end: float) -> list[tuple[float, str, str]]:
        command = ["perf", "report", "--stdio", "-q", "-F", "overhead,dso,symbol", "--field-separator", ";"]
        window = ["--time", f"{begin:.6f},{end:.6f}"]
        answer = subprocess.run([*command, *window, "-i", data], capture_output=True, text=True, check=False)
        return parse_perf(answer.stdout)


def markdown(title: str, views: Sequence[View], figures: Sequence[str]) -> str:
    """Return the report."""
    tables = [
        f"## {view.heading}\n\n"
        + grid([view.column, "share"], [[f"`{name}`", f"{share:.1f} %"] for name, share in view.shares])
        for view in views
    ]
    return "\n\n".join([f"# {title}", *figures, *tables]) + "\n"


def profile(server: Server, size: Size, block: Block, folder: Path, console: Console) -> int:
    """Profile the server under the block's run and write `profile-SERVER.md` and `.png`; return the exit status."""
    views: list[View] = []
    (run,) = block.runs
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="xmppd-bench-") as work:
        work_folder = Path(work)
        laboratory = Laboratory(work_folder, None, size, console.print)
        subject = Profile(server, laboratory, block, work_folder)
        ways: list[tuple[str, Any]] = [("sampler", subject.sampled)] if server.is_python else []
        ways += [("perf", subject.perf)] if shutil.which("perf") else []
        for name, way in ways:
            figures, found = way()
            views += found
            notes.append(f"{server.name} {run.label} under {name}: {figures.get('error') or cost(figures).strip(', ')}")
            console.print(notes[-1], markup=False, highlight=False)
    title = f"Where {server.name}'s time goes: {run.label}"
    (folder / f"profile-{server.name}.md").write_text(markdown(title, views, notes))
    if views:
        chart = next((view for view in views if "without" in view.heading), views[-1])
        bars(folder / f"profile-{server.name}.png", f"{title} ({chart.heading})", chart.shares[:20])
    show(views, console)
    return 0 if views else 1


def show(views: Sequence[View], console: Console) -> None:
    """Print the head of every view."""
    from rich.table import Table

    for view in views:
        table = Table(view.column, "share", title=view.heading, title_justify="left")
        for name, share in view.shares[:15]:
            table.add_row(name, f"{share:.1f} %")
        console.print(table)
