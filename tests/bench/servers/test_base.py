"""What every server under load has: ports, a start, an end."""

import socket
import sys
from pathlib import Path

import pytest

from bench.plan import OURSELVES
from bench.procs import processes
from bench.servers import DEFAULT, SERVERS, Server, StartError
from bench.servers.base import Setting, free_ports
from bench.servers.certificate import Certificate
from bench.task import Task


def test_the_names_are_the_servers_own() -> None:
    """`--server` finds each by its name; the default has ours first."""
    assert all(SERVERS[name].name == name for name in SERVERS)
    assert DEFAULT[:2] == OURSELVES
    assert set(DEFAULT) <= set(SERVERS)


@pytest.mark.parametrize("task", list(Task))
def test_every_task_has_servers(task: Task) -> None:
    """Ours is among them; peers are compared in what they are for, on what they keep things in."""
    taking = {name for name in DEFAULT if task in SERVERS[name].tasks}
    assert (
        taking
        == {
            Task.RELAY: {"xmppd", "prosody", "ejabberd"},
            Task.STORE: {"xmppd", "xmppd-pg", "prosody", "ejabberd-pg"},
            Task.RETURN: {"xmppd"},
        }[task]
    )


def test_ports_are_free_and_two() -> None:
    """Both can be bound at once."""
    one, other = free_ports()
    assert one != other
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", one))
        second.bind(("127.0.0.1", other))


class Program(Server):
    """A server that is any Python program."""

    name = "program"
    data_format = "none"
    needs = (sys.executable,)
    source = ""

    def version(self) -> str:
        return "1"

    def command(self, setting: Setting) -> list[str]:
        return [sys.executable, "-c", self.source, str(setting.ports[0])]


class Listening(Program):
    source = (
        "import socket, sys, time\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\nwhile True: s.accept()"
    )


class Failing(Program):
    source = "import sys; print('no luck'); sys.exit(3)"


def test_an_instance_runs_until_it_is_left(tmp_path: Path) -> None:
    """It accepts when it is handed out, and has ended afterwards."""
    certificate = Certificate(tmp_path, tmp_path, tmp_path)
    with Listening().running(tmp_path / "f", tmp_path / "d", certificate) as instance:
        socket.create_connection(("127.0.0.1", instance.port)).close()
    assert instance.pid not in processes()


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    """Its status and its last words are in the error."""
    certificate = Certificate(tmp_path, tmp_path, tmp_path)
    with (
        pytest.raises(StartError, match=r"(?s)ended with 3.*no luck"),
        Failing().running(tmp_path / "f", tmp_path / "d", certificate),
    ):
        raise AssertionError


def test_a_server_that_is_missing_is_not_installed() -> None:
    """Peers are optional."""
    assert Listening().installed()
    missing = type("Missing", (Program,), {"needs": ("no-such-program-here",)})
    assert not missing().installed()
