"""Channel bindings (RFC 5056): what ties an authentication to the TLS connection that it came through.

A transport computes the data of its connection; this file says how, and in which order the types are preferred:

* `tls-exporter` (RFC 9266): exported keying material with `EXPORTER_LABEL`, no context and `EXPORTER_BYTES`. Below TLS
  1.3 it is safe only with the extended master secret, so a transport that cannot be sure must leave it out.
* `tls-server-end-point` (RFC 5929, 4): a digest of the server's certificate. XEP-0440 makes every server offer it.

`tls-unique` is broken without the extended master secret and does not exist in TLS 1.3, so it is not here.
"""

import hashlib
from collections.abc import Collection
from typing import Final

from ..element import E, Element
from ..names import SASL_CHANNEL_BINDING

TLS_EXPORTER: Final = "tls-exporter"
TLS_SERVER_END_POINT: Final = "tls-server-end-point"

TYPES: Final = (TLS_EXPORTER, TLS_SERVER_END_POINT)
"""All types, the strongest first."""

EXPORTER_LABEL: Final = b"EXPORTER-Channel-Binding"
EXPORTER_BYTES: Final = 32

_WEAK: Final = frozenset({"md5", "sha1"})


def end_point_hash(signature_hash: str) -> str:
    """Return the hash function for `tls-server-end-point`: that of the certificate's signature, but none that is weak.

    :param signature_hash: a name as `hashlib` has it, "sha256" for instance.
    """
    return "sha256" if signature_hash in _WEAK else signature_hash


def server_end_point(certificate: bytes, signature_hash: str | None) -> bytes | None:
    """Return the data of `tls-server-end-point`, or None where RFC 5929 does not define it.

    :param certificate: the server's certificate in DER.
    :param signature_hash: the hash function of its signature; None if that has none (Ed25519).
    """
    if signature_hash is None:
        return None
    return hashlib.new(end_point_hash(signature_hash), certificate).digest()


def feature(types: Collection[str]) -> Element | None:
    """Return the stream feature of XEP-0440, or None if there is no type to announce."""
    if not types:
        return None
    known = [name for name in TYPES if name in types]
    others = sorted(set(types).difference(TYPES))
    return E(
        f"{{{SASL_CHANNEL_BINDING}}}sasl-channel-binding",
        *[E(f"{{{SASL_CHANNEL_BINDING}}}channel-binding", type=name) for name in known + others],
    )
