"""How far a command is, drawn on a terminal."""

from typing import Final, TextIO

WIDTH: Final = 40
"""Columns of the bar; the line stays within eighty."""


class Progress:
    """A bar that is drawn over itself; nothing at all where no terminal is.

    :param out: where to: not where results go.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._drawn = ""

    def show(self, done: int, total: int) -> None:
        """Draw how much of how much is done."""
        if not total:
            return
        share = min(1.0, done / total)
        full = int(share * WIDTH)
        line = f"[{'#' * full}{'.' * (WIDTH - full)}] {int(100 * share):3} %  {done} of {total}"
        if line != self._drawn:
            self._draw(line)

    def clear(self) -> None:
        """Remove the bar, so that something else can stand there."""
        if self._drawn:
            self._draw("")

    def _draw(self, line: str) -> None:
        if self._out.isatty():
            self._out.write("\r" + line.ljust(len(self._drawn)) + ("" if line else "\r"))
            self._out.flush()
            self._drawn = line
