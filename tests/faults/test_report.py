"""The report tells what was done and what came of it."""

from pathlib import Path

import pytest

from .audit import Findings
from .kills import Figures
from .ledger import Ledger
from .outages import Outage
from .report import write

FINDINGS = Findings(
    acknowledged=100, repeated=7, unasked=3, lost=0, duplicated=0, reordered=0, copies=0, undelivered=0, disordered=0,
    misnamed=0, contradicted=0, archive=0,
)  # fmt: skip


@pytest.fixture
def figures() -> Figures:
    """A run of two kills; the second came before anything was acknowledged again."""
    ledger = Ledger()
    ledger.counts["sent"] = 120
    ledger.times = [101.0, 103.5, 104.0]
    return Figures("sqlite", 1, ledger, begun=100.0, kills=[101.5, 102.0], ready=[0.25, 0.75], findings=FINDINGS)


def test_recovery(figures: Figures) -> None:
    """A kill that another one followed before the next acknowledgement has no time of its own."""
    assert figures.recovered == [1.5]


def test_report(figures: Figures, tmp_path: Path) -> None:
    """Tables and a picture are written; each figure is in its column."""
    outage = Outage("frozen", refused=40, longest=9.24, recovered=0.5, before=[0.001, 0.003], meanwhile=[0.002])
    outage.findings = FINDINGS
    text = write(tmp_path, "abc1234", 1, 2, [figures], [outage]).read_text()
    assert "| sqlite | 2 | 120 | 100 | 3 | 7 | 0.50 | 0.75 | 1.50 | 1.50 |" in text
    assert "| frozen | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |" in text
    assert "| frozen | 100 | 40 | 3 | 9.2 | 0.50 | 2.0 / 3 -> 2.0 / 2 |" in text
    assert (tmp_path / "faults-abc1234.png").read_bytes().startswith(b"\x89PNG")
