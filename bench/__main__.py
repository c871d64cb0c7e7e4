"""``python -m bench``: xmppd beside its peers; see the package's docstring for the method."""

import argparse
import contextlib
import datetime
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from .plan import FULL, LABELS, OURS, OURSELVES, QUICK, Size, block_of, chosen
from .runner import Course, Laboratory, Record, SeedError, cost, follow
from .servers import DEFAULT, SERVERS, Server, StartError
from .servers.xmppd import ROOT, git
from .summary import errors, lines, shown_servers

RESULTS = Path(__file__).parent / "results"
CACHE = ROOT / ".cache" / "bench"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parse = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parse.add_argument("--quick", action="store_true", help="a smoke test: little load, one round, a few minutes")
    parse.add_argument("--rounds", type=int, help="how often everything is run (2; 1 with --quick)")
    parse.add_argument("--budget", type=float, default=60.0, help="minutes after which no block is started (60)")
    parse.add_argument("--only", action="append", default=[], metavar="RUN", help=f"of {', '.join(LABELS)}; repeatable")
    parse.add_argument(
        "--server", action="append", default=[], choices=sorted(SERVERS), help=f"repeatable ({', '.join(DEFAULT)})"
    )
    parse.add_argument("--fresh", action="store_true", help="make new seeds, and keep none")
    parse.add_argument("--output", type=Path, help="the folder of the report (bench/results/DATE-COMMIT)")
    parse.add_argument("--no-report", action="store_true", help="only the table")
    parse.add_argument(
        "--profile", nargs="?", const="msg", choices=LABELS, help="profile the server (xmppd) under this run instead"
    )
    return parse


def installed(names: Sequence[str], console: Console) -> list[Server]:
    """Return the servers that can be run here, and say which cannot."""
    found = []
    for name in names:
        server = SERVERS[name]()
        if server.installed():
            found.append(server)
        else:
            console.print(f"{name} is not installed: left out")
    return found


def result_folder(output: Path | None) -> Path:
    """Return the folder for the report, made if need be."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    folder = output or RESULTS / f"{today}-{git('rev-parse', '--short', 'HEAD')}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run(options: argparse.Namespace, size: Size, console: Console) -> int:
    """Run the benchmark and show it; return the exit status: 1 if anything of ours failed."""
    servers = installed(options.server or DEFAULT, console)
    blocks = chosen(options.only)
    if not servers or not blocks:
        console.print("nothing to run")
        return 2
    rounds = options.rounds or (1 if options.quick else 2)
    course = Course(servers, blocks, rounds, options.budget * 60)
    records = collect(course, size, None if options.fresh else CACHE, console)
    show(records, [server.name for server in servers], console)
    if not options.no_report:
        publish(result_folder(options.output), course, size, records, console)
    return 1 if any(record["server"] in OURSELVES for record in errors(records)) or not records else 0


def profiled(options: argparse.Namespace, size: Size, console: Console) -> int:
    """Profile the servers under one run; return the exit status."""
    from .profiler import profile

    block = block_of(options.profile)
    folder = result_folder(options.output)
    servers = installed(options.server or [OURS], console)
    return max((profile(server, size, block, folder, console) for server in servers), default=2)


def collect(course: Course, size: Size, cache: Path | None, console: Console) -> list[Record]:
    """Run the course; return its records, or as many as there are when it is interrupted."""
    records = []
    with tempfile.TemporaryDirectory(prefix="xmppd-bench-") as work:
        laboratory = Laboratory(Path(work), cache, size, lambda text: console.print(text, highlight=False))
        try:
            with contextlib.closing(follow(course, laboratory, console.print)) as following:
                for record in following:
                    records.append(record)
                    console.print(progress(record), highlight=False, markup=False)
        except KeyboardInterrupt:
            console.print("interrupted: what there is follows")
    return records


def progress(record: Record) -> str:
    """Return a record in one line."""
    outcome = f" FAILED: {record['error']}" if "error" in record else cost(record)
    others = f", others {record['other_cores']:.2f} cores" if "other_cores" in record else ""
    return f"round {record['round']}, {record['server']}: {record['run']}{outcome}{others}"


def show(records: Sequence[Record], servers: Sequence[str], console: Console) -> None:
    """Print the table, and what failed."""
    from .table import table

    shown = shown_servers(records, servers)
    console.print(table(lines(records, shown), shown))
    for record in errors(records):
        console.print(json.dumps(record), style="red", highlight=False, markup=False)


def publish(folder: Path, course: Course, size: Size, records: Sequence[Record], console: Console) -> None:
    """Write the report and the picture."""
    from .plot import plot
    from .report import Subject, write_report

    names = shown_servers(records, [server.name for server in course.servers])
    versions = {server.name: server.version() for server in course.servers}
    commit = git("rev-parse", "--short", "HEAD")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    write_report(folder, Subject(today, commit, versions, size, course.rounds), records)
    plot(folder / "cost.png", f"{today}, {commit}", lines(records, names), names)
    console.print(f"report: {os.path.relpath(folder)}")


def main() -> int:
    """Run the command line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended on the way out
    options = parser().parse_args()
    console = Console(width=None if sys.stdout.isatty() else 180)
    try:
        size = QUICK if options.quick else FULL
        return profiled(options, size, console) if options.profile else run(options, size, console)
    except (SeedError, StartError) as error:
        console.print(f"failed: {error}", style="red", markup=False)
        return 1


if __name__ == "__main__":
    sys.exit(main())
