"""A loop, the reactor on it, and the configuration of a server that could start."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from xmppd.config.schema import Url
from xmppd.config.server import Admin, Config, Host, Kind, Listener, Server, Shard, Tls
from xmppd.transport.self_signed import make_self_signed

HOST = "capulet.example"
NOW = 1_800_000_000.0
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop of this test's own."""
    loop = asyncio.SelectorEventLoop()
    yield loop
    loop.close()


@pytest.fixture
def reactor(loop: asyncio.AbstractEventLoop) -> Any:
    """Twisted's reactor on that loop; it is not installed."""
    return AsyncioSelectorReactor(loop)


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Run:
    """Runs a coroutine that waits for Deferreds to its end."""
    return lambda coroutine: loop.run_until_complete(Deferred.fromCoroutine(coroutine).asFuture(loop))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key."""
    return make_certificate(tmp_path, HOST)


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    clock = Clock()
    clock.advance(NOW)
    certificate, key = folder / f"{host}.crt", folder / f"{host}.key"
    make_self_signed(host, certificate, key, clock)
    return certificate, key


@pytest.fixture
def config(tmp_path: Path, certificate: tuple[Path, Path]) -> Config:
    """A server with one host, one port of each kind, and everything it writes in `data`."""
    data = tmp_path / "data"
    return Config(
        server=Server(data_folder=data),
        hosts={HOST: Host(certificate=certificate[0], key=certificate[1])},
        listeners=[
            Listener(kind=Kind.C2S, address="127.0.0.1", port=0),
            Listener(kind=Kind.C2S, tls=Tls.DIRECT, address="127.0.0.1", port=0),
            Listener(kind=Kind.HTTP, tls=Tls.NONE, address="127.0.0.1", port=0),
        ],
        shards=[Shard(url=Url(f"sqlite:///{data}/xmppd.sqlite"), readers=1)],
        admin=Admin(socket=data / "xmppd.sock"),
    )
