"""Records become medians, ratios and lines; the table and the report show them."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from bench.plan import QUICK, Figure
from bench.plot import bars, colour, plot
from bench.report import Subject, markdown, write_report
from bench.summary import Record, errors, line, lines, surroundings, three_digits, value
from bench.table import table

FIGURE = Figure("message", "msg", "cpu_us", "µs", 25)
CROWD = Figure("crowd", "msg-crowd", "cpu_us", "µs", "msg")


def record(server: str, number: int, cost: float, run: str = "msg") -> Record:
    return {
        "server": server, "run": run, "round": number, "cpu_us": cost, "other_cores": 0.5, "calibration_ms": 12.0,
        "server_cores": 1.0, "generator_cores": 0.2, "stolen_cores": 0.0, "per_s": 900.0, "lost": 0,
    }  # fmt: skip


RECORDS = [
    record("xmppd", 1, 20.0),
    record("prosody", 1, 100.0),
    record("xmppd", 2, 30.0),
    record("prosody", 2, 110.0),
    record("xmppd", 3, 22.0),
    record("xmppd", 1, 33.0, "msg-crowd"),
]


def test_a_value_is_the_median_of_the_rounds() -> None:
    """One disturbed round does not move it; a server without runs has none."""
    found = value(RECORDS, "xmppd", "msg", "cpu_us")
    assert found is not None
    assert (found.median, found.all) == (22.0, (20.0, 30.0, 22.0))
    assert value(RECORDS, "ejabberd", "msg", "cpu_us") is None


def test_ratios_are_ours_to_theirs() -> None:
    """Below 1 is cheaper than the peer or the goal; no figures give no ratio."""
    found = line(FIGURE, RECORDS, ["xmppd", "prosody", "ejabberd"])
    assert found.against("prosody") == pytest.approx(22 / 105)
    assert found.against_goal() == pytest.approx(22 / 25)
    assert found.against("ejabberd") is None


def test_a_goal_may_be_another_run_of_ours() -> None:
    """With a crowd online a message costs what it costs without."""
    found = line(CROWD, RECORDS, ["xmppd"])
    assert found.goal == 22.0
    assert found.against_goal() == 1.5
    assert line(CROWD, [], ["xmppd"]).goal is None


def test_only_lines_with_figures_are_shown() -> None:
    """A run that was not chosen leaves no empty line."""
    assert {found.figure.run for found in lines(RECORDS, ["xmppd"])} == {"msg", "msg-crowd"}


def test_losses_are_errors_too() -> None:
    """A message that never came makes the figure suspect."""
    lossy = record("xmppd", 1, 1.0) | {"lost": 3}
    failed: Record = {"server": "xmppd", "run": "idle", "round": 1, "error": "did not start"}
    assert errors([*RECORDS, lossy, failed]) == [lossy, failed]


def test_surroundings_are_medians() -> None:
    """How crowded the machine was."""
    found = surroundings(RECORDS, "other_cores")
    assert found is not None
    assert found.median == 0.5
    assert surroundings(RECORDS, "no such") is None


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (0.0123, "0.012"), (0.5, "0.50"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (1234.5, "1234")],
)
def test_three_digits(number: float, shown: str) -> None:
    """Enough to compare, and never an exponent."""
    assert three_digits(number) == shown


def test_the_table_has_figures_goal_and_ratios() -> None:
    """One row a figure, peers in the order asked for."""
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table(lines(RECORDS, ["xmppd", "prosody"]), ["xmppd", "prosody"]))
    text = console.export_text()
    assert "22.0 (20.0–30.0)" in text
    assert "xmppd/prosody" in text
    assert "0.21" in text


def subject() -> Subject:
    return Subject("2026-01-02", "abc1234", {"xmppd": "abc1234", "prosody": "0.12"}, QUICK, 3)


def test_the_report_says_what_was_measured_and_what_failed(tmp_path: Path) -> None:
    """Versions, medians with every round, the machine, failures; and every record as it was."""
    failed: Record = {"server": "prosody", "run": "idle", "round": 2, "error": "did not start"}
    write_report(tmp_path, subject(), [*RECORDS, failed])
    text = (tmp_path / "report.md").read_text()
    assert "* prosody: 0.12" in text
    assert "**22.0** (20.0 / 30.0 / 22.0)" in text
    assert "| prosody | idle | 2 | did not start |" in text
    assert [json.loads(row) for row in (tmp_path / "runs.jsonl").read_text().splitlines()] == [*RECORDS, failed]


def test_a_report_without_failures_does_not_speak_of_them() -> None:
    """No empty section."""
    assert "What failed" not in markdown(subject(), RECORDS)


def test_the_pictures_are_written(tmp_path: Path) -> None:
    """PNG files; a server without a figure leaves its place empty."""
    plot(tmp_path / "cost.png", "title", lines(RECORDS, ["xmppd", "ejabberd"]), ["xmppd", "ejabberd"])
    bars(tmp_path / "bars.png", "title", [("one", 60.0), ("two", 40.0)])
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")


def test_our_colour_is_ours_alone() -> None:
    """Whatever servers are shown."""
    servers = ["prosody", "xmppd", "ejabberd"]
    assert len({colour(server, servers) for server in servers}) == 3
    assert colour("xmppd", ["xmppd"]) == colour("xmppd", servers)
