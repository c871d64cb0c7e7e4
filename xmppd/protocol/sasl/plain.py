"""PLAIN (RFC 4616): the password itself. `choice` offers it over TLS only."""

from ..errors import Misuse, SaslFailure
from ..precis import PrecisError, opaque
from .exchange import Answer, Authenticated, CheckPassword, Context, Exchange, text_of


class Plain(Exchange):
    """An optional authorisation identity, a name and a password, with a NUL between each two."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._username: str | None = None

    def _receive(self, data: bytes) -> Answer:
        if self._username is not None:
            raise Misuse("the password is still being checked")
        parts = text_of(data).split("\0")
        if len(parts) != 3 or not parts[1] or not parts[2]:
            raise SaslFailure("malformed-request", "PLAIN has two NULs, a name and a password.")
        authzid, name, password = parts
        self._username = self._context.account(name, authzid)
        return CheckPassword(self._username, _prepare(password))

    def verified(self, ok: bool, username: str | None = None) -> Answer:
        """Take the outcome of the comparison; the name is that of the message."""
        if self._username is None:
            raise Misuse("no password was given yet")
        if not ok:
            raise SaslFailure("not-authorized")
        return Authenticated(self._username)


def _prepare(password: str) -> str:
    """Return a password as the keys were derived from it; what has no such form cannot be right."""
    try:
        return opaque(password)
    except PrecisError:
        raise SaslFailure("not-authorized") from None
