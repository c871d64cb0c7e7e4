"""Where the command line finds a server, and where it finds none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from xmppd.app.first_run import fill
from xmppd.transport.self_signed import make_self_signed

from .running import Running, running

NOW = 1_795_000_000.0  # in 2026: certificates must be valid


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the tester's own environment counts, and nothing that is in this checkout."""
    monkeypatch.delenv("XMPPD_CONFIG", raising=False)
    monkeypatch.delenv("XMPPD_SOCKET", raising=False)
    monkeypatch.setattr("xmppd.cli.finding.CHECKOUT", tmp_path / "checkout")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A server that runs."""
    with running(tmp_path / "socket") as one:
        yield one


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a server that does not run."""
    clock = Clock()
    clock.rightNow = NOW
    folder = tmp_path / "server"
    return fill(folder, lambda host, certificate, key: make_self_signed(host, certificate, key, clock)).config
