"""The files that tell others how it stands with the server: its process id, and that it is ready."""

import os
from collections.abc import Callable
from pathlib import Path

from .start_error import StartError


class Marks:
    """Files that are there while the server is; where one is None it is not wanted.

    :param pid_file: holds the process id from `running` on.
    :param ready_file: exists from `ready` on, as long as every listener accepts connections.
    """

    def __init__(self, pid_file: Path | None, ready_file: Path | None) -> None:
        self._pid_file = pid_file
        self._ready_file = ready_file
        self._written: list[Path] = []

    def running(self) -> None:
        """Write the process id; remove what a server that was killed has left.

        Call it when no other server can be using these files.

        :raises StartError: a file cannot be written.
        """
        if self._ready_file is not None:
            self._attempt(self._ready_file, lambda file: file.unlink(missing_ok=True))
        if self._pid_file is not None:
            self._write(self._pid_file, f"{os.getpid()}\n")

    def ready(self) -> None:
        """Say that every listener accepts connections.

        :raises StartError: the file cannot be written.
        """
        if self._ready_file is not None:
            self._write(self._ready_file, "")

    def not_ready(self) -> None:
        """Say that no more connections are accepted."""
        self._remove([file for file in self._written if file == self._ready_file])

    def gone(self) -> None:
        """Remove the files that were written."""
        self._remove(list(self._written))

    def _write(self, file: Path, text: str) -> None:
        """Write a file as a whole: whoever waits for it never reads half of it."""
        draft = file.with_name(f"{file.name}.new")

        def write(file: Path) -> None:
            draft.write_text(text, "ascii")
            draft.replace(file)

        self._attempt(file, write)
        self._written.append(file)

    def _attempt(self, file: Path, do: Callable[[Path], object]) -> None:
        try:
            do(file)
        except OSError as error:
            raise StartError(
                f"{file}: {error.strerror}: create its folder and let the server's user write there"
            ) from error

    def _remove(self, files: list[Path]) -> None:
        for file in files:
            self._written.remove(file)
            file.unlink(missing_ok=True)
