"""Logs: what is written of what was logged, and where to."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import Logger, LogLevel, globalLogPublisher

from xmppd.app.log_file import LogUnavailable
from xmppd.app.logs import TOLD, Logs
from xmppd.config.server import Level, LogFormat
from xmppd.config.server import Log as LogConfig
from xmppd.core.log import Levels, Log, set_levels


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "xmppd.log"


@pytest.fixture
def logs(path: Path) -> Iterator[Logs]:
    """Logs that follow the process's own log, which is left as it was."""
    made = Logs(LogConfig(file=path))
    globalLogPublisher.addObserver(made)  # type: ignore[arg-type]
    yield made
    globalLogPublisher.removeObserver(made)  # type: ignore[arg-type]
    set_levels(Levels())


def messages(path: Path) -> list[str]:
    return [line.split(" ", 1)[1].replace("     ", " ").replace("    ", " ") for line in path.read_text().splitlines()]


def test_what_is_logged_is_written(logs: Logs, path: Path) -> None:
    """By our own log and by Twisted's."""
    Log("c2s").info("{jid} is connected", jid="juliet@example.org")
    Logger(namespace="twisted.web").warn("slow")
    assert messages(path) == ["info c2s: juliet@example.org is connected", "warn twisted.web: slow"]


def test_levels_are_by_area(logs: Logs, path: Path) -> None:
    """For Twisted and libraries as well; a reload changes them for logs that are in use."""
    log = Log("c2s.sasl")
    logs.reload(LogConfig(file=path, level=Level.ERROR, areas={"c2s": Level.DEBUG, "twisted.web": Level.WARN}))
    assert log.debug
    log.debug("details")
    Log("s2s").warn("no")
    Logger(namespace="twisted.web.http").warn("yes")
    Logger(namespace="twisted.internet").warn("no")
    logs({"log_time": 0.0, "log_format": "old style, no level"})
    assert messages(path) == ["debug c2s.sasl: details", "warn twisted.web.http: yes"]


def test_the_format_may_be_json(logs: Logs, path: Path) -> None:
    """It changes with a reload, line by line."""
    logs.reload(LogConfig(file=path, format=LogFormat.JSON))
    Log("c2s").error("{count} lost", count=3)
    assert json.loads(path.read_text())["fields"] == {"count": 3}


def test_the_file_is_opened_again_on_request(logs: Logs, path: Path) -> None:
    """By SIGHUP or a reload, after it was rotated."""
    Log("c2s").info("one")
    path.rename(path.with_suffix(".1"))
    logs.reopen()
    Log("c2s").info("two")
    path.rename(path.with_suffix(".2"))
    logs.reload(LogConfig(file=path))
    Log("c2s").info("three")
    assert [messages(path.with_suffix(end)) for end in (".1", ".2", ".log")] == [
        ["info c2s: one"], ["info c2s: two"], ["info c2s: three"],
    ]  # fmt: skip


def test_a_reload_may_name_another_file(logs: Logs, path: Path) -> None:
    """The old one is closed and left alone."""
    other = path.with_name("other.log")
    logs.reload(LogConfig(file=other))
    Log("c2s").info("here")
    assert (messages(path), messages(other)) == ([], ["info c2s: here"])


def test_a_file_that_cannot_be_opened_leaves_the_old_one_in_use(logs: Logs, path: Path) -> None:
    """A mistake in the file name does not silence the server."""
    logs.reload(LogConfig(file=path.parent / "no" / "x.log"))
    path.rename(path.with_suffix(".1"))
    path.mkdir()
    logs.reopen()
    told = messages(path.with_suffix(".1"))
    assert len(told) == 2
    assert all(line.startswith("error log: ") and line.endswith("; the old one is kept") for line in told)


def test_a_log_that_cannot_be_opened_at_the_start_is_an_error(tmp_path: Path) -> None:
    """The server does not run without saying what it does."""
    with pytest.raises(LogUnavailable):
        Logs(LogConfig(file=tmp_path))


def test_the_log_of_the_process_is_taken_over(path: Path) -> None:
    """Twisted's events come here; standard output is not touched; libraries warn through here too."""
    logs, library = Logs(LogConfig(file=path)), logging.Logger("root")
    library.handlers = [logging.NullHandler()]
    asked: list[Any] = []
    logs.begin(lambda observers, **options: asked.append((observers, options)), library)
    assert asked == [([logs], {"redirectStandardIO": False})]
    assert len(library.handlers) == 1 and library.level == logging.WARNING


def test_libraries_warn_through_our_log(logs: Logs, path: Path) -> None:
    """asyncio tells of a callback that failed by the standard library's log, with its traceback; details are left out."""
    library = logging.Logger("asyncio")
    logs.begin(lambda *_, **__: None, library)
    library.info("details %s", "of what a user wrote")
    library.warning("slow: %d s", 3)
    try:
        raise ValueError("boom")
    except ValueError:
        library.exception("callback failed {braces}")
    lines = path.read_text().splitlines()
    assert lines[0].endswith("warn     asyncio: slow: 3 s")
    assert lines[1].endswith("error    asyncio: callback failed {braces}: ValueError: boom")
    assert lines[2] == "\t| Traceback (most recent call last):"


def test_the_level_of_an_event_without_one_is_info(logs: Logs, path: Path) -> None:
    """It is neither lost nor taken for an alarm."""
    logs({"log_time": 0.0, "log_format": "hello", "log_namespace": "c2s", "log_level": None})
    logs({"log_time": 0.0, "log_format": "details", "log_namespace": "c2s", "log_level": LogLevel.debug})
    assert messages(path) == ["info c2s: hello"]


class TestTerminal:
    """What is shown beside the file."""

    def test_what_should_not_be_missed(self, logs: Logs, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """Lines of the level that was chosen and above, as text whatever the file has; a reload changes it."""
        logs.reload(LogConfig(file=path, terminal=Level.WARN, format=LogFormat.JSON))
        Log("c2s").info("quiet")
        Log("c2s").warn("loud")
        assert capfd.readouterr().err.endswith(" warn     c2s: loud\n")
        assert len(path.read_text().splitlines()) == 2
        logs.reload(LogConfig(file=path))
        Log("c2s").error("loud")
        assert capfd.readouterr().err == ""

    def test_nothing_twice(self, logs: Logs, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """Neither what was told in other words, nor anything when the log itself goes there."""
        logs.reload(LogConfig(file=path, terminal=Level.WARN))
        Log("server").error("cannot start", **{TOLD: True})
        assert capfd.readouterr().err == ""
        logs.reload(LogConfig(terminal=Level.WARN))
        Log("server").error("once")
        assert capfd.readouterr().err.count("once") == 1

    def test_tracebacks_are_for_the_file(self, logs: Logs, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """The terminal has the one line."""
        logs.reload(LogConfig(file=path, terminal=Level.WARN))
        Log("server").failure("broken", ZeroDivisionError("oops"))
        assert len(capfd.readouterr().err.splitlines()) == 1
        assert len(path.read_text().splitlines()) > 1
