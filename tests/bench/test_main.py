"""The command line."""

from pathlib import Path

import pytest
from rich.console import Console

from bench import __main__ as main
from bench.servers.prosody import Prosody


def test_options_have_defaults() -> None:
    """Nothing given: everything, two rounds, an hour at most."""
    options = main.parser().parse_args([])
    assert (options.only, options.server, options.rounds, options.budget) == ([], [], None, 60.0)
    assert options.profile is None


def test_profile_is_of_messages_unless_told_otherwise() -> None:
    """`--profile` alone, and `--profile msg-tls`."""
    assert main.parser().parse_args(["--profile"]).profile == "msg"
    assert main.parser().parse_args(["--profile", "msg-tls"]).profile == "msg-tls"


def test_servers_that_are_missing_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is said which."""
    monkeypatch.setattr(Prosody, "needs", ("no-such-program-here",))
    console = Console(record=True, quiet=False, file=None)
    assert main.installed(["prosody"], console) == []
    assert "prosody is not installed" in console.export_text()


def test_progress_is_one_line() -> None:
    """What ran, what it cost or why it failed, how busy the machine was."""
    record = {"server": "xmppd", "run": "msg", "round": 1, "cpu_us": 21.5, "other_cores": 0.25}
    assert main.progress(record) == "round 1, xmppd: msg, 21.5 µs each, others 0.25 cores"
    assert "FAILED: no" in main.progress({"server": "xmppd", "run": "msg", "round": 1, "error": "no"})


def test_the_folder_of_a_report_is_named_by_day_and_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless another is given."""
    monkeypatch.setattr(main, "RESULTS", tmp_path)
    monkeypatch.setattr(main, "git", lambda *_: "abc1234")
    assert main.result_folder(None).name.endswith("-abc1234")
    assert main.result_folder(tmp_path / "there").is_dir()
