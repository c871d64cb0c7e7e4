"""The store of all hosts' certificates."""

from pathlib import Path

import pytest
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from xmppd.transport.certificate import CertificateError
from xmppd.transport.certificates import CertificateFiles, CertificateStore

from .authority import NOW, YEAR, Authority, key_pem


def test_no_host(clock: Clock) -> None:
    """A server without any certificate is told so at start."""
    with pytest.raises(CertificateError, match="no host has a certificate"):
        CertificateStore([], clock)


def test_broken_files_at_start(tmp_path: Path, clock: Clock) -> None:
    """At start every certificate must be good."""
    with pytest.raises(CertificateError, match=r"nowhere\.pem"):
        CertificateStore([CertificateFiles("x", tmp_path / "nowhere.pem", tmp_path / "nowhere.key")], clock)


def test_warnings_are_logged_at_start(tmp_path: Path, clock: Clock, authority: Authority) -> None:
    """A certificate for another name works, but is told."""
    with capturedLogs() as events:
        CertificateStore([authority.files(tmp_path, "montague.example", authority.issue("x.example"))], clock)

    assert [event["warning"] for event in events] == ["does not name montague.example, only x.example"]


def test_finding(tmp_path: Path, clock: Clock, authority: Authority) -> None:
    """The host's own, then one that covers the name, then the default."""
    store = CertificateStore(
        [
            authority.files(tmp_path, "montague.example"),
            authority.files(tmp_path, "capulet.example", authority.issue("capulet.example", "*.capulet.example")),
            authority.files(tmp_path, "bücher.example", authority.issue("xn--bcher-kva.example")),
        ],
        clock,
    )
    names = {
        name: store.find(name).names[0]
        for name in (
            None,
            "Capulet.Example",
            "rooms.capulet.example",
            "a.rooms.capulet.example",
            "xn--bcher-kva.example",
        )
    }

    assert names == {
        None: "montague.example",
        "Capulet.Example": "capulet.example",
        "rooms.capulet.example": "capulet.example",
        "a.rooms.capulet.example": "montague.example",
        "xn--bcher-kva.example": "xn--bcher-kva.example",
    }


def test_current(store: CertificateStore, tmp_path: Path, authority: Authority) -> None:
    """The certificates in use, one for each host; a replaced one is not among them."""
    before = store.find("capulet.example")
    assert set(store.current()) == {store.find("montague.example"), before}

    authority.files(tmp_path, "capulet.example")
    store.reload()
    assert set(store.current()) == {store.find("montague.example"), store.find("capulet.example")}
    assert before not in store.current()


def test_list(tmp_path: Path, clock: Clock, authority: Authority) -> None:
    """What `xmppctl cert list` shows."""
    signed = authority.issue("montague.example", not_after=NOW + 10.5 * 86400)
    (info,) = CertificateStore([authority.files(tmp_path, "montague.example", signed)], clock).list()

    assert (info.host, info.subject, info.names) == ("montague.example", "montague.example", ("montague.example",))
    assert (info.issuer, info.days_left) == ("The test authority", 10)
    assert (info.not_after, info.file) == (NOW + 10.5 * 86400, tmp_path / "montague.example.pem")
    assert info.warnings == ["expires on 2027-01-25; see why it was not renewed"]


def test_expired_certificate_has_negative_days(tmp_path: Path, clock: Clock, authority: Authority) -> None:
    """A day past the end is minus one."""
    signed = authority.issue("montague.example", not_after=NOW - 3600)
    (info,) = CertificateStore([authority.files(tmp_path, "montague.example", signed)], clock).list()

    assert info.days_left == -1


def test_reload(store: CertificateStore, tmp_path: Path, authority: Authority) -> None:
    """What changed is taken and named; what did not is left alone."""
    before = store.find("montague.example")
    authority.files(tmp_path, "capulet.example")

    assert store.reload() == ["capulet.example"]
    assert store.reload() == []
    assert store.find("montague.example") is before


def test_reload_of_a_broken_file(store: CertificateStore, tmp_path: Path, authority: Authority) -> None:
    """A broken file raises, the old certificate stays, and the other hosts are renewed all the same."""
    before = store.find("montague.example")
    (tmp_path / "montague.example.pem").write_text("oops")
    new = authority.issue("capulet.example", "new.example")
    authority.files(tmp_path, "capulet.example", new)

    with pytest.raises(CertificateError, match=r"montague\.example\.pem"):
        store.reload()
    assert store.find("montague.example") is before
    assert store.find("new.example").names == ("capulet.example", "new.example")


def test_watching(store: CertificateStore, clock: Clock, tmp_path: Path, authority: Authority) -> None:
    """Changed files are noticed within seconds, without being asked."""
    before = store.find("capulet.example")
    store.watch()
    store.watch()
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(5)
    assert store.find("capulet.example") is before
    authority.files(tmp_path, "capulet.example", authority.issue("capulet.example", not_after=NOW + YEAR))
    clock.advance(4)
    assert store.find("capulet.example") is before

    clock.advance(1)
    assert store.find("capulet.example").not_after == NOW + YEAR
    store.stop()
    store.stop()
    assert clock.getDelayedCalls() == []


def test_half_written_files(store: CertificateStore, clock: Clock, tmp_path: Path, authority: Authority) -> None:
    """A certificate that came before its key is logged once, waits for the key, and is then taken."""
    store.watch()
    before = store.find("capulet.example")
    new = authority.issue("capulet.example")
    key = tmp_path / "capulet.example.key"
    old_key = key.read_bytes()
    authority.files(tmp_path, "capulet.example", new)
    key.write_bytes(old_key)
    with capturedLogs() as events:
        clock.pump([5, 5, 5])
    assert store.find("capulet.example") is before
    assert ["does not belong to" in str(event["error"]) for event in events] == [True]

    key.write_bytes(key_pem(new.key))
    clock.advance(5)
    assert store.find("capulet.example").chain[0] == new.certificate


def test_files_that_vanish(store: CertificateStore, clock: Clock, tmp_path: Path) -> None:
    """Somebody removed the files: sessions and new handshakes go on."""
    store.watch()
    before = store.find("capulet.example")
    (tmp_path / "capulet.example.pem").unlink()
    with capturedLogs() as events:
        clock.pump([5, 5])

    assert store.find("capulet.example") is before
    assert len(events) == 1


def test_replaced_link(clock: Clock, tmp_path: Path, authority: Authority) -> None:
    """certbot keeps links and lets them point to other files."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        authority.files(tmp_path / folder, "montague.example")
    for name in ("montague.example.pem", "montague.example.key"):
        (tmp_path / name).symlink_to(tmp_path / "one" / name)
    files = CertificateFiles("montague.example", tmp_path / "montague.example.pem", tmp_path / "montague.example.key")
    store = CertificateStore([files], clock)
    before = store.find(None)
    store.watch()
    for name in ("montague.example.pem", "montague.example.key"):
        (tmp_path / name).unlink()
        (tmp_path / name).symlink_to(tmp_path / "two" / name)
    clock.advance(5)

    assert store.find(None) is not before
