"""Log file: whole lines, rotation, and no line lost in silence."""

import os
import stat
from pathlib import Path

import pytest

from xmppd.app.log_file import LogFile, LogUnavailable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "xmppd.log"


def test_lines_are_there_at_once(path: Path) -> None:
    """Nothing waits in a buffer for a crash."""
    file = LogFile(path)
    file.write("one")
    file.write("zwei ü \ud800")
    assert path.read_text(encoding="utf-8") == "one\nzwei ü \\ud800\n"
    file.close()


def test_others_cannot_write_it(path: Path) -> None:
    """The group may read, so that a collector can."""
    LogFile(path).close()
    assert stat.S_IMODE(path.stat().st_mode) & 0o137 == 0


def test_an_old_log_is_continued(path: Path) -> None:
    """A restart does not wipe what happened before."""
    path.write_text("old\n")
    file = LogFile(path)
    file.write("new")
    assert path.read_text() == "old\nnew\n"
    file.close()


def test_after_a_rotation_the_file_is_opened_again(path: Path) -> None:
    """The lines before stay in the old file."""
    file = LogFile(path)
    file.write("before")
    path.rename(path.with_suffix(".1"))
    file.reopen()
    file.write("after")
    assert path.with_suffix(".1").read_text() == "before\n"
    assert path.read_text() == "after\n"
    file.close()


def test_if_it_cannot_be_opened_again_the_old_one_is_kept(path: Path) -> None:
    """The lines still go somewhere."""
    file = LogFile(path)
    path.rename(path.with_suffix(".1"))
    path.mkdir()
    with pytest.raises(LogUnavailable):
        file.reopen()
    file.write("still here")
    assert path.with_suffix(".1").read_text() == "still here\n"
    file.close()


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """In one line, with the remedy."""
    with pytest.raises(LogUnavailable) as raised:
        LogFile(tmp_path / "no" / "xmppd.log")
    assert str(raised.value) == (
        f"{tmp_path}/no/xmppd.log: the log cannot be written: No such file or directory: create its folder and let the "
        "server's user write there, or set log.file"
    )


def test_lines_that_were_lost_are_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full for a while; the server went on."""
    file = LogFile(path)
    file.write("one")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        file.write("two")
        file.write("three")
    file.write("four")
    file.write("five")
    assert path.read_text() == "one\nxmppd: 2 lines of the log were lost: No space left on device\nfour\nfive\n"
    file.close()


def test_a_line_is_written_whole_even_in_parts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may take less than it is given."""
    file = LogFile(path)
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    file.write("a longer line")
    assert path.read_text() == "a longer line\n"
    file.close()


def test_standard_error_is_the_default(capfd: pytest.CaptureFixture[str]) -> None:
    """It is neither reopened nor closed."""
    file = LogFile(None)
    file.reopen()
    file.write("hello")
    file.close()
    file.write("still open")
    assert capfd.readouterr().err == "hello\nstill open\n"
