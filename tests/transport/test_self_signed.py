"""The certificate of a server's first start."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.task import Clock

from xmppd.transport.certificate import read_certificate, warnings_about
from xmppd.transport.self_signed import make_self_signed

from .authority import NOW


def test_it_is_good(tmp_path: Path, clock: Clock) -> None:
    """ECDSA P-256, for the host and the services below it, without a warning."""
    certificate, key = tmp_path / "new" / "x.pem", tmp_path / "new" / "x.key"
    make_self_signed("Bücher.example", certificate, key, clock)
    read = read_certificate(certificate, key)

    assert isinstance(read.key, ec.EllipticCurvePrivateKey)
    assert read.names == ("xn--bcher-kva.example", "*.xn--bcher-kva.example")
    assert read.not_before < NOW - 80_000
    assert 800 * 86400 < read.not_after - NOW < 825 * 86400
    assert warnings_about(read, "rooms.bücher.example", key, NOW) == []


def test_the_key_is_nobody_else_s(tmp_path: Path, clock: Clock) -> None:
    """The key's file is never readable by others."""
    make_self_signed("x.example", tmp_path / "c", tmp_path / "k", clock)

    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "c").stat().st_mode & 0o777 & ~0o644 == 0


@pytest.mark.parametrize("there", ["c", "k"])
def test_nothing_is_overwritten(tmp_path: Path, clock: Clock, there: str) -> None:
    """A key that is there may be the one that clients have pinned."""
    (tmp_path / there).write_text("precious")

    with pytest.raises(FileExistsError, match=str(tmp_path / there)):
        make_self_signed("x.example", tmp_path / "c", tmp_path / "k", clock)
    assert [file.name for file in tmp_path.iterdir()] == [there]
