"""What the log counts."""

import pytest

from xmppd.core.metrics import Exposition
from xmppd.storage.message_log.measures import MORE, LogMetrics


@pytest.mark.parametrize(
    ("rows", "seconds", "bounds"),
    ((2, 0.0005, ("2", "0.001")), (3, 0.001, ("4", "0.001")), (200, 0.3, ("200", "0.5")), (400, 9.0, (MORE, MORE))),
)
def test_sorted_by_bounds(rows: int, seconds: float, bounds: tuple[str, str]) -> None:
    """Batches by rows, commits by seconds: at most so many."""
    metrics = LogMetrics()
    metrics.note_commit(rows, 0, seconds)
    assert (dict(metrics.batches), dict(metrics.commits)) == ({bounds[0]: 1}, {bounds[1]: 1})


def test_sums() -> None:
    """Rows that were appended, those that were not, and the time of all."""
    metrics = LogMetrics()
    metrics.note_commit(10, 3, 0.5)
    metrics.note_commit(2, 0, 0.25)
    assert (metrics.appended, metrics.repeated, metrics.commit_seconds) == (9, 3, 0.75)


def test_exposed() -> None:
    """They can be shown as they are."""
    exposition, metrics = Exposition("1"), LogMetrics()
    metrics.note_commit(2, 0, 0.25)
    exposition.register("message_log", metrics)
    shown = exposition.render().decode()
    assert "xmppd_message_log_appended_total 2.0" in shown
    assert 'xmppd_message_log_commits_total{seconds="0.5"} 1.0' in shown
