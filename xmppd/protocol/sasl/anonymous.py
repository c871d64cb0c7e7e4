"""ANONYMOUS (RFC 4505): a session without an account."""

from typing import Final

from ..errors import SaslFailure
from .exchange import Answer, Authenticated, Exchange, text_of

LONGEST_TRACE: Final = 255
"""How many characters the trace information has at most."""


class Anonymous(Exchange):
    """One message: what the client wants to be traced by, which nobody can rely on and nothing keeps."""

    def _receive(self, data: bytes) -> Answer:
        if len(text_of(data)) > LONGEST_TRACE:
            raise SaslFailure("malformed-request", "Trace information has up to 255 characters.")
        return Authenticated(None)
