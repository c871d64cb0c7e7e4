"""Certificates: the servers' own, made as the server makes them, and those of users, signed by an authority of the test."""

import datetime
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from twisted.internet.task import Clock

from xmppd.transport.self_signed import make_self_signed

XMPP_ADDR = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")


def self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    """Make a certificate for a host that nobody but itself has signed; return its file and that of its key."""
    clock = Clock()
    clock.advance(time.time())
    certificate, key = folder / f"{host}.crt", folder / f"{host}.key"
    make_self_signed(host, certificate, key, clock)
    return certificate, key


@dataclass(frozen=True)
class UserCertificate:
    """What a client shows."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """An authority that vouches for users."""

    def __init__(self, name: str) -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(self._name, self._key, is_authority=True)
        self.certificate = builder.sign(self._key, hashes.SHA256())

    def write(self, file: Path) -> Path:
        """Write our own certificate as PEM."""
        file.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return file

    def issue(self, *addresses: str) -> UserCertificate:
        """Sign a certificate that names XMPP addresses (XEP-0178)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
        builder = self._builder(subject, key, is_authority=False)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(usage, critical=False)
        if addresses:
            names = [x509.OtherName(XMPP_ADDR, _utf8_string(address)) for address in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return UserCertificate(builder.sign(self._key, hashes.SHA256()), key)

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )


def _utf8_string(text: str) -> bytes:
    """Return a UTF8String in DER (X.690, 8.23)."""
    data = text.encode()
    length = len(data)
    head = bytes([length]) if length < 128 else bytes([0x81, length]) if length < 256 else b"\x82" + length.to_bytes(2)
    return b"\x0c" + head + data
