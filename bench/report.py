"""The report of a benchmark: Markdown to read, JSON lines with everything."""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .plan import Size
from .summary import Line, Record, Value, errors, lines, peers_of, shown_servers, surroundings, three_digits

MACHINE = (
    ("generator_cores", "generator, cores"),
    ("server_cores", "server, cores"),
    ("database_cores", "database, cores"),
    ("other_cores", "everything else, cores"),
    ("stolen_cores", "taken by the hypervisor, cores"),
    ("calibration_ms", "calibration, ms"),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured: when, which commit, which servers in which versions, and how much load."""

    date: str
    commit: str
    versions: dict[str, str]
    size: Size
    rounds: int


def row(cells: Sequence[str]) -> str:
    """Return one row of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def grid(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join([row(headings), row(["---"] * len(headings)), *(row(cells) for cells in rows)])


def rounds_of(value: Value | None) -> str:
    """Return the median in bold, and every round behind it."""
    if value is None:
        return ""
    each = " / ".join(three_digits(number) for number in value.all)
    return f"**{three_digits(value.median)}**" + (f" ({each})" if len(value.all) > 1 else "")


def figures(found: Sequence[Line], servers: Sequence[str]) -> str:
    """Return the table of figures and ratios."""
    peers = peers_of(servers)
    headings = ["", "unit", *servers, "goal", "ours / goal", *(f"ours / {peer}" for peer in peers)]
    return grid(headings, [_line(line, servers, peers) for line in found])


def _line(line: Line, servers: Sequence[str], peers: Sequence[str]) -> list[str]:
    ratios = [line.against_goal(), *(line.against(peer) for peer in peers)]
    return [
        line.figure.title,
        line.figure.unit,
        *(rounds_of(line.values.get(server)) for server in servers),
        three_digits(line.goal) if line.goal else "",
        *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
    ]


def crowdedness(records: Sequence[Record], servers: Sequence[str]) -> str:
    """Return how busy the machine was, by run and server: medians over the rounds."""
    rows = []
    for run in dict.fromkeys(record["run"] for record in records):
        for server in servers:
            some = [record for record in records if record["run"] == run and record["server"] == server]
            values = [surroundings(some, key) for key, _ in (*MACHINE, ("per_s", ""))]
            if any(values):
                rows.append([run, server, *("" if item is None else three_digits(item.median) for item in values)])
    return grid(["run", "server", *(title for _, title in MACHINE), "units per second"], rows)


def failures(records: Sequence[Record]) -> str:
    """Return what failed or got lost, or an empty string."""
    rows = [
        [record["server"], record["run"], str(record["round"]), str(record.get("error") or f"{record['lost']} lost")]
        for record in errors(records)
    ]
    return "\n## What failed\n\n" + grid(["server", "run", "round", "what"], rows) + "\n" if rows else ""


def markdown(subject: Subject, records: Sequence[Record]) -> str:
    """Return the whole report."""
    servers = shown_servers(records, list(subject.versions))
    versions = "\n".join(f"* {name}: {subject.versions[name]}" for name in servers)
    return f"""# Benchmark of {subject.date}, {subject.commit}

{versions}
* Python {platform.python_version()}, {platform.system()} {platform.release()}, {platform.machine()}
* size {subject.size.name}, {subject.rounds} rounds at most; the servers took turns within each round

Cost per unit of work: processor time of the server's whole process tree, and of the PostgreSQL that serves it alone if
it has one; growth of the server's resident memory for idle sessions. Medians over the rounds, every round in brackets.
A ratio below 1 means that xmppd is cheaper; it is xmppd-pg's where only servers with a database have a figure.

{figures(lines(records, servers), servers)}

![cost per unit](cost.png)
{failures(records)}
## The machine meanwhile

Differences below a third mean nothing where others used much of the machine. Units per second are what was left for
the server, not what it can do.

{crowdedness(records, servers)}
"""


def write_report(folder: Path, subject: Subject, records: Sequence[dict[str, Any]]) -> None:
    """Write `report.md` and `runs.jsonl`."""
    (folder / "report.md").write_text(markdown(subject, records))
    (folder / "runs.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
