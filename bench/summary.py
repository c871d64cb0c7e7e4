"""From records of runs to lines of figures: medians over the rounds, ratios, how crowded the machine was."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .plan import FIGURES, OURSELVES, Figure

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """A figure of one server: its median over the rounds, and every round's."""

    median: float
    all: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A figure of every server that has one; `goal` is what it is to stay below, if anything."""

    figure: Figure
    values: dict[str, Value]
    goal: float | None

    def against(self, server: str) -> float | None:
        """Return our figure divided by the server's: below 1 is better than it."""
        ours, theirs = self.values.get(self.figure.ours), self.values.get(server)
        return ours.median / theirs.median if ours and theirs and theirs.median > 0 else None

    def against_goal(self) -> float | None:
        """Return our figure divided by the goal."""
        ours = self.values.get(self.figure.ours)
        return ours.median / self.goal if ours and self.goal else None


def value(records: Iterable[Record], server: str, run: str, key: str) -> Value | None:
    """Return the figure under `key` of a server's runs, or None if no run has it."""
    found = tuple(
        float(record[key])
        for record in records
        if record["server"] == server and record["run"] == run and key in record
    )
    return Value(statistics.median(found), found) if found else None


def line(figure: Figure, records: Sequence[Record], servers: Sequence[str]) -> Line:
    """Return one line; a goal that names a run is that run's figure of ours."""
    values = {server: value(records, server, figure.run, figure.key) for server in servers}
    goal = figure.goal
    if isinstance(goal, str):
        same = value(records, figure.ours, goal, figure.key)
        goal = same.median if same else None
    return Line(figure, {server: found for server, found in values.items() if found}, goal)


def lines(records: Sequence[Record], servers: Sequence[str]) -> list[Line]:
    """Return the lines that have at least one figure."""
    return [found for figure in FIGURES if (found := line(figure, records, servers)).values]


def errors(records: Iterable[Record]) -> list[Record]:
    """Return the records of runs that failed, or lost something on the way."""
    return [record for record in records if "error" in record or record.get("lost")]


def surroundings(records: Sequence[Record], key: str) -> Value | None:
    """Return a figure of the machine over all runs: `other_cores`, `calibration_ms`..."""
    found = tuple(float(record[key]) for record in records if key in record)
    return Value(statistics.median(found), found) if found else None


def three_digits(number: float) -> str:
    """Return a number with three significant digits and no exponent."""
    if number == 0:
        return "0"
    digits = 3 - len(str(int(abs(number)))) if abs(number) >= 1 else 2
    if abs(number) < 0.1:
        digits = 3
    return f"{number:.{max(digits, 0)}f}"


def shown_servers(records: Iterable[Record], servers: Sequence[str]) -> list[str]:
    """Return those of the servers that were run."""
    run = {record["server"] for record in records}
    return [server for server in servers if server in run]


def peers_of(servers: Sequence[str]) -> list[str]:
    """Return the servers that are not ours."""
    return [server for server in servers if server not in OURSELVES]
