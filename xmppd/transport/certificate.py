"""One certificate with its key: read from files, checked, and what we know about it.

Everything that would fail at the first handshake is found when the files are read: a key that does not fit, a chain in
the wrong order, a file that is no PEM. Those are errors. What works but not for long or not for everybody (expiry,
names that do not cover the host) is a warning.
"""

import datetime
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import idna
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

DAY: Final = 86400.0
SOON: Final = 14 * DAY  # below that an automatic renewal has already failed several times
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


class CertificateError(Exception):
    """A certificate cannot be used; the text names the file and what to do about it."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Certificate:
    """A certificate chain and the private key of its first member.

    :ivar chain: the certificate itself, then its issuers.
    :ivar names: the host names it is good for, A-labels in lower case; may begin with ``*.``.
    :ivar endpoint: the channel-binding data of "tls-server-end-point" (RFC 5929, 4.1); None where it is undefined.
    :ivar not_before: the moment from which it is valid, in seconds since the epoch; `not_after` likewise.
    """

    chain: tuple[x509.Certificate, ...]
    key: PrivateKey
    names: tuple[str, ...]
    endpoint: bytes | None
    not_before: float
    not_after: float

    def covers(self, host: str) -> bool:
        """Say whether the certificate is good for a host, by RFC 6125, 6.4: a wildcard stands for one label."""
        label, _, parent = (name := ascii_name(host)).partition(".")
        return name in self.names or bool(label and parent and f"*.{parent}" in self.names)


def ascii_name(host: str) -> str:
    """Return a host name as DNS and certificates write it: in lower case, with A-labels."""
    host = host.rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def read_certificate(certificate: Path, key: Path) -> Certificate:
    """Read and check a chain in PEM and its key in PEM; raise `CertificateError`."""
    chain = _read_chain(certificate)
    private = _read_key(key)
    if private.public_key() != chain[0].public_key():
        raise CertificateError(f"{key}: the key does not belong to the first certificate in {certificate}")
    return Certificate(
        chain=chain,
        key=private,
        names=names_of(chain[0]),
        endpoint=endpoint_of(chain[0]),
        not_before=chain[0].not_valid_before_utc.timestamp(),
        not_after=chain[0].not_valid_after_utc.timestamp(),
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CertificateError(
            f"{file}: cannot be read ({error.strerror}); name an existing file that the server's user may read"
        ) from None


def _read_chain(file: Path) -> tuple[x509.Certificate, ...]:
    try:
        chain = tuple(x509.load_pem_x509_certificates(_read(file)))
        chain[0].public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"{file}: holds no usable certificate in PEM form ({error})") from None
    for lower, upper in pairwise(chain):
        if lower.issuer != upper.subject:
            raise CertificateError(f"{file}: the chain is out of order; put the certificate first, then its issuers")
    return chain


def _read_key(file: Path) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(_read(file), None)
    except TypeError:
        raise CertificateError(f"{file}: the key is encrypted; store it without a passphrase, in mode 0600") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CertificateError(f"{file}: holds no usable private key in PEM form") from None
    if not isinstance(key, PrivateKey):
        raise CertificateError(f"{file}: a key of this kind cannot be used for TLS; use an ECDSA or RSA key")
    return key


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names of a certificate; the common name counts for nothing any more (RFC 9525, 2)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(name.lower() for name in extension.value.get_values_for_type(x509.DNSName))


def endpoint_of(certificate: x509.Certificate) -> bytes | None:
    """Return RFC 5929's hash of a certificate: that of its signature, but SHA-256 for MD5 and SHA-1."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    if algorithm is None:  # EdDSA hashes within itself: the binding is undefined
        return None
    weak = isinstance(algorithm, hashes.MD5 | hashes.SHA1)
    return certificate.fingerprint(hashes.SHA256() if weak else algorithm)


def display_name(name: x509.Name) -> str:
    """Return how people call the holder of a distinguished name."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(kind):
            return str(found[0].value)
    return name.rfc4514_string()


def warnings_about(certificate: Certificate, host: str, key: Path, now: float) -> Sequence[str]:
    """Return what is wrong with a certificate that can be used all the same."""
    leaf = certificate.chain[0]
    checks = (
        (now >= certificate.not_after, f"expired on {_date(certificate.not_after)}; renew it"),
        (now < certificate.not_before, f"is valid only from {_date(certificate.not_before)}; check the clock"),
        (
            now < certificate.not_after <= now + SOON,
            f"expires on {_date(certificate.not_after)}; see why it was not renewed",
        ),
        (not certificate.covers(host), f"does not name {host}, only {', '.join(certificate.names) or 'nothing'}"),
        (
            isinstance(certificate.key, rsa.RSAPrivateKey) and certificate.key.key_size < 2048,
            "has an RSA key below 2048 bits",
        ),
        (_readable_by_others(key), f"has a key that other users may read; chmod 600 {key}"),
        (len(certificate.chain) == 1 and leaf.issuer != leaf.subject, "comes without its issuer; use the full chain"),
    )
    return [text for applies, text in checks if applies]


def _date(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).date().isoformat()


def _readable_by_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    except OSError:
        return False
