"""The table on the terminal."""

import io

from rich.console import Console

from bench.summary import lines
from bench.table import table

from .records import RECORDS


def test_the_table_has_figures_goal_and_ratios() -> None:
    """One row a figure, peers in the order asked for."""
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table(lines(RECORDS, ["xmppd", "prosody"]), ["xmppd", "prosody"]))
    text = console.export_text()
    assert "22.0 (20.0–30.0)" in text
    assert "ours/prosody" in text
    assert "0.21" in text
