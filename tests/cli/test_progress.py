"""How far a command is."""

import io

from xmppd.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar() -> None:
    """It is drawn over itself, fits into eighty columns, and leaves an empty line."""
    out = Terminal()
    progress = Progress(out)
    progress.show(1, 4)
    progress.show(1, 4)
    progress.show(4, 4)
    lines = out.getvalue().split("\r")[1:]
    assert lines == [f"[{'#' * 10}{'.' * 30}]  25 %  1 of 4", f"[{'#' * 40}] 100 %  4 of 4"]
    assert all(len(line) < 80 for line in lines)
    progress.clear()
    assert out.getvalue().endswith("\r" + " " * len(lines[1]) + "\r")
    progress.clear()
    assert out.getvalue().count(" " * 40) == 1


def test_nothing_to_do() -> None:
    """Of nothing there is no bar."""
    out = Terminal()
    Progress(out).show(0, 0)
    assert out.getvalue() == ""


def test_more_than_was_expected() -> None:
    """What comes while it runs does not make it longer."""
    out = Terminal()
    Progress(out).show(5, 4)
    assert "100 %" in out.getvalue()


def test_no_terminal() -> None:
    """In a file there is nothing of it."""
    out = io.StringIO()
    progress = Progress(out)
    progress.show(1, 2)
    progress.clear()
    assert out.getvalue() == ""
