"""A self-signed P-256 certificate for the servers of one run."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM: the certificate, its key, and both together as some servers want them."""

    certificate: Path
    key: Path
    both: Path


def make_certificate(folder: Path, domain: str) -> Certificate:
    """Make a certificate for the domain, good for a month."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _write(
        folder,
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _write(folder: Path, certificate: bytes, key: bytes) -> Certificate:
    files = Certificate(folder / "certificate.pem", folder / "key.pem", folder / "both.pem")
    for path, content in ((files.certificate, certificate), (files.key, key), (files.both, key + certificate)):
        path.touch(mode=0o600)
        path.write_bytes(content)
    return files
