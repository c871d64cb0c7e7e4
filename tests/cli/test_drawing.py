"""Tables on a terminal."""

import io

import pytest

from xmppd.cli.drawing import draw

HEADS = ["time", "where", "row"]
ROWS = [["2026-11-24T14:58:49.442Z", "romeo@montague.example/orchard", "1882752107876974592"], ["-", "x [b]", "7"]]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of the table, on 72 columns."""
    return lines(monkeypatch, 72)


def lines(monkeypatch: pytest.MonkeyPatch, columns: int, title: str = "") -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = io.StringIO()
    draw(out, title, HEADS, ROWS, [False, False, True])
    return [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]


def test_words_stay_whole(drawn: list[str]) -> None:
    """A time breaks between day and hour; ids and addresses do not; nothing in them is markup."""
    assert drawn[2:] == [
        "  2026-11-24      romeo@montague.example/orchard   1882752107876974592",
        "  14:58:49.442Z",
        "  -               x [b]                                              7",
    ]


def test_on_a_wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row has one line, and a title stands above them."""
    found = lines(monkeypatch, 100, "Steps")
    assert found[0].strip() == "Steps"
    assert found[3] == "  2026-11-24 14:58:49.442Z   romeo@montague.example/orchard   1882752107876974592"


def test_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is between the columns goes before words are broken."""
    assert lines(monkeypatch, 66)[2] == "2026-11-24     romeo@montague.example/orchard  1882752107876974592"
    assert all(len(line) <= 40 for line in lines(monkeypatch, 40))
