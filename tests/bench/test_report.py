"""The report: Markdown to read, and every record as it was."""

import json
from pathlib import Path

from bench.plan import QUICK
from bench.report import Subject, markdown, write_report
from bench.summary import Record

from .records import RECORDS


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
