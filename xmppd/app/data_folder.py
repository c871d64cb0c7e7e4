"""The data folder: made, locked for one server, and the secret that is kept in it."""

import fcntl
import os
import secrets
from pathlib import Path
from typing import Final

from .start_error import StartError

LOCK: Final = "lock"
SECRET: Final = "secret"  # noqa: S105  # the name of a file
SECRET_BYTES: Final = 32
_PRIVATE: Final = 0o600


class DataFolder:
    """Where a server keeps what it writes; no two servers share one.

    :ivar path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folder if it is not there, and take it until `close`, or until the process ends, however it ends.

        :raises StartError: it cannot be used, or another server uses it.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = self._take()
        except BlockingIOError:
            raise StartError(
                f"{self.path}: another server{self._owner()} uses this folder: stop it first, or set another "
                "server.data_folder"
            ) from None
        except (FileExistsError, NotADirectoryError) as error:
            raise StartError(f"{error.filename}: is no folder: remove it, or set another server.data_folder") from error
        except OSError as error:
            raise StartError(
                f"{error.filename or self.path}: {error.strerror}: let the user that runs the server write there, or "
                "set another server.data_folder"
            ) from error

    def close(self) -> None:
        """Let another server have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def secret(self) -> bytes:
        """Return random bytes that are the same after every start; made once, whole or not at all.

        :raises StartError: they can neither be read nor written.
        """
        file = self.path / SECRET
        try:
            if not file.exists() or file.stat().st_size != SECRET_BYTES:
                self._write_secret(file)
            return file.read_bytes()
        except OSError as error:
            raise StartError(f"{file}: {error.strerror}: let the server's user read and write it") from error

    def _write_secret(self, file: Path) -> None:
        draft = file.with_name(f"{file.name}.new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(SECRET_BYTES))
            stream.flush()
            os.fsync(descriptor)
        draft.replace(file)

    def _take(self) -> int:
        """Lock the file that stands for the folder, and write into it who we are."""
        lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
        except OSError:
            os.close(lock)
            raise
        return lock

    def _owner(self) -> str:
        """Return who has the lock, for a message; it may have gone meanwhile."""
        try:
            process = (self.path / LOCK).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""
        return f" (process {process})" if process.isdecimal() else ""
