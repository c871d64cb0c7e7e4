"""What storing a message costs: that what is measured works."""

import asyncio
from pathlib import Path

import pytest

from bench import log_append
from bench.log_append import Cost, Subject


def test_messages_are_stored(tmp_path: Path) -> None:
    """As many as were counted, two rows each; the cost is that of one."""

    async def run() -> tuple[Cost, Cost, int, int]:
        subject = Subject(f"sqlite:///{tmp_path}/log.db")
        cost = await subject.cost(5, 10)
        page = await subject.page_cost(2)
        appended, server = subject.log.metrics.appended, subject.server
        await subject.close()
        return cost, page, appended, server

    cost, page, appended, server = asyncio.run(run())
    assert appended == 2 * 5 * 22 + log_append.PAGE
    assert cost.ours > 0
    assert page.ours > 0
    assert (cost.postgres, server) == (0.0, 0)


def test_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line for each size of a batch, and one for reading."""
    monkeypatch.setattr("sys.argv", ["log_append", "--messages", "100", "--folder", str(tmp_path)])
    assert log_append.main() == 0
    shown = capsys.readouterr().out
    assert shown.count("SQLite") == len(log_append.TOGETHER) + 1
