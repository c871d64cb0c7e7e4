"""Records become medians, ratios and lines."""

import pytest

from bench.plan import Figure
from bench.summary import Record, errors, line, lines, peers_of, shown_servers, surroundings, three_digits, value

from .records import CROWD, FIGURE, RECORDS, record


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


def test_some_figures_are_of_ours_on_postgresql() -> None:
    """Its goal and its ratios are that server's; the peers are whoever is not ours."""
    figure = Figure("its database", "msg-mam", "database_us", "µs", 65, "xmppd-pg")
    records: list[Record] = [
        {"server": "xmppd-pg", "run": "msg-mam", "database_us": 130.0},
        {"server": "ejabberd-pg", "run": "msg-mam", "database_us": 260.0},
        {"server": "xmppd", "run": "msg-mam", "cpu_us": 80.0},
    ]
    found = line(figure, records, ["xmppd", "xmppd-pg", "ejabberd-pg"])
    assert set(found.values) == {"xmppd-pg", "ejabberd-pg"}
    assert (found.against_goal(), found.against("ejabberd-pg")) == (2.0, 0.5)
    assert peers_of(["xmppd", "xmppd-pg", "ejabberd-pg"]) == ["ejabberd-pg"]


def test_servers_that_were_not_run_are_not_shown() -> None:
    """Neither is a column of nothing."""
    assert shown_servers(RECORDS, ["ejabberd", "prosody", "xmppd"]) == ["prosody", "xmppd"]


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
