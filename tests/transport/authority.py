"""An authority that signs certificates for the tests, for hosts and for peers."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from xmppd.transport.certificates import CertificateFiles

NOW = 1_800_000_000.0  # 15 January 2027
YEAR = 365 * 86400.0


@dataclass(frozen=True)
class Signed:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Authority:
    """A root that signs directly."""

    def __init__(self, name: str = "The test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(
            self._name,
            self._key,
            [(x509.BasicConstraints(ca=True, path_length=0), True)],
            NOW - 20 * YEAR,
            NOW + 20 * YEAR,
        )

    def issue(
        self, *names: str, not_before: float = NOW - 20 * YEAR, not_after: float = NOW + 20 * YEAR, client: bool = True
    ) -> Signed:
        """Sign a certificate; one that is not for clients names TLS servers as its only use."""
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.SERVER_AUTH] + [ExtendedKeyUsageOID.CLIENT_AUTH] * client
        extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.ExtendedKeyUsage(uses), False)]
        if names:
            extensions.append((x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False))
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else "nobody")])
        return Signed(self._sign(subject, key, extensions, not_before, not_after), key)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extensions: Sequence[tuple[x509.ExtensionType, bool]],
        not_before: float,
        not_after: float,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime.fromtimestamp(not_before, datetime.UTC))
            .not_valid_after(datetime.datetime.fromtimestamp(not_after, datetime.UTC))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())

    def files(self, folder: Path, host: str, signed: Signed | None = None) -> CertificateFiles:
        """Write a certificate for `host` with its chain and key; return where they are."""
        signed = self.issue(host) if signed is None else signed
        files = CertificateFiles(host, folder / f"{host}.pem", folder / f"{host}.key")
        files.certificate.write_bytes(pem(signed.certificate, self.certificate))
        files.key.write_bytes(key_pem(signed.key))
        files.key.chmod(0o600)
        return files

    def write(self, file: Path) -> Path:
        """Write the root itself."""
        file.write_bytes(pem(self.certificate))
        return file


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)


def key_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    encryption = (
        serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
