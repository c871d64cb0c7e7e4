"""Tables as people see them on a terminal. Apart, as the library that draws is not loaded for pipes and programs."""

from collections.abc import Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .columns import in_words, longest_word, widths


def draw(out: TextIO, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> None:
    """Draw a table, as wide as the terminal at most.

    :param right: which columns are set flush right.
    """
    console = Console(file=out)
    lines = [[in_words(text) for text in row] for row in rows]
    columns = list(zip(heads, *lines, strict=True))
    words = sum(longest_word(column, cell_len) for column in columns)
    roomy = words + _between(len(columns), roomy=True) <= console.width
    table = Table(
        box=SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left",
        padding=(0, 1) if roomy else (0, 1, 0, 0), show_edge=roomy, pad_edge=roomy,
    )  # fmt: skip
    room = console.width - _between(len(columns), roomy)
    for head, is_right, width in zip(heads, right, widths(columns, room, cell_len), strict=True):
        table.add_column(Text(head), justify="right" if is_right else "left", overflow="fold", width=width)
    for line in lines:
        table.add_row(*map(Text, line))
    console.print(table)


def _between(columns: int, roomy: bool) -> int:
    """Return how much of a line is between columns and beside them."""
    return 3 * columns + 1 if roomy else 2 * columns - 2
