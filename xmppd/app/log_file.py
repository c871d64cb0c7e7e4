"""The file that the log is written to."""

import os
import sys
from pathlib import Path
from typing import Final

_STDERR: Final = 2


class LogUnavailable(Exception):
    """The file of the log cannot be opened; says in one line why, and what to do."""


class LogFile:
    """A file, or standard error, that takes whole lines.

    Lines are written at once and unbuffered: what was logged before a crash is there. A line that cannot be written
    (the disk is full) is lost, and the next one that can be is preceded by the number of those that were.

    :param path: the file; standard error if None.
    :raises LogUnavailable: it cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lost = 0
        self._reason = ""
        self._descriptor = _open(path)

    def write(self, line: str) -> None:
        """Write one line; the line break is added."""
        try:
            if self._lost:
                self._write_bytes(f"xmppd: {self._lost} lines of the log were lost: {self._reason}\n")
                self._lost = 0
            self._write_bytes(f"{line}\n")
        except OSError as error:
            self._lost += 1
            self._reason = error.strerror or str(error)

    def reopen(self) -> None:
        """Open the file again, as its old one was moved away.

        :raises LogUnavailable: it cannot be opened; the old one is kept.
        """
        if self.path is not None:
            fresh = _open(self.path)
            os.close(self._descriptor)
            self._descriptor = fresh

    def close(self) -> None:
        """Close the file; standard error stays open."""
        if self.path is not None:
            os.close(self._descriptor)

    def _write_bytes(self, text: str) -> None:
        rest = memoryview(text.encode("utf-8", "backslashreplace"))
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def _open(path: Path | None) -> int:
    if path is None:
        sys.stderr.flush()
        return _STDERR
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise LogUnavailable(
            f"{path}: the log cannot be written: {error.strerror}: create its folder and let the server's user write "
            "there, or set log.file"
        ) from error
