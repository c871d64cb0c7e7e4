"""A token that lets a client in again (XEP-0484), and how it is shown: HT, in one message.

The token is bound to the server's certificate where that is offered (``tls-server-end-point``, RFC 5929, 4).
"""

import hashlib
import hmac
from dataclasses import dataclass

MECHANISMS = ("HT-SHA-256-ENDP", "HT-SHA-256-NONE")
"""Those that the standard library can do, the stronger first: it has no ``tls-exporter``."""


class TokenError(Exception):
    """The server has not proved that it knows the token."""


@dataclass(slots=True)
class Token:
    """One client's token.

    :ivar mechanism: the one that it was given for; no other takes it.
    :ivar uses: how often it was shown.
    """

    mechanism: str
    text: bytes
    uses: int = 0

    def show(self, name: bytes, certificate: bytes) -> bytes:
        """Return the only message; `certificate` is the server's, as DER."""
        self.uses += 1
        return name + b"\0" + self._proof(b"Initiator", certificate)

    def check(self, answer: bytes, certificate: bytes) -> None:
        """Raise unless the server knows the token as well."""
        if answer != self._proof(b"Responder", certificate):
            raise TokenError(f"the server's proof is wrong: {answer!r}")

    def _proof(self, side: bytes, certificate: bytes) -> bytes:
        binding = hashlib.sha256(certificate).digest() if self.mechanism.endswith("-ENDP") else b""
        return hmac.digest(self.text, side + binding, "sha256")
