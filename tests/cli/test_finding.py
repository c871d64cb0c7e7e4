"""The configuration that nobody has named."""

import os
from pathlib import Path

import pytest

from xmppd.cli.finding import CHECKOUT, find
from xmppd.core.results import CommandError, Exit


def made(folder: Path) -> Path:
    file = folder / "var" / "xmppd.toml"
    file.parent.mkdir(parents=True, mode=0o700)
    file.touch(0o600)
    return file


def test_the_first_that_is_there(tmp_path: Path) -> None:
    """Where one stands comes before where the code is."""
    here, there = tmp_path / "here", tmp_path / "there"
    assert find([here, there]) is None
    second = made(there)
    assert find([here, there]) == second
    first = made(here)
    assert find([here, there]) == first


def test_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without folders it is looked for here."""
    file = made(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert find() == file


def test_the_checkout() -> None:
    """It is the folder that holds the code."""
    assert (CHECKOUT / "xmppd" / "cli" / "finding.py").is_file()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write(tmp_path: Path, mode: int) -> None:
    """It could lead to anybody's socket: it has to be named."""
    file = made(tmp_path)
    file.chmod(mode)
    with pytest.raises(CommandError, match="other users") as caught:
        find([tmp_path])
    assert caught.value.code is Exit.REFUSED
    assert f"--config {file}" in caught.value.remedy


def test_a_file_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Likewise; root's is as good as our own."""
    file = made(tmp_path)
    owner = file.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner == 0:
        assert find([tmp_path]) == file
        os.chown(file, owner + 2, -1)
    with pytest.raises(CommandError, match="other users"):
        find([tmp_path])
