"""What the servers are started with: loopback only, rate limits off, nothing of the system's instances."""

import re
import socket
import ssl
import sys
import tomllib
from pathlib import Path

import pytest

from bench.procs import processes
from bench.servers import DEFAULT, SERVERS, Server, StartError
from bench.servers.base import Setting, free_ports
from bench.servers.certificate import Certificate, make_certificate


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    certificate = Certificate(tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "b.pem")
    return Setting(tmp_path, tmp_path / "data", (15222, 15269), certificate)


def written(server: str, setting: Setting) -> str:
    """Return the configuration that a server is started with."""
    before = set(setting.folder.iterdir())
    SERVERS[server]().command(setting)
    (path,) = set(setting.folder.iterdir()) - before
    return path.read_text()


def test_the_names_are_the_servers_own() -> None:
    """`--server` finds each by its name; the default has ours first."""
    assert all(SERVERS[name].name == name for name in SERVERS)
    assert DEFAULT == ("xmppd", "prosody", "ejabberd")


def test_xmppd_is_configured_in_toml(setting: Setting) -> None:
    """Loopback, SCRAM without TLS for the plain runs, registration open, no limit for one address in the way."""
    config = tomllib.loads(written("xmppd", setting))
    (listener,) = config["listeners"]
    assert (listener["address"], listener["port"], listener["scram_without_tls"]) == ("127.0.0.1", 15222, True)
    assert config["modules"]["register"]["enabled"] is True
    assert config["limits"]["connections_per_address"] >= 10_000


@pytest.mark.parametrize("server", ["prosody", "prosody-gc400"])
def test_prosody_listens_on_loopback_without_limits(server: str, setting: Setting) -> None:
    """Its own data, its own ports, no mod_limits."""
    text = written(server, setting)
    assert 'interfaces = { "127.0.0.1" }' in text
    assert "c2s_ports = { 15222 }" in text
    assert f'data_path = "{setting.data}"' in text
    assert '"limits"' not in text
    assert ("gc = {" in text) == (server == "prosody-gc400")


def test_ejabberd_listens_on_loopback_without_limits(setting: Setting) -> None:
    """No shaper on the listener, no fail2ban, no limit of registrations; a node and a distribution port of its own."""
    text = written("ejabberd", setting)
    assert re.search(r"port: 15222\n\s+ip: \"127.0.0.1\"", text)
    assert "fail2ban" not in text
    assert "shaper: " not in text
    assert "registration_timeout: infinity" in text
    command = SERVERS["ejabberd"]().command(setting)
    assert command[command.index("-erl_epmd_port") + 1] == "15269"
    assert "bench@127.0.0.1" in command


def test_ports_are_free_and_two() -> None:
    """Both can be bound at once."""
    one, other = free_ports()
    assert one != other
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", one))
        second.bind(("127.0.0.1", other))


def test_the_certificate_can_be_served(tmp_path: Path) -> None:
    """P-256, for the host, in all the forms that servers want."""
    files = make_certificate(tmp_path, "localhost")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.both)
    assert files.key.stat().st_mode & 0o077 == 0


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
