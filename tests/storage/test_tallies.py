"""What transactions cost, by name."""

from typing import Any

import pytest

from xmppd.core.log import Log
from xmppd.storage import tallies
from xmppd.storage.tallies import Tallies, Tally


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The events that are logged."""
    events: list[dict[str, Any]] = []
    monkeypatch.setattr(tallies, "log", Log("storage", events.append))  # type: ignore[arg-type]
    return events


def test_counts_and_seconds_by_name(told: list[dict[str, Any]]) -> None:
    """Plain numbers for each name; failures are counted and their time is counted too."""
    counted = Tallies("shard", slow=1.0)
    counted.note("roster.get", 0.25, 0.5, failed=False)
    counted.note("roster.get", 0.5, 0.25, failed=True)
    counted.note("roster.set", 0.125, 0.0, failed=False)

    assert Tally(2, 1, 0.75, 0.75) == counted.by_name["roster.get"]
    assert Tally(1, 0, 0.125, 0.0) == counted.by_name["roster.set"]
    assert not told


def test_slow_transactions_are_logged(told: list[dict[str, Any]]) -> None:
    """The log says which transaction, where, and how long it took; it knows no values."""
    Tallies("sqlite:///x.db", slow=1.0).note("mam.page", 1.5, 0.0, failed=False)

    assert [(event["place"], event["name"], event["seconds"]) for event in told] == [
        ("sqlite:///x.db", "mam.page", 1.5)
    ]
