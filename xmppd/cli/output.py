"""The file that a command's lines go to.

A command that streams and has a parameter `file` gives its lines, one in each row, to be written here by `xmppctl`:
with the rights of whoever runs it, where they are, and not by the server with its own. What was begun and not finished
is removed.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ..core.kinds import Kind
from ..core.results import CommandError, Exit
from .description import Description

OWNER_ONLY: Final = 0o600
PARAMETER: Final = "file"
LINE: Final = "line"

Each = Callable[[dict[str, Any]], None]


class Output:
    """A new file for lines; a context manager.

    :param rest: is given the rows that are no lines.
    :raises CommandError: there is such a file already, or it cannot be made.
    """

    def __init__(self, path: Path, rest: Each) -> None:
        self._path = path
        self._rest = rest
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._file = os.fdopen(os.open(path, flags, OWNER_ONLY), "w", encoding="utf-8", newline="\n")
        except FileExistsError:
            raise CommandError(f"{path} exists", "name another file", Exit.USAGE) from None
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}", code=Exit.USAGE) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._give_up()
            return
        try:
            self._file.close()
        except OSError as failed:
            self._give_up()
            raise self._full(failed) from failed

    def take(self, row: dict[str, Any]) -> None:
        """Write the line of a row.

        :raises CommandError: the file cannot take it.
        """
        if LINE not in row:
            self._rest(row)
            return
        try:
            self._file.write(row[LINE] + "\n")
        except OSError as error:
            raise self._full(error) from error

    def _give_up(self) -> None:
        with suppress(OSError):  # what was buffered may find no room: it is not wanted any more
            self._file.close()
        self._path.unlink(missing_ok=True)

    def _full(self, error: OSError) -> CommandError:
        return CommandError(f"{self._path}: {error.strerror}, nothing is left of it")


def path_of(description: Description, arguments: Mapping[str, Any]) -> Path | None:
    """Return the file that a command's lines go to; None if it has none."""
    takes = any(one.name == PARAMETER and one.kind is Kind.TEXT for one in description.parameters)
    return Path(arguments[PARAMETER]) if description.streams and takes else None
