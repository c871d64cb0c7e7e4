"""The files that tell how it stands with the server."""

import os
from pathlib import Path

import pytest

from xmppd.app.marks import Marks
from xmppd.app.start_error import StartError


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_a_life(tmp_path: Path) -> None:
    """Running, ready, not ready any more, gone."""
    marks = Marks(tmp_path / "pid", tmp_path / "ready")
    marks.running()
    assert (tmp_path / "pid").read_text() == f"{os.getpid()}\n"
    assert names(tmp_path) == {"pid"}
    marks.ready()
    assert names(tmp_path) == {"pid", "ready"}
    marks.not_ready()
    assert names(tmp_path) == {"pid"}
    marks.gone()
    assert names(tmp_path) == set()


def test_what_a_killed_server_left(tmp_path: Path) -> None:
    """Its ready file would be a lie until we are ready ourselves; its process id is another one's by now."""
    for name in ("pid", "ready"):
        (tmp_path / name).write_text("1\n")
    Marks(tmp_path / "pid", tmp_path / "ready").running()
    assert names(tmp_path) == {"pid"}
    assert (tmp_path / "pid").read_text() == f"{os.getpid()}\n"


def test_only_what_was_written_is_removed(tmp_path: Path) -> None:
    """A server that never began leaves another one's marks alone."""
    for name in ("pid", "ready"):
        (tmp_path / name).write_text("1\n")
    marks = Marks(tmp_path / "pid", tmp_path / "ready")
    marks.not_ready()
    marks.gone()
    assert names(tmp_path) == {"pid", "ready"}


def test_nothing_is_wanted(tmp_path: Path) -> None:
    """Both are optional."""
    marks = Marks(None, None)
    marks.running()
    marks.ready()
    marks.not_ready()
    marks.gone()
    assert names(tmp_path) == set()


def test_somebody_else_has_removed_them(tmp_path: Path) -> None:
    """That is no reason to fail at the end."""
    marks = Marks(tmp_path / "pid", tmp_path / "ready")
    marks.running()
    marks.ready()
    for name in names(tmp_path):
        (tmp_path / name).unlink()
    marks.gone()


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    """Told with the file and what to do."""
    marks = Marks(tmp_path / "run" / "pid", tmp_path / "run" / "ready")
    for write in (marks.running, marks.ready):
        with pytest.raises(StartError, match=r"run/.*: No such file or directory: create its folder"):
            write()
