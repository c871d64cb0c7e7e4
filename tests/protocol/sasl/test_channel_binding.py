"""Channel bindings: RFC 5929, RFC 9266, XEP-0440."""

import hashlib

import pytest

from xmppd.protocol.element import E
from xmppd.protocol.sasl.channel_binding import end_point_hash, feature, server_end_point

NS = "urn:xmpp:sasl-cb:0"


@pytest.mark.parametrize(
    ("signature", "digest"),
    [("md5", "sha256"), ("sha1", "sha256"), ("sha256", "sha256"), ("sha384", "sha384"), ("sha512", "sha512")],
)
def test_the_digest_is_that_of_the_signature(signature: str, digest: str) -> None:
    """RFC 5929, 4.1: MD5 and SHA-1 give way to SHA-256."""
    assert end_point_hash(signature) == digest
    assert server_end_point(b"certificate", signature) == hashlib.new(digest, b"certificate").digest()


def test_signatures_without_digest_have_no_end_point() -> None:
    """RFC 5929, 4.1: the binding is not defined for them."""
    assert server_end_point(b"certificate", None) is None


def test_feature_announces_the_strongest_first() -> None:
    """XEP-0440, Announcing the SASL Channel-Binding Type Capability."""
    assert feature({"tls-server-end-point": b"", "other": b"", "tls-exporter": b""}) == E(
        f"{{{NS}}}sasl-channel-binding",
        E(f"{{{NS}}}channel-binding", type="tls-exporter"),
        E(f"{{{NS}}}channel-binding", type="tls-server-end-point"),
        E(f"{{{NS}}}channel-binding", type="other"),
    )


def test_nothing_to_announce() -> None:
    """XEP-0440: the element holds one type at least."""
    assert feature({}) is None
