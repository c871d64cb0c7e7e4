"""One certificate: reading it, and what may be wrong with it."""

import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from xmppd.transport.certificate import (
    CertificateError,
    ascii_name,
    display_name,
    endpoint_of,
    names_of,
    read_certificate,
    warnings_about,
)

from .authority import NOW, Authority, key_pem, pem

DAY = 86400.0


def test_a_good_certificate(tmp_path: Path, authority: Authority) -> None:
    """Chain, key, names and dates are read; there is nothing to warn of."""
    files = authority.files(tmp_path, "montague.example")
    certificate = read_certificate(files.certificate, files.key)

    assert len(certificate.chain) == 2
    assert certificate.names == ("montague.example",)
    assert certificate.not_before < NOW < certificate.not_after
    assert warnings_about(certificate, "montague.example", files.key, NOW) == []


def test_a_key_that_does_not_fit(tmp_path: Path, authority: Authority) -> None:
    """Both files are named."""
    files = authority.files(tmp_path, "montague.example")
    files.key.write_bytes(key_pem(authority.issue("x").key))

    with pytest.raises(
        CertificateError, match=r"montague\.example\.key: the key does not belong .*montague\.example\.pem"
    ):
        read_certificate(files.certificate, files.key)


@pytest.mark.parametrize("which", ["certificate", "key"])
@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_files_that_hold_something_else(tmp_path: Path, authority: Authority, which: str, content: bytes) -> None:
    """The error names the file and what it should hold."""
    files = authority.files(tmp_path, "montague.example")
    file: Path = getattr(files, which)
    file.write_bytes(content)

    with pytest.raises(CertificateError, match=f"{file.name}: holds no usable .* in PEM form"):
        read_certificate(files.certificate, files.key)


def test_missing_files(tmp_path: Path, authority: Authority) -> None:
    """The error says what to do."""
    files = authority.files(tmp_path, "montague.example")
    files.key.unlink()

    with pytest.raises(CertificateError, match=r"No such file or directory.*name an existing file"):
        read_certificate(files.certificate, files.key)


def test_encrypted_key(tmp_path: Path, authority: Authority) -> None:
    """Nobody is there to type a passphrase."""
    files = authority.files(tmp_path, "montague.example", signed := authority.issue("montague.example"))
    files.key.write_bytes(key_pem(signed.key, b"secret"))

    with pytest.raises(CertificateError, match="without a passphrase"):
        read_certificate(files.certificate, files.key)


def test_foreign_kind_of_key(tmp_path: Path, authority: Authority) -> None:
    """A DSA key cannot be used."""
    files = authority.files(tmp_path, "montague.example")
    key = dsa.generate_private_key(1024)
    files.key.write_bytes(
        key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )

    with pytest.raises(CertificateError, match="a key of this kind"):
        read_certificate(files.certificate, files.key)


def test_chain_in_the_wrong_order(tmp_path: Path, authority: Authority) -> None:
    """The most frequent mistake of all is told as what it is."""
    files = authority.files(tmp_path, "montague.example", signed := authority.issue("montague.example"))
    stranger = Authority("Another").certificate
    files.certificate.write_bytes(pem(signed.certificate, stranger, authority.certificate))

    with pytest.raises(CertificateError, match="out of order"):
        read_certificate(files.certificate, files.key)


def test_warnings(tmp_path: Path, authority: Authority) -> None:
    """What will not work for long, or not for everybody."""

    def told(host: str, mode: int = 0o600, *, chain: bool = True, **dates: float) -> list[str]:
        files = authority.files(tmp_path, "x", signed := authority.issue("montague.example", **dates))
        if not chain:
            files.certificate.write_bytes(pem(signed.certificate))
        files.key.chmod(mode)
        return list(warnings_about(read_certificate(files.certificate, files.key), host, files.key, NOW))

    assert told("montague.example", not_after=NOW - DAY) == ["expired on 2027-01-14; renew it"]
    assert told("montague.example", not_after=NOW + DAY) == ["expires on 2027-01-16; see why it was not renewed"]
    assert told("montague.example", not_before=NOW + DAY) == ["is valid only from 2027-01-16; check the clock"]
    assert told("capulet.example") == ["does not name capulet.example, only montague.example"]
    assert told("montague.example", chain=False) == ["comes without its issuer; use the full chain"]
    assert told("montague.example", 0o644)[0].startswith("has a key that other users may read; chmod 600 ")


def test_short_rsa_key_is_warned_of(tmp_path: Path) -> None:
    """A key below 2048 bits is refused by many clients."""
    key = rsa.generate_private_key(65537, 1024)
    certificate = self_made(key, hashes.SHA256())
    (tmp_path / "c").write_bytes(pem(certificate))
    (tmp_path / "k").write_bytes(
        key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (tmp_path / "k").chmod(0o600)
    read = read_certificate(tmp_path / "c", tmp_path / "k")

    assert "has an RSA key below 2048 bits" in warnings_about(read, "romeo.example", tmp_path / "k", NOW)


def self_made(key: object, algorithm: hashes.HashAlgorithm | None) -> x509.Certificate:
    """Return a certificate that signs itself, with no names at all."""
    import datetime

    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Verona")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC))
    )
    return builder.sign(key, algorithm)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [(hashes.SHA256(), "sha256"), (hashes.SHA384(), "sha384"), (hashes.SHA512(), "sha512")],
)
def test_endpoint_hash_is_the_signature_s(algorithm: hashes.HashAlgorithm, digest: str) -> None:
    """RFC 5929, 4.1: the hash function is that of the certificate's signature."""
    certificate = self_made(ec.generate_private_key(ec.SECP384R1()), algorithm)

    assert endpoint_of(certificate) == hashlib.new(digest, certificate.public_bytes(Encoding.DER)).digest()


def test_endpoint_hash_of_a_sha1_signature() -> None:
    """RFC 5929, 4.1: SHA-1 becomes SHA-256."""

    class Old:
        signature_hash_algorithm = hashes.SHA1()

        def fingerprint(self, algorithm: hashes.HashAlgorithm) -> bytes:
            return algorithm.name.encode()

    assert endpoint_of(Old()) == b"sha256"  # type: ignore[arg-type]


def test_no_endpoint_hash_for_eddsa() -> None:
    """RFC 5929, 4.1: a signature without a hash function leaves the binding undefined."""
    assert endpoint_of(self_made(ed25519.Ed25519PrivateKey.generate(), None)) is None


def test_names() -> None:
    """A certificate without alternative names is good for no host; people still call it something."""
    certificate = self_made(ed25519.Ed25519PrivateKey.generate(), None)

    assert names_of(certificate) == ()
    assert display_name(certificate.subject) == "Verona"
    assert display_name(x509.Name([])) == ""


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("montague.example", True),
        ("Montague.Example.", True),
        ("rooms.montague.example", True),
        ("a.rooms.montague.example", False),
        ("capulet.example", False),
        ("bücher.example", True),
        ("example", False),
    ],
)
def test_which_hosts_are_covered(tmp_path: Path, authority: Authority, host: str, covered: bool) -> None:
    """RFC 6125, 6.4: without regard to case, A-labels, and one label for the wildcard."""
    signed = authority.issue("montague.example", "*.montague.example", "xn--bcher-kva.example")
    files = authority.files(tmp_path, "x", signed)

    assert read_certificate(files.certificate, files.key).covers(host) is covered


def test_ascii_names() -> None:
    """What is no name for DNS is left as it is, and simply matches nothing."""
    assert ascii_name("Bücher.example") == "xn--bcher-kva.example"
    assert ascii_name("\u2024") == "\u2024"
