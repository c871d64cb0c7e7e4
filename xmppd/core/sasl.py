"""One stream's way through SASL (RFC 6120, 6): try after try, until one leads to an account or too many have failed.

The exchanges are those of SASL2, too (XEP-0388); what comes before and behind them there is in `sasl2`.
"""

import secrets
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred

from ..protocol.errors import SaslFailure, StreamError
from ..protocol.jid import Jid
from ..protocol.sasl import choice
from ..protocol.sasl.exchange import Challenge, Context, decode, encode
from ..protocol.sasl.external import External
from ..protocol.stream import Stream
from .accounts import Credentials
from .authentication import Attempt, Login
from .client_context import ClientContext
from .events import LoginFailed
from .host import Host
from .log import Log
from .token_check import TokenCheck

if TYPE_CHECKING:
    from .client_stream import ClientStream

log = Log("c2s.login")
GUESSES: Final = frozenset({"not-authorized", "invalid-authzid"})
"""Failures that may have been guesses; a database that is down, say, must lock nobody out."""


class Sasl:
    """The SASL negotiation of one stream.

    :ivar offered: the mechanisms that the stream features named, the same ones in both profiles.
    :ivar login: who the client is, once it has authenticated.
    :ivar credentials: the keys of its account's password, if the login has looked at them.
    :ivar client: which of the account's clients it is (see `client_identity`); empty if it has not told.
    """

    __slots__ = (
        "_attempt", "_context", "_driver", "_expected", "_stream", "_tries", "client", "credentials", "login",
        "offered",
    )  # fmt: skip

    def __init__(self, driver: "ClientStream", context: ClientContext, stream: Stream) -> None:
        self._driver = driver
        self._context = context
        self._stream = stream
        self._attempt: Attempt | None = None
        self._expected: Jid | None = None
        self._tries = 0
        self.offered: tuple[str, ...] = ()
        self.login: Login | None = None
        self.credentials: Credentials | None = None
        self.client = ""

    async def begin(
        self, mechanism: str, text: str | None, host: Host, tokens: TokenCheck | None = None
    ) -> Login | None:
        """Begin an exchange, for an account of `host`; return what `respond` does.

        :param text: the initial response, if there is one.
        :param tokens: what a token may be used for; SASL2 has such a thing, and RFC 6120's profile has none.
        :raises StreamError: it was one try too many.
        """
        connection = self._driver.connection
        if self._context.throttle.refused(connection.peer_address):  # which is no failure, or the wait never ended
            self._stream.refuse(SaslFailure("temporary-auth-failure", "Too many failures; try again later."))
            self._count_try()
            return None
        context = Context(
            str(host.name), self.offered, connection.channel_bindings(), new_nonce, connection.secure,
            () if tokens is None else tokens.offered, tells_offer=True,
        )  # fmt: skip
        try:
            self._attempt = Attempt(choice.start(mechanism, context), self.expect, tokens)
        except SaslFailure as failure:
            await self.refuse(failure, host)
            return None
        return await self.respond(text, host)

    async def respond(self, text: str | None, host: Host) -> Login | None:
        """Take what the client sent in an exchange; answer with a challenge or a failure, or return who it is.

        :raises StreamError: it was one try too many.
        """
        assert self._attempt is not None, "the table lets a response come in an exchange only"
        attempt = self._attempt
        certificate = self._certificate() if isinstance(attempt.exchange, External) else None
        try:
            data = None if text is None else decode(text, sign_of_none=attempt.tokens is None)
            answer = await self._context.authenticator.step(attempt, data, host.name, certificate)
        except SaslFailure as failure:
            await self.refuse(failure, host)
            return None
        if self._stream.is_closed:
            return None
        if isinstance(answer, Challenge):
            self._stream.challenge(encode(answer.data))
            return None
        self._attempt = None
        self.login, self.credentials = answer, attempt.credentials
        self.expect(answer.account)
        return answer

    def _certificate(self) -> bytes | None:
        """Return the client's certificate if somebody we trust has signed it."""
        connection = self._driver.connection
        return connection.peer_certificate() if connection.peer_certificate_verified() else None

    def succeed(self, login: Login) -> None:
        """Answer that the exchange has succeeded, as RFC 6120 does."""
        self.accept(login)
        self._stream.succeed(encode(login.data))

    def accept(self, login: Login) -> None:
        """Take note that nothing is left to be done for a login."""
        self._context.throttle.succeeded(login.account)

    def abort(self) -> None:
        """Drop the exchange, as the client asks.

        :raises StreamError: it was one try too many.
        """
        self._forget()
        self._count_try()

    def _forget(self) -> None:
        """Begin anew, as nobody."""
        self._attempt = self.login = None
        self.client = ""
        self.expect(None)

    def expect(self, account: Jid | None) -> None:
        """Note whose session this stream is to become, if anybody's: it ends if that account is disabled or removed."""
        if account == self._expected:
            return
        sessions = self._context.sessions
        if self._expected is not None:
            sessions.expect_no_more(self._expected, self._driver)
        self._expected = account
        if account is not None:
            sessions.expect(account, self._driver)

    async def refuse(self, failure: SaslFailure, host: Host) -> None:
        """Answer a failure, late if many guessed wrong; the stream stays open for another try.

        :raises StreamError: it was one try too many.
        """
        username = None if self._attempt is None else self._attempt.username
        if self.login is not None:
            username = self.login.account.localpart
        self._forget()
        self._context.counters.login_failures += 1
        account = f"{username}@{host.name}" if username else None
        peer = self._driver.connection.peer_address
        self._tell(peer, account, failure)
        if failure.condition in GUESSES:
            wait = self._context.throttle.failed(peer, account)
            await self._context.hooks.notify(LoginFailed(host, username, peer))
            if wait:
                await self._pause(wait)
        if self._stream.is_closed:
            return
        self._stream.refuse(failure)
        self._count_try()

    def _tell(self, peer: str, account: str | None, failure: SaslFailure) -> None:
        left_out = self._context.failures_told.admit()
        if left_out is None:
            return
        if left_out:
            log.info("{count} logins more failed", count=left_out)
        log.info("login failed: {peer} as {account}: {why}", peer=peer, account=account, why=failure.condition)

    def _count_try(self) -> None:
        """Count a try that led nowhere; the last one ends the stream (RFC 6120, 6.4.5)."""
        self._tries += 1
        if self._tries >= self._context.limits.login_tries:
            raise StreamError("policy-violation", "too many failed logins")

    def _pause(self, seconds: float) -> Awaitable[None]:
        waiting: Deferred[None] = Deferred()
        self._context.clock.callLater(seconds, waiting.callback, None)
        return waiting


def new_nonce() -> str:
    """Return the server's part of a SCRAM nonce."""
    return secrets.token_urlsafe(18)
