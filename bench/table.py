"""The table on the terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from .summary import Line, Value, peers_of, three_digits


def shown(value: Value | None) -> str:
    """Return the median, and the range if there were several rounds."""
    if value is None:
        return "–"
    text = three_digits(value.median)
    return text if len(value.all) < 2 else f"{text} ({three_digits(min(value.all))}–{three_digits(max(value.all))})"


def ratio(number: float | None) -> Text:
    """Return a ratio, green where we are no dearer and red where we are."""
    if number is None:
        return Text("–", style="dim")
    return Text(f"{number:.2f}", style="green" if number <= 1.0 else "red")


def table(lines: Sequence[Line], servers: Sequence[str]) -> Table:
    """Return the figures of all servers, with the ratios of ours to the goal and to each peer."""
    peers = peers_of(servers)
    grid = Table(
        title="Cost per unit (processor time of the server and its database; memory for idle sessions)",
        title_justify="left",
    )
    for heading in ("", "unit", *servers, "goal", "ours/goal", *(f"ours/{peer}" for peer in peers)):
        grid.add_column(heading, justify="left" if heading == "" else "right", no_wrap=heading == "", overflow="fold")
    for line in lines:
        grid.add_row(
            line.figure.title,
            line.figure.unit,
            *(shown(line.values.get(server)) for server in servers),
            three_digits(line.goal) if line.goal else "",
            ratio(line.against_goal()) if line.goal else Text(""),
            *(ratio(line.against(peer)) for peer in peers),
        )
    return grid
