"""A self-signed certificate, so that a new server speaks TLS from its first start."""

import datetime
import os
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..core.clock import Clock
from .certificate import ascii_name

VALIDITY: Final = datetime.timedelta(days=825)  # what the strictest clients accept of a certificate added by hand
BACKDATED: Final = datetime.timedelta(days=1)  # for peers whose clock is slow


def make_self_signed(host: str, certificate: Path, key: Path, clock: Clock) -> None:
    """Write a new ECDSA P-256 key and its certificate for `host` and the services below it.

    :raises FileExistsError: one of the files is there; nothing is ever overwritten.
    """
    for file in (certificate, key):
        if file.exists():
            raise FileExistsError(f"{file} exists; remove it if a new self-signed certificate is wanted")
    private = ec.generate_private_key(ec.SECP256R1())
    signed = _sign(ascii_name(host), private, clock.seconds())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _create(key, pem, 0o600)
    _create(certificate, signed.public_bytes(serialization.Encoding.PEM), 0o644)


def _sign(host: str, key: ec.EllipticCurvePrivateKey, now: float) -> x509.Certificate:
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    names = x509.SubjectAlternativeName([x509.DNSName(host), x509.DNSName(f"*.{host}")])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - BACKDATED)
        .not_valid_after(moment - BACKDATED + VALIDITY)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _create(file: Path, content: bytes, mode: int) -> None:
    """Write a new file that nobody could open in another mode, not even for a moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
