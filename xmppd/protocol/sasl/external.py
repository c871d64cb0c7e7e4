"""EXTERNAL (RFC 4422, appendix A): the TLS certificate says who it is (XEP-0178)."""

from ..errors import Misuse, SaslFailure
from .exchange import Answer, Authenticated, CheckCertificate, Context, Exchange, text_of


class External(Exchange):
    """One message: the authorisation identity, which may be empty."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._authzid: str | None = None

    def _receive(self, data: bytes) -> Answer:
        if self._authzid is not None:
            raise Misuse("the certificate is still being checked")
        authzid = text_of(data)
        if "\0" in authzid:
            raise SaslFailure("malformed-request", "An authorization identity has no NUL.")
        self._authzid = authzid
        return CheckCertificate(authzid)

    def verified(self, ok: bool, username: str | None = None) -> Answer:
        """Take the account that the certificate stands for; between servers its domain."""
        if self._authzid is None:
            raise Misuse("no certificate was asked for yet")
        if not ok or not username:
            raise SaslFailure("not-authorized", "The certificate stands for no account.")
        return Authenticated(self._context.account(username, self._authzid))
