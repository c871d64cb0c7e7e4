"""The command line's end of the administration socket."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from xmppd.cli.client import Client, Unreachable
from xmppd.core.results import CommandError, Exit

from .running import Running


def nothing(row: dict[str, Any]) -> None:
    raise AssertionError(f"no row was expected: {row}")


def test_describe(server: Running) -> None:
    """The server is asked which commands it knows."""
    with Client(server.path) as client:
        assert ["paint"] in [found["words"] for found in client.describe()]


def test_run(server: Running) -> None:
    """A command is run, again and again on one connection."""
    with Client(server.path) as client:
        for _ in range(2):
            result = client.run(["paint"], {"what": "fence"}, nothing)
            assert result == {"kind": "done", "text": "painted"}


def test_rows(server: Running) -> None:
    """Rows are handed over as they come."""
    rows: list[dict[str, Any]] = []
    with Client(server.path) as client:
        assert client.run(["count"], {"to": 3}, rows.append)["kind"] == "done"
    assert [row["number"] for row in rows] == [0, 1, 2]


def test_error(server: Running) -> None:
    """The server's error is raised as it was raised there."""
    with Client(server.path) as client, pytest.raises(CommandError) as caught:
        client.run(["fail"], {"code": 4}, nothing)
    assert (caught.value.remedy, caught.value.code) == ("mend it", Exit.UNKNOWN)


def test_nobody_listens(tmp_path: Path) -> None:
    """Without a socket, and with one of a dead server, there is no server."""
    path = tmp_path / "socket"
    with pytest.raises(Unreachable, match="no server answers"):
        Client(path)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(Unreachable) as caught:
        Client(path)
    assert caught.value.code is Exit.UNREACHABLE


def test_socket_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that we may not open is not a server that is down."""

    def refuse(self: socket.socket, address: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(CommandError, match="you may not open it") as caught:
        Client(tmp_path / "socket")
    assert caught.value.code is Exit.REFUSED
    assert not isinstance(caught.value, Unreachable)


@contextmanager
def strange_server(path: Path, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Accept one connection and treat it as the test says."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def accept() -> None:
            connection, _ = listening.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("says", "code"),
    [
        (b"", Exit.UNREACHABLE),
        (b'{"id": 1, "resu', Exit.UNREACHABLE),
        (b"Welcome!\n", Exit.INTERNAL),
        (b'{"id": 1, "row": {}}\n', Exit.INTERNAL),
        (b'{"id": 0, "error": {"text": "too many connections", "remedy": "", "code": 5}}\n', Exit.REFUSED),
    ],
)
def test_server_that_breaks_off(tmp_path: Path, says: bytes, code: Exit) -> None:
    """A server that hangs up, or says something strange, is an error and no traceback."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(says)

    with strange_server(tmp_path / "socket", serve), Client(tmp_path / "socket") as client:
        with pytest.raises(CommandError) as caught:
            client.describe()
        assert caught.value.code is code


def test_last_words_are_read(tmp_path: Path) -> None:
    """A server that refuses us before it has read anything is understood all the same."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(b'{"id": 0, "error": {"text": "too many connections", "remedy": "", "code": 5}}\n')

    with strange_server(tmp_path / "socket", serve):
        client = Client(tmp_path / "socket")
    with client, pytest.raises(CommandError, match="too many connections"):
        client.describe()
