"""The data folder: made, taken by one server, and given back."""

import errno
import fcntl
import os
import stat
from pathlib import Path

import pytest

from xmppd.app.data_folder import DataFolder
from xmppd.app.start_error import StartError


def test_it_is_made_for_us_alone(tmp_path: Path) -> None:
    """With the folders above it; nobody else can look in."""
    path = tmp_path / "var" / "data"
    DataFolder(path).open()
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((path / "lock").stat().st_mode) == 0o600


def test_one_server_at_a_time(tmp_path: Path) -> None:
    """The second one is told who has it; when the first has closed it, it is free."""
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.open()
    with pytest.raises(StartError, match=rf"another server \(process {os.getpid()}\) uses this folder: stop it first"):
        second.open()
    first.close()
    second.open()


def test_a_lock_that_says_nothing(tmp_path: Path) -> None:
    """Somebody is between taking the lock and writing down who it is."""
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StartError, match="another server uses this folder"):
            DataFolder(tmp_path).open()


def test_to_close_twice_is_harmless(tmp_path: Path) -> None:
    """Also before it was opened."""
    folder = DataFolder(tmp_path)
    folder.close()
    folder.open()
    folder.close()
    folder.close()


@pytest.mark.parametrize("path", ["file", "file/data"])
def test_a_file_in_the_way(tmp_path: Path, path: str) -> None:
    """Not a matter of permissions, so it is told otherwise."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match=r"is no folder: remove it, or set another server.data_folder"):
        DataFolder(tmp_path / path).open()


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy names the user."""

    def refuse(path: Path, *args: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StartError, match="lock: Permission denied: let the user that runs the server write there"):
        DataFolder(tmp_path).open()


class TestSecret:
    """What fake salts are made from."""

    def test_it_stays(self, tmp_path: Path) -> None:
        """32 bytes that nobody else can read, the same after every start."""
        secret = DataFolder(tmp_path).secret()
        assert len(secret) == 32
        assert DataFolder(tmp_path).secret() == secret
        assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600

    def test_each_folder_has_its_own(self, tmp_path: Path) -> None:
        """Two servers have nothing in common."""
        (tmp_path / "other").mkdir()
        assert DataFolder(tmp_path).secret() != DataFolder(tmp_path / "other").secret()

    def test_half_a_secret_is_none(self, tmp_path: Path) -> None:
        """A file that is empty or cut off would make salts that can be guessed."""
        (tmp_path / "secret").write_bytes(b"half")
        (tmp_path / "secret.new").write_bytes(b"left by a start that was killed")
        secret = DataFolder(tmp_path).secret()
        assert len(secret) == 32
        assert {file.name for file in tmp_path.iterdir()} == {"secret"}

    def test_it_cannot_be_read(self, tmp_path: Path) -> None:
        """Told with its name."""
        (tmp_path / "secret").mkdir()
        with pytest.raises(StartError, match=r"secret: .*let the server's user read and write it"):
            DataFolder(tmp_path).secret()
