"""The server that the clients talk to: a real process, for this test alone."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from twisted.internet import task

from tests.services.debian import Program
from xmppd.transport.self_signed import make_self_signed

from .processes import HANG, Process

PROGRAMS = Path(sys.executable).parent
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
HOST = "capulet.example"
"""The virtual host. Nothing resolves it: clients are told the address."""


class Server(Protocol):
    """A running server: where clients connect, and who has an account there."""

    address: str
    port: int
    process: Process

    def register(self, jid: str, password: str) -> None:
        """Create an account."""


class Xmppd:
    """Our own server, as an administrator starts it."""

    address = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._file = folder / "xmppd.toml"
        key, certificate = self_signed(folder)
        self._file.write_text(f"""
            [hosts."{HOST}"]
            key = "{key.name}"
            certificate = "{certificate.name}"

            [[listeners]]
            kind = "c2s"
            address = "{self.address}"
            port = {self.port}
        """)
        self.process = Process((PROGRAMS / "xmppd", "--config", self._file), ENVIRONMENT)
        ready = self.process.until(lambda: is_listening(self.address, self.port))
        assert ready, "\n".join(self.process.lines)

    def register(self, jid: str, password: str) -> None:
        """Create an account."""
        command = (PROGRAMS / "xmppctl", "--config", self._file, "account", "add", jid, "--password-stdin")
        adding = Process(command, ENVIRONMENT)
        assert adding.ends(f"{password}\n") == 0, adding.lines


class Prosody:
    """Debian's prosody: what these scripts are checked against when they are in doubt."""

    address = "127.0.0.1"

    def __init__(self, prosody: Program, prosodyctl: Program, folder: Path) -> None:
        self.port = free_port()
        self._ctl = prosodyctl
        self._file = folder / "prosody.cfg.lua"
        (folder / "data").mkdir()
        key, certificate = self_signed(folder)
        self._file.write_text(f"""
            run_as_root = true; data_path = "{folder}/data"; pidfile = "{folder}/pid"
            interfaces = {{ "{self.address}" }}; c2s_ports = {{ {self.port} }}
            s2s_ports = {{}}; http_ports = {{}}; https_ports = {{}}; c2s_direct_tls_ports = {{}}
            modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "presence", "carbons", "offline" }}
            modules_disabled = {{ "s2s", "admin_shell", "admin_socket" }}
            authentication = "internal_hashed"; log = {{ info = "*console" }}
            VirtualHost "{HOST}"
              ssl = {{ key = "{key}"; certificate = "{certificate}" }}
        """)
        self.process = Process((prosody.path, "--config", self._file, "-F"), {"PATH": "/usr/bin:/bin"})
        self.process.says(rf"Activated service 'c2s' on .*:{self.port}")

    def register(self, jid: str, password: str) -> None:
        """Create an account."""
        user, _, host = jid.partition("@")
        command = (self._ctl.path, "--config", self._file, "register", user, host, password)
        subprocess.run(command, check=True, capture_output=True, timeout=HANG)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a key and a certificate that nobody but itself has signed; return both files."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    clock = task.Clock()
    clock.advance(time.time())
    make_self_signed(HOST, certificate, key, clock)
    return key, certificate


def free_port() -> int:
    """Return a port of the loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(address: str, port: int) -> bool:
    """Say whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
