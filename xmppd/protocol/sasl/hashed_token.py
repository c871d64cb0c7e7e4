"""HT (draft-schmaus-kitten-sasl-ht-09): a token that the server has given the client proves who it is, in one message.

    C: romeo NUL HMAC(token, "Initiator" || channel binding data)        -> CheckToken, then `checked`
    S: HMAC(token, "Responder" || channel binding data)                  with the success

The token is the UTF-8 of its text. A mechanism is called after its hash function and its channel binding; only the
requests of XEP-0484 lead here, so none of these is offered as a mechanism of its own. Whoever watches the exchange
could repeat it: TLS is what prevents that, so there is none without.
"""

import hmac
from collections.abc import Collection
from typing import Final

from ..errors import Misuse, SaslFailure
from .channel_binding import TLS_EXPORTER, TLS_SERVER_END_POINT
from .exchange import LONGEST_MESSAGE, Answer, Authenticated, CheckToken, Context, Exchange, text_of

DIGEST: Final = "sha256"
PROOF_BYTES: Final = 32
BINDINGS: Final = {
    "HT-SHA-256-EXPR": TLS_EXPORTER,
    "HT-SHA-256-ENDP": TLS_SERVER_END_POINT,
    "HT-SHA-256-NONE": "",
}
"""The mechanisms with the channel binding that each of them needs, the strongest first."""


def offered(*, tls: bool, channel_bindings: Collection[str]) -> list[str]:
    """Return the names of the mechanisms to offer, the strongest first.

    :param tls: whether the stream is encrypted.
    :param channel_bindings: the types that this connection has.
    """
    return [name for name, kind in BINDINGS.items() if tls and (not kind or kind in channel_bindings)]


def initiator_proof(token: bytes, binding: bytes) -> bytes:
    """Return what a client that has the token sends."""
    return hmac.digest(token, b"Initiator" + binding, DIGEST)


def responder_proof(token: bytes, binding: bytes) -> bytes:
    """Return what a server that has the token answers."""
    return hmac.digest(token, b"Responder" + binding, DIGEST)


class HashedToken(Exchange):
    """One message; `mechanism` is one of those that `offered` names."""

    def __init__(self, context: Context, mechanism: str) -> None:
        self._context = context
        self._mechanism = mechanism
        self._username: str | None = None

    def _receive(self, data: bytes) -> Answer:
        if self._username is not None:
            raise Misuse("the token is still being checked")
        if len(data) > LONGEST_MESSAGE:
            raise SaslFailure("malformed-request", "The message is too long.")
        name, separator, proof = data.partition(b"\0")
        if not name or not separator or len(proof) != PROOF_BYTES:
            raise SaslFailure("malformed-request", "HT is a name, a NUL and a hash.")
        self._username = self._context.account(text_of(name), "")
        kind = BINDINGS[self._mechanism]
        binding = self._context.channel_bindings[kind] if kind else b""
        return CheckToken(self._username, self._mechanism, proof, binding)

    def checked(self, answer: bytes | None) -> Answer:
        """Take the `responder_proof` of the token that the client has shown; None if it has shown none."""
        if self._username is None:
            raise Misuse("no token was shown yet")
        if answer is None:
            raise SaslFailure("not-authorized")
        return Authenticated(self._username, answer)
