"""The certificates of all hosts, as the configuration names them at the time."""

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from xmppd.app.host_certificates import HostCertificates, files_of
from xmppd.config.server import Host
from xmppd.transport.certificate import CertificateError

from .conftest import NOW, make_certificate

CAPULET, MONTAGUE = "capulet.example", "montague.example"


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.advance(NOW)
    return clock


@pytest.fixture
def hosts(tmp_path: Path) -> dict[str, Host]:
    """Two hosts with certificates, and one that needs none."""
    made = {name: make_certificate(tmp_path, name) for name in (CAPULET, MONTAGUE)}
    return {
        "mantua.example": Host(),
        **{name: Host(certificate=certificate, key=key) for name, (certificate, key) in made.items()},
    }


def test_those_that_have_one(hosts: dict[str, Host]) -> None:
    """In the order of the configuration; the first of them is the default."""
    assert [entry.host for entry in files_of(hosts)] == [CAPULET, MONTAGUE]
    assert files_of({"mantua.example": Host()}) == []


def test_each_host_shows_its_own(hosts: dict[str, Host], clock: Clock) -> None:
    """Others show the default one."""
    certificates = HostCertificates(hosts, clock)
    assert certificates.find(MONTAGUE).covers(MONTAGUE)
    assert certificates.find(None) is certificates.find("verona.example") is certificates.find(CAPULET)
    assert [info.host for info in certificates.list()] == [CAPULET, MONTAGUE]
    assert set(certificates.current()) == {certificates.find(CAPULET), certificates.find(MONTAGUE)}


def test_files_that_were_replaced(hosts: dict[str, Host], clock: Clock, tmp_path: Path) -> None:
    """Read again by a reload; only what has changed is told."""
    certificates = HostCertificates(hosts, clock)
    old = certificates.find(MONTAGUE)
    (tmp_path / "new").mkdir()
    for fresh in make_certificate(tmp_path / "new", MONTAGUE):
        fresh.replace(tmp_path / fresh.name)
    assert certificates.reload() == [MONTAGUE]
    assert certificates.find(MONTAGUE) is not old
    assert certificates.reload() == []


def test_files_of_other_names(hosts: dict[str, Host], clock: Clock, tmp_path: Path) -> None:
    """The configuration has come to name others: they are shown, and watched from now on."""
    certificates = HostCertificates(hosts, clock)
    (tmp_path / "new").mkdir()
    hosts[MONTAGUE].certificate, hosts[MONTAGUE].key = make_certificate(tmp_path / "new", MONTAGUE)
    assert certificates.reload() == [MONTAGUE]
    assert {str(info.file.parent) for info in certificates.list()} == {str(tmp_path), str(tmp_path / "new")}
    assert len(clock.getDelayedCalls()) == 1

    (tmp_path / "newer").mkdir()
    shown = certificates.find(MONTAGUE)
    for fresh in make_certificate(tmp_path / "newer", MONTAGUE):
        fresh.replace(tmp_path / "new" / fresh.name)
    clock.advance(10)
    assert certificates.find(MONTAGUE) is not shown


def test_files_that_cannot_be_used(hosts: dict[str, Host], clock: Clock, tmp_path: Path) -> None:
    """The old ones stay in use, and stay watched."""
    certificates = HostCertificates(hosts, clock)
    old = certificates.find(MONTAGUE)
    hosts[MONTAGUE].key = hosts[CAPULET].key
    with pytest.raises(CertificateError, match="does not belong"):
        certificates.reload()
    assert certificates.find(MONTAGUE) is old
    assert len(clock.getDelayedCalls()) == 1


def test_the_end(hosts: dict[str, Host], clock: Clock) -> None:
    """Nothing is watched any more."""
    HostCertificates(hosts, clock).stop()
    assert clock.getDelayedCalls() == []


def test_nobody_has_one(clock: Clock) -> None:
    """Then there is nothing to show."""
    with pytest.raises(CertificateError):
        HostCertificates({"mantua.example": Host()}, clock)
