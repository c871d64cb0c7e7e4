"""Making the accounts, and using each of them once."""

from typing import Any

from bench.scenarios import accounts
from bench.scenarios.accounts import everybody, register, verify

from .stage import JOB, Stage


def test_everybody() -> None:
    """Those with sessions and those with rosters."""
    assert everybody(JOB) == [b"user0", b"user1", b"user2", b"user3", b"friend0", b"friend1", b"friend2"]


def test_accounts_are_registered_in_batches(monkeypatch: Any) -> None:
    """No more connections at once than a batch has; the cost is counted until the server is calm."""
    monkeypatch.setattr(accounts, "BATCH", 4)
    stage: Any = Stage()
    figures = register(stage, JOB)
    assert stage.said == ["bring 4 registered", "dismiss 4", "bring 3 registered", "dismiss 3", "calm"]
    assert (figures["unit"], figures["units"]) == ("account", 7)
    assert figures["cpu_ms"] == 1000 / 7


def test_accounts_are_verified() -> None:
    """Each authenticates; nothing is measured."""
    stage: Any = Stage()
    assert verify(stage, JOB) == {"unit": "account", "units": 7}
    assert stage.said == ["bring 7 authenticated", "dismiss 7"]
