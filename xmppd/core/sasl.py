"""One stream's way through SASL (RFC 6120, 6): try after try, until one leads to an account or too many have failed."""

import secrets
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Final

from twisted.internet.defer import Deferred

from ..protocol.errors import SaslFailure, StreamError
from ..protocol.events import AuthStarted
from ..protocol.jid import Jid
from ..protocol.sasl import choice
from ..protocol.sasl.exchange import Challenge, Context, decode, encode
from ..protocol.sasl.external import External
from ..protocol.stream import Stream
from .authentication import Attempt, Login
from .client_context import ClientContext
from .events import LoginFailed
from .host import Host
from .log import Log

if TYPE_CHECKING:
    from .client_stream import ClientStream

log = Log("c2s.login")
GUESSES: Final = frozenset({"not-authorized", "invalid-authzid"})
"""Failures that may have been guesses; a database that is down, say, must lock nobody out."""


class Sasl:
    """The SASL negotiation of one stream.

    :ivar offered: the mechanisms that the stream features named.
    :ivar login: who the client is, once it has authenticated.
    """

    __slots__ = ("_attempt", "_context", "_driver", "_expected", "_stream", "_tries", "login", "offered")

    def __init__(self, driver: "ClientStream", context: ClientContext, stream: Stream) -> None:
        self._driver = driver
        self._context = context
        self._stream = stream
        self._attempt: Attempt | None = None
        self._expected: Jid | None = None
        self._tries = 0
        self.offered: tuple[str, ...] = ()
        self.login: Login | None = None

    async def begin(self, event: AuthStarted, host: Host) -> None:
        """Begin an exchange, for an account of `host`.

        :raises StreamError: it was one try too many.
        """
        connection = self._driver.connection
        if self._context.throttle.refused(connection.peer_address):  # which is no failure, or the wait never ended
            self._stream.refuse(SaslFailure("temporary-auth-failure", "Too many failures; try again later."))
            self._count_try()
            return
        context = Context(str(host.name), self.offered, connection.channel_bindings(), new_nonce, tls=connection.secure)
        try:
            self._attempt = Attempt(choice.start(event.mechanism, context), self.expect)
        except SaslFailure as failure:
            await self._refuse(failure, host)
            return
        await self.respond(event.text, host)

    async def respond(self, text: str | None, host: Host) -> None:
        """Take what the client sent in an exchange; answer with a challenge, a failure, or success.

        :raises StreamError: it was one try too many.
        """
        assert self._attempt is not None, "the table lets a response come in an exchange only"
        attempt = self._attempt
        certificate = self._certificate() if isinstance(attempt.exchange, External) else None
        try:
            data = None if text is None else decode(text)
            answer = await self._context.authenticator.step(attempt, data, host.name, certificate)
        except SaslFailure as failure:
            await self._refuse(failure, host)
            return
        if self._stream.is_closed:
            return
        if isinstance(answer, Challenge):
            self._stream.challenge(encode(answer.data))
        else:
            self._succeed(answer)

    def _certificate(self) -> bytes | None:
        """Return the client's certificate if somebody we trust has signed it."""
        connection = self._driver.connection
        return connection.peer_certificate() if connection.peer_certificate_verified() else None

    def _succeed(self, login: Login) -> None:
        self._attempt = None
        self.login = login
        self._context.throttle.succeeded(login.account)
        self.expect(login.account)
        self._stream.succeed(encode(login.data))

    def abort(self) -> None:
        """Drop the exchange, as the client asks.

        :raises StreamError: it was one try too many.
        """
        self._attempt = None
        self.expect(None)
        self._count_try()

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

    async def _refuse(self, failure: SaslFailure, host: Host) -> None:
        """Answer a failure, late if many guessed wrong; the stream stays open for another try."""
        username = None if self._attempt is None else self._attempt.username
        self._attempt = None
        self.expect(None)
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
