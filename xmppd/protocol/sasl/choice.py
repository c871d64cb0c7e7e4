"""Which mechanisms a stream is offered, and how the chosen one starts."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Final

from ..errors import SaslFailure
from .anonymous import Anonymous
from .exchange import Context, Exchange
from .external import External
from .hashed_token import HashedToken
from .plain import Plain
from .scram import Scram

HASHES: Final = ("SHA-512", "SHA-256", "SHA-1")
"""Hash functions of SCRAM, the strongest first."""


def _anonymous(_: Context) -> Exchange:
    return Anonymous()


MECHANISMS: Final[Mapping[str, Callable[[Context], Exchange]]] = {
    "EXTERNAL": External,
    **{f"SCRAM-{name}-PLUS": partial(Scram, hash_name=name, plus=True) for name in HASHES},
    **{f"SCRAM-{name}": partial(Scram, hash_name=name, plus=False) for name in HASHES},
    "PLAIN": Plain,
    "ANONYMOUS": _anonymous,
}
"""Every mechanism by its name, the strongest first."""


def offered(
    *,
    tls: bool,
    channel_bindings: Mapping[str, bytes],
    client_certificate: bool,
    anonymous: bool,
    plain_without_tls: bool = False,
    scram_without_tls: bool = False,
    allowed: Collection[str] | None = None,
) -> list[str]:
    """Return the names of the mechanisms to offer, the strongest first.

    :param tls: whether the stream is encrypted.
    :param channel_bindings: channel binding data of the connection by type; -PLUS needs one.
    :param client_certificate: whether the client has shown a certificate that somebody we trust has signed.
    :param anonymous: whether the host serves clients without an account.
    :param plain_without_tls: offer PLAIN in the clear, too: for tests and for tunnels that encrypt themselves.
    :param scram_without_tls: offer SCRAM in the clear, too.
    :param allowed: if given, offer nothing else.
    """

    def fits(name: str) -> bool:
        if name == "EXTERNAL":
            return tls and client_certificate
        if name == "ANONYMOUS":
            return anonymous
        if name == "PLAIN":
            return tls or plain_without_tls
        if name.endswith("-PLUS"):
            return tls and bool(channel_bindings)
        return tls or scram_without_tls

    return [name for name in MECHANISMS if fits(name) and (allowed is None or name in allowed)]


def start(name: str, context: Context) -> Exchange:
    """Return the exchange of the mechanism that the client has chosen.

    :raises SaslFailure: ``encryption-required`` if it needs TLS first, ``invalid-mechanism`` if it was not offered.
    """
    if name in context.offered and name in MECHANISMS:
        return MECHANISMS[name](context)
    if name in context.tokens:
        return HashedToken(context, name)
    if name in MECHANISMS and name != "ANONYMOUS" and not context.tls:
        raise SaslFailure("encryption-required")
    raise SaslFailure("invalid-mechanism")
