"""Certificates made once, and each kind of loop."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from twisted.internet.task import Clock

from xmppd.transport.certificates import CertificateStore
from xmppd.transport.tls_contexts import TlsContexts, TlsRules

from .authority import NOW, Authority

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.SelectorEventLoop,
}


@pytest.fixture(params=sorted(LOOPS))
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    """Each of the two loops that the server runs on."""
    loop = LOOPS[request.param]()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.advance(NOW)
    return clock


@pytest.fixture
def store(tmp_path: Path, authority: Authority, clock: Clock) -> CertificateStore:
    """The certificates of two hosts; the first is the default."""
    return CertificateStore(
        [authority.files(tmp_path, "montague.example"), authority.files(tmp_path, "capulet.example")], clock
    )


@pytest.fixture
def contexts(store: CertificateStore) -> TlsContexts:
    """TLS for clients, without client certificates."""
    return TlsContexts(store)


@pytest.fixture
def asking(store: CertificateStore, authority: Authority, tmp_path: Path) -> TlsContexts:
    """TLS that asks for certificates and trusts the test authority."""
    return TlsContexts(store, TlsRules(ask_certificate=True, authorities=authority.write(tmp_path / "root.pem")))
