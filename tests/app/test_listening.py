"""From a listener of the configuration to open sockets."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import capturedLogs

from xmppd.app import listening
from xmppd.app.host_certificates import HostCertificates
from xmppd.app.listening import Ports
from xmppd.app.start_error import StartError
from xmppd.config.server import Config, Kind, Listener, Tls
from xmppd.core.connection import Connection
from xmppd.transport.admission import Admission
from xmppd.transport.flush import FlushQueue
from xmppd.transport.http import HttpSite
from xmppd.transport.listener import Surroundings
from xmppd.transport.measures import TransportMetrics

from .conftest import Run

FILE = Path("xmppd.toml")


class Driver:
    """What connects: it says what it was told about its port."""

    def __init__(self, **options: bool) -> None:
        self.options = options

    def connection_made(self, connection: Connection) -> None:
        connection.write(repr(self.options).encode())

    def data_received(self, data: bytes) -> None: ...
    def tls_established(self) -> None: ...
    def connection_lost(self, reason: str) -> None: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...


class Stage:
    """Ports that open on the loopback."""

    def __init__(self, reactor: Any, loop: asyncio.AbstractEventLoop, run: Run, config: Config) -> None:
        surroundings = Surroundings(loop, FlushQueue(loop), reactor, Admission(9, 9), TransportMetrics())
        site = HttpSite({"/": lambda: (200, "text/plain", b"hello")}, reactor)
        self.certificates = HostCertificates(config.hosts, reactor)
        self.ports = Ports(FILE, reactor, surroundings, self.certificates, Driver, site)
        self.bare = Ports(FILE, reactor, surroundings, None, Driver, site)
        self._run = run
        self._loop = loop

    def open(self, ports: Ports | None = None, **options: Any) -> list[int]:
        """Open a listener; return the ports that the log tells."""
        listener = Listener(**{"kind": Kind.C2S, "address": "127.0.0.1", "port": 0} | options)
        with capturedLogs() as events:
            self._run((ports or self.ports).open(listener))
        return [event["port"] for event in events if "listens on" in event["log_format"]]

    def hears(self, port: int) -> bytes:
        """Connect, and return the first that is said."""

        async def hear() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            heard = await reader.read(1000)
            writer.close()
            return heard

        return self._loop.run_until_complete(hear())

    def close(self) -> None:
        """Close what is open, and let it happen."""
        for ports in (self.ports, self.bare):
            ports.close()
        self.certificates.stop()
        self._loop.run_until_complete(asyncio.sleep(0))


@pytest.fixture
def stage(reactor: Any, loop: asyncio.AbstractEventLoop, run: Run, config: Config) -> Iterator[Stage]:
    stage = Stage(reactor, loop, run, config)
    yield stage
    stage.close()


@pytest.mark.parametrize(
    ("tls", "allowed", "required"), [(Tls.STARTTLS, True, True), (Tls.OPTIONAL, True, False), (Tls.NONE, False, False)]
)
def test_what_clients_may_do(stage: Stage, tls: Tls, allowed: bool, required: bool) -> None:
    """The driver knows whether TLS is offered, and whether anything goes without it."""
    (port,) = stage.open(tls=tls, scram_without_tls=tls is Tls.NONE)
    expected = {"tls_allowed": allowed, "tls_required": required, "scram_without_tls": tls is Tls.NONE}
    assert stage.hears(port) == repr(expected).encode()


def test_direct_tls_says_nothing_first(stage: Stage) -> None:
    """It waits for the client's hello; what is no TLS is closed, with an alert at most."""
    (port,) = stage.open(tls=Tls.DIRECT)
    assert b"tls" not in stage.hears(port)


def test_http(stage: Stage) -> None:
    """Served by Twisted; the log tells the port as it tells the others."""
    (port,) = stage.open(kind=Kind.HTTP, tls=Tls.NONE)
    assert stage.hears(port).endswith(b"hello")


def test_every_address(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """`*` is all of the machine, by each family that it has."""
    monkeypatch.setattr(listening, "EVERYWHERE", ("127.0.0.1", "127.0.0.2"))
    assert len(stage.open(address="*")) == 2
    assert len(stage.open(kind=Kind.HTTP, tls=Tls.NONE, address="*")) == 2


@pytest.mark.parametrize("kind", [Kind.C2S, Kind.HTTP])
def test_a_machine_without_ipv6(stage: Stage, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is served by IPv4 alone; named in so many words, a missing address is an error."""
    monkeypatch.setattr(listening, "EVERYWHERE", ("127.0.0.1", "2001:db8::1"))
    tls = Tls.STARTTLS if kind is Kind.C2S else Tls.NONE
    assert len(stage.open(kind=kind, tls=tls, address="*")) == 1
    with pytest.raises(StartError, match=r"2001:db8::1 port 0: .*choose another address or port in xmppd.toml"):
        stage.open(kind=kind, tls=tls, address="2001:db8::1")


@pytest.mark.parametrize("kind", [Kind.C2S, Kind.HTTP])
def test_a_port_in_use(stage: Stage, kind: Kind) -> None:
    """Whoever listens there must go, or we go elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        expected = (
            f"127.0.0.1 port {port}: Address already in use: stop what listens there, or choose another port in "
            "xmppd.toml"
        )
        with pytest.raises(StartError) as refused:
            stage.open(kind=kind, tls=Tls.STARTTLS if kind is Kind.C2S else Tls.NONE, port=port)
    assert str(refused.value) == expected


def test_a_privileged_port(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy is a capability, not root."""

    async def refuse(*args: object) -> None:
        raise PermissionError(errno.EACCES, "cannot listen on 127.0.0.1 port 443: Permission denied")

    monkeypatch.setattr(listening, "listen", refuse)
    with pytest.raises(
        StartError, match=r"127.0.0.1 port 443: Permission denied: ports below 1024 need the capability"
    ):
        stage.open(port=443)


def test_tls_without_a_certificate(stage: Stage) -> None:
    """The configuration's own check says so earlier; here it is the last word."""
    with pytest.raises(StartError, match="wants TLS: give a host a certificate and a key"):
        stage.open(stage.bare)
    assert stage.open(stage.bare, tls=Tls.NONE, scram_without_tls=True)


def test_authorities_that_are_none(stage: Stage, tmp_path: Path) -> None:
    """The file is named, and the option."""
    with pytest.raises(StartError, match=r"client_authorities: .*users\.crt: holds no certificates"):
        stage.open(client_authorities=tmp_path / "users.crt")


@pytest.mark.parametrize(
    ("kind", "tls"), [(Kind.S2S, Tls.STARTTLS), (Kind.COMPONENT, Tls.NONE), (Kind.HTTP, Tls.DIRECT)]
)
def test_what_this_version_does_not_serve(stage: Stage, kind: Kind, tls: Tls) -> None:
    """It opens nothing; that was noted when the configuration was read."""
    assert stage.open(kind=kind, tls=tls) == []


def test_closing(stage: Stage) -> None:
    """Nobody comes in any more."""
    ports = [*stage.open(), *stage.open(kind=Kind.HTTP, tls=Tls.NONE)]
    stage.close()
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            stage.hears(port)
