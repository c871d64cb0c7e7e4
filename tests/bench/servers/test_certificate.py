"""The certificate of one run."""

import ssl
from pathlib import Path

from bench.servers.certificate import make_certificate


def test_the_certificate_can_be_served(tmp_path: Path) -> None:
    """P-256, for the host, in all the forms that servers want."""
    files = make_certificate(tmp_path, "localhost")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.both)
    assert files.key.stat().st_mode & 0o077 == 0
