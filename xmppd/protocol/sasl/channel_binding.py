"""Channel bindings (RFC 5056): what ties an authentication to the TLS connection that it came through.

The transport computes the data of its connection; this file says in which order the types are preferred:

* `tls-exporter` (RFC 9266): exported keying material. Below TLS 1.3 it is safe only with the extended master secret, so
  a transport that cannot be sure must leave it out.
* `tls-server-end-point` (RFC 5929, 4): a digest of the server's certificate. XEP-0440 makes every server offer it.

`tls-unique` is broken without the extended master secret and does not exist in TLS 1.3, so it is not here.
"""

from collections.abc import Collection
from typing import Final

from ..element import E, Element
from ..names import SASL_CHANNEL_BINDING

TLS_EXPORTER: Final = "tls-exporter"
TLS_SERVER_END_POINT: Final = "tls-server-end-point"

TYPES: Final = (TLS_EXPORTER, TLS_SERVER_END_POINT)
"""All types, the strongest first."""


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
