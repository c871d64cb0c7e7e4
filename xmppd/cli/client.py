"""The other end of the administration socket: plain blocking calls, since a command line does one thing at a time."""

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from ..admin.wire import LONGEST_ANSWER, as_error, line, read_answer
from ..core.results import CommandError, Exit

CONNECT_SECONDS: Final = 5.0


class Unreachable(CommandError):
    """No server answers at the administration socket."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "start the server, or name its configuration with --config", Exit.UNREACHABLE)


class Client:
    """A connection to a running server; a context manager.

    :raises Unreachable: no server listens at `path`.
    """

    def __init__(self, path: Path) -> None:
        self._socket = _connect(path)
        self._reader = self._socket.makefile("rb")
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, which ends what the server does for it."""
        self._reader.close()
        self._socket.close()

    def describe(self) -> list[dict[str, Any]]:
        """Return the descriptions of all commands that the server knows."""
        commands: list[dict[str, Any]] = self._ask({"describe": True}, _none_expected)["commands"]
        return commands

    def run(
        self, words: Sequence[str], arguments: dict[str, Any], each: Callable[[dict[str, Any]], None]
    ) -> dict[str, Any]:
        """Run a command; call `each` with every row it streams, return its result.

        :raises CommandError: the server's error.
        """
        result: dict[str, Any] = self._ask({"command": list(words), "arguments": arguments}, each)["result"]
        return result

    def _ask(self, request: dict[str, Any], each: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        self._last_id += 1
        with suppress(OSError):  # a server that refuses us says why before it closes: read that
            self._socket.sendall(line({"id": self._last_id, **request}))
        while True:
            answer = self._answer()
            if "row" not in answer:
                return answer
            each(answer["row"])

    def _answer(self) -> dict[str, Any]:
        given = self._read()
        if not given.endswith(b"\n"):
            raise Unreachable("the server has closed the connection")
        answer = read_answer(given)
        if "error" in answer:
            raise as_error(answer["error"])
        return answer

    def _read(self) -> bytes:
        try:
            return self._reader.readline(LONGEST_ANSWER)
        except OSError as error:
            raise Unreachable(f"the server has closed the connection: {error.strerror}") from error


def _connect(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(CONNECT_SECONDS)
        made.connect(str(path))
        made.settimeout(None)  # a command may take as long as it takes
    except OSError as error:
        made.close()
        if isinstance(error, PermissionError):
            raise CommandError(
                f"{path}: you may not open it", "run as the server's user or root", Exit.REFUSED
            ) from error
        raise Unreachable(f"no server answers at {path}") from error
    return made


def _none_expected(row: dict[str, Any]) -> None:
    raise CommandError("the server has sent a row that nobody asked for", code=Exit.INTERNAL)
