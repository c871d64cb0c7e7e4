"""The file that a command's lines go to."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from xmppd.cli.description import Description, read_descriptions
from xmppd.cli.output import Output, path_of
from xmppd.core.results import CommandError, Exit


def test_lines(tmp_path: Path) -> None:
    """Lines go into the file, which is for its owner alone; other rows go where they would."""
    path = tmp_path / "juliet.xml"
    others: list[dict[str, Any]] = []
    before = os.umask(0)
    try:
        with Output(path, others.append) as output:
            output.take({"line": "<a/>"})
            output.take({"line": "\u2603"})
            output.take({"sentence": "two lines"})
    finally:
        os.umask(before)
    assert path.read_text("utf-8") == "<a/>\n\u2603\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert others == [{"sentence": "two lines"}]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Neither a file nor what a link leads to."""
    path = tmp_path / "there"
    path.write_text("kept")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    for taken in (path, link):
        with pytest.raises(CommandError, match="exists") as caught:
            Output(taken, lambda row: None)
        assert caught.value.code is Exit.USAGE
    assert path.read_text() == "kept"


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(CommandError, match="nowhere"):
        Output(tmp_path / "nowhere" / "file", lambda row: None)


@pytest.mark.parametrize("error", [KeyboardInterrupt, CommandError("no")])
def test_half_a_file_is_none(tmp_path: Path, error: Any) -> None:
    """What was interrupted or failed leaves nothing that looks whole."""
    path = tmp_path / "juliet.xml"
    with pytest.raises((KeyboardInterrupt, CommandError)), Output(path, lambda row: None) as output:
        output.take({"line": "<a>"})
        raise error
    assert not path.exists()


@pytest.mark.parametrize("lines", [1, 100_000])
def test_disk_that_is_full(lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, whether it shows while lines are written or at the end."""
    path = tmp_path / "juliet.xml"
    real = os.open

    def full(name: Path, *flags: int) -> int:
        os.close(real(name, *flags))
        return real("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(CommandError, match="nothing is left of it"), Output(path, lambda row: None) as output:
        for _ in range(lines):
            output.take({"line": "<a/>"})
    assert not path.exists()


def described(name: str, *, streams: bool = True) -> Description:
    parameter = {
        "name": name, "option": name, "kind": "text", "many": False, "required": True, "default": None,
        "choices": [], "help": "",
    }  # fmt: skip
    told = {"words": ["a"], "summary": "", "help": "", "offline": False, "danger": False, "streams": streams}
    return read_descriptions([{**told, "parameters": [parameter]}])[0]


def test_which_commands_have_a_file() -> None:
    """Those that stream, and ask for its name."""
    assert path_of(described("file"), {"file": "a.xml"}) == Path("a.xml")
    assert path_of(described("file", streams=False), {"file": "a.xml"}) is None
    assert path_of(described("name"), {"name": "a.xml"}) is None
