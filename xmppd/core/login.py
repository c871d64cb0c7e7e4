"""A client's way from its connection to its session: TLS, SASL, resource binding. Dropped when the session begins."""

import secrets
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred

from ..protocol.element import E, Element
from ..protocol.errors import (
    BadRequest,
    PolicyViolation,
    ResourceConstraint,
    SaslFailure,
    StanzaError,
    StreamError,
)
from ..protocol.events import (
    AuthAborted,
    AuthResponse,
    AuthStarted,
    BindRequested,
    RequestBeforeLogin,
    StartTlsRequested,
    StreamEnded,
    StreamEvent,
    StreamStarted,
)
from ..protocol.jid import Jid, JidError
from ..protocol.names import BIND, SASL, TLS
from ..protocol.sasl import channel_binding, choice
from ..protocol.sasl.exchange import Challenge, Context, decode, encode
from ..protocol.stanza import Malformed, read
from ..protocol.stream import Stream, features_element
from . import authentication
from .drive import drive
from .events import LoginFailed, SessionBound, StreamFeatures
from .host import Host
from .iq import IqRequest, Target
from .log import Log
from .session import Session

if TYPE_CHECKING:
    from .client_stream import ClientContext, ClientStream

log = Log("c2s.login")
STARTTLS_REQUIRED: Final = E(f"{{{TLS}}}starttls", E(f"{{{TLS}}}required"))
STARTTLS_OPTIONAL: Final = E(f"{{{TLS}}}starttls")
GUESSES: Final = frozenset({"not-authorized", "invalid-authzid"})
"""Failures that may have been guesses; a database that is down, say, must lock nobody out."""
REQUESTS: Final = 20
"""How many requests one stream may make until it has a session: registration's, and tries to bind a resource."""
BIND_FEATURE: Final = E(f"{{{BIND}}}bind")


class Login:
    """One client's login."""

    __slots__ = (
        "_attempt",
        "_context",
        "_driver",
        "_expected",
        "_host",
        "_login",
        "_offered",
        "_requests",
        "_stream",
        "_tries",
        "_waiting",
    )

    def __init__(self, driver: "ClientStream", context: "ClientContext", stream: Stream) -> None:
        self._driver = driver
        self._context = context
        self._stream = stream
        self._host: Host | None = None
        self._attempt: authentication.Attempt | None = None
        self._offered: list[str] = []
        self._login: authentication.Login | None = None
        self._tries = 0
        self._requests = 0
        self._waiting = False
        self._expected: Jid | None = None

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        try:
            self._stream.receive_data(data)
            self._pump()
        except Exception as error:
            self._end(error)

    def lost(self) -> None:
        """Drop what was begun, since the connection is gone."""
        self._stream.close()
        self._expect(None)

    # The loop

    def _pump(self) -> None:
        """Handle events until there is none, or one has to wait."""
        while not self._waiting:
            event = self._stream.next_event()
            if event is None:
                break
            result = drive(self._handle(event))
            if isinstance(result, Deferred):
                self._waiting = True
                self._driver.connection.pause_reading()
                result.addCallbacks(self._go_on, self._failed)
        self._flush()

    def _go_on(self, _: object) -> None:
        self._waiting = False
        if self._stream.is_closed or self._stream.is_bound:  # a session reads, or pauses, on its own account
            return
        self._driver.connection.resume_reading()
        try:
            self._pump()
        except Exception as error:
            self._end(error)

    def _failed(self, failure: Any) -> None:
        self._waiting = False
        self._driver.connection.resume_reading()
        self._end(failure.value)

    def _end(self, error: Exception) -> None:
        """End the stream with the error that was raised, or, if it is a fault of our own, without a word about it."""
        if not isinstance(error, StreamError):
            log.failure("a login failed", error)
            error = StreamError("internal-server-error")
        self._flush()
        self._driver.close(error)

    def _flush(self) -> None:
        data = self._stream.data_to_send()
        if data:
            self._driver.connection.write(data)

    async def _handle(self, event: StreamEvent) -> None:
        if isinstance(event, StreamStarted):
            await self._started(event)
        elif isinstance(event, StartTlsRequested):
            self._start_tls()
        elif isinstance(event, AuthStarted):
            await self._auth(event)
        elif isinstance(event, AuthResponse):
            await self._step(event.text)
        elif isinstance(event, AuthAborted):
            self._attempt = None
            self._expect(None)
            self._count_try()
        elif isinstance(event, RequestBeforeLogin):
            await self._request(event)
        elif isinstance(event, BindRequested):
            await self._bind(event)
        elif isinstance(event, StreamEnded):
            self._driver.close()

    # Stream and features

    async def _started(self, event: StreamStarted) -> None:
        name = address(event.to, "to")
        if name is None:
            raise StreamError("improper-addressing", "the stream header has no to attribute")
        host = self._context.hosts.get(name)
        if host is None:
            raise StreamError("host-unknown", "this host is not served here")
        if self._host is not None and self._host.name != host.name and self._login is not None:
            raise StreamError("host-unknown", "the host changed behind the login")
        self._host = host
        to = self._sender(event.from_)
        features = await self._offer(host)
        if not self._stream.is_closed:
            self._stream.open(host.name, secrets.token_hex(12), features, to)

    def _sender(self, given: str | None) -> Jid | None:
        """Return whom our header is addressed to: who the client says it is, if it does (RFC 6120, 4.7.2).

        Behind the login that must be the account that was authenticated (4.9.3.9).
        """
        sender = address(given, "from")
        if sender is None or not sender.localpart:
            return None
        if self._login is not None and sender.bare != self._login.account:
            raise StreamError("invalid-from", "the from attribute is not the account that logged in")
        return sender.bare

    async def _offer(self, host: Host) -> bytes:
        """Return the stream features as bytes; most streams are offered what one before them was."""
        driver = self._driver
        secure = driver.connection.secure
        bindings: Mapping[str, bytes] = {}
        if self._login is None and (secure or not driver.tls_required):
            bindings = driver.connection.channel_bindings()
            self._offered = self._mechanisms(host, bindings)
        login = self._login is not None
        key = (
            host.name, login, secure, driver.tls_allowed, driver.tls_required, self._may_tell_secrets,
            *self._offered, *bindings,
        )  # fmt: skip
        offers = self._context.offers
        known = offers.get(key)
        if known is None:
            known = offers.keep(key, features_element(await self._features(host, bindings)))
        return known

    async def _features(self, host: Host, bindings: Mapping[str, bytes]) -> list[Element]:
        event = StreamFeatures(host, self._login is not None, self._may_tell_secrets)
        if event.authenticated:
            event.features.append(BIND_FEATURE)
        else:
            if not self._driver.connection.secure and self._driver.tls_allowed:
                event.features.append(STARTTLS_REQUIRED if self._driver.tls_required else STARTTLS_OPTIONAL)
            if self._offered:
                names = [E(f"{{{SASL}}}mechanism", name) for name in self._offered]
                event.features.append(E(f"{{{SASL}}}mechanisms", *names))
                event.features.extend(filter(None, [channel_binding.feature(bindings)]))
        await self._context.hooks.collect(event)
        return event.features

    @property
    def _may_tell_secrets(self) -> bool:
        driver = self._driver
        return driver.connection.secure or (driver.scram_without_tls and not driver.tls_required)

    def _mechanisms(self, host: Host, bindings: Mapping[str, bytes]) -> list[str]:
        """Return what the client may authenticate by; nothing if there is nothing."""
        connection = self._driver.connection
        return choice.offered(
            tls=connection.secure,
            channel_bindings=bindings,
            client_certificate=connection.peer_certificate_verified(),
            anonymous=host.anonymous,
            scram_without_tls=self._driver.scram_without_tls,
        )

    def _start_tls(self) -> None:
        if not self._driver.tls_allowed:
            raise StreamError("unsupported-feature", "this port does not offer TLS")
        self._stream.proceed()
        self._flush()
        self._driver.connection.start_tls(self._host.name if self._host is not None else None)

    # SASL

    async def _auth(self, event: AuthStarted) -> None:
        connection = self._driver.connection
        assert self._host is not None
        context = Context(
            str(self._host.name), self._offered, connection.channel_bindings(), new_nonce, tls=connection.secure
        )
        if self._context.throttle.refused(connection.peer_address):  # which is no failure, or the wait never ended
            self._stream.refuse(SaslFailure("temporary-auth-failure", "Too many failures; try again later."))
            self._count_try()
            return
        try:
            self._attempt = authentication.Attempt(choice.start(event.mechanism, context), self._expect)
        except SaslFailure as failure:
            await self._refuse(failure)
            return
        await self._step(event.text)

    async def _step(self, text: str | None) -> None:
        assert self._attempt is not None, "the table lets a response come in an exchange only"
        assert self._host is not None
        connection = self._driver.connection
        certificate = connection.peer_certificate() if connection.peer_certificate_verified() else None
        try:
            data = None if text is None else decode(text)
            answer = await self._context.authenticator.step(self._attempt, data, self._host.name, certificate)
        except SaslFailure as failure:
            await self._refuse(failure)
            return
        if self._stream.is_closed:
            return
        if isinstance(answer, Challenge):
            self._stream.challenge(encode(answer.data))
            return
        self._attempt = None
        self._login = answer
        self._context.throttle.succeeded(answer.account)
        self._expect(answer.account)
        self._stream.succeed(encode(answer.data))

    def _expect(self, account: Jid | None) -> None:
        """Note whose session this stream is to become, if anybody's: it ends if that account is disabled or removed."""
        sessions = self._context.sessions
        if self._expected is not None:
            sessions.expect_no_more(self._expected, self._driver)
        self._expected = account
        if account is not None:
            sessions.expect(account, self._driver)

    async def _refuse(self, failure: SaslFailure) -> None:
        """Answer a failure, late if many guessed wrong; the stream stays open for another try."""
        username = None if self._attempt is None else self._attempt.username
        self._attempt = None
        self._expect(None)
        self._context.counters.login_failures += 1
        connection = self._driver.connection
        assert self._host is not None
        account = f"{username}@{self._host.name}" if username else None
        peer = connection.peer_address
        self._tell(peer, account, failure)
        if failure.condition in GUESSES:
            wait = self._context.throttle.failed(peer, account)
            await self._context.hooks.notify(LoginFailed(self._host, username, peer))
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

    # Requests

    async def _request(self, event: RequestBeforeLogin) -> None:
        """Answer an IQ that a module takes before login (XEP-0077)."""
        assert self._host is not None
        self._count_request()
        try:
            if not self._may_tell_secrets:
                raise PolicyViolation("TLS is required first")
            stanza = read(event.element, self._host.name)
            payload = event.element.first
            assert payload is not None, "a request has one payload"
            request = IqRequest(stanza, self._host.name, self._host.name, payload, stream=self._driver)
            if not self._context.iqs.answers(request, Target.BEFORE_LOGIN):
                raise StreamError("not-authorized", "log in first")
            result = await self._context.iqs.answer(request, Target.BEFORE_LOGIN)
        except Malformed as malformed:
            self._answer(event.element, error=malformed.error)
        except StanzaError as error:
            self._answer(event.element, error=error)
        else:
            self._answer(event.element, *([] if result is None else [result]))

    def _answer(self, element: Element, *payload: Element, error: StanzaError | None = None) -> None:
        if not self._stream.is_closed:
            self._stream.answer(element, *payload, error=error)

    def _count_request(self) -> None:
        """Count a request of somebody who has no session: nobody needs many, and answers may go unread."""
        self._requests += 1
        if self._requests > REQUESTS:
            raise StreamError("policy-violation", "too many requests before a session")

    async def _bind(self, event: BindRequested) -> None:
        assert self._login is not None
        self._count_request()
        context = self._context
        try:
            read(event.element, self._login.account)
            jid = self._login.account.with_resource(event.resource or secrets.token_urlsafe(9))
        except Malformed as malformed:
            self._answer(event.element, error=malformed.error)
            return
        except JidError as error:
            self._answer(event.element, error=BadRequest(str(error)))  # RFC 6120, 7.7.2.1
            return
        others = context.sessions.of(jid.bare)
        old = context.sessions.at(jid)
        if old is None and len(others) >= context.limits.sessions_per_account:
            self._answer(event.element, error=ResourceConstraint("too many sessions of this account"))
            return
        if old is not None:  # RFC 6120, 7.7.2.2: the newer one wins, as a client that comes back wants it
            old.wire.close(StreamError("conflict", "replaced by a new session of the same resource"))
        session = Session(jid, self._driver, is_anonymous=self._login.is_anonymous)
        rest = self._stream.bind(event, jid)
        self._flush()
        context.sessions.add(session)
        self._expect(None)
        self._driver.begin_session(session)
        await context.hooks.notify(SessionBound(session))
        if self._waiting:
            self._driver.connection.resume_reading()
        if rest:
            self._driver.take(rest)


def address(text: str | None, attribute: str) -> Jid | None:
    """Return the address that an attribute of the stream header holds; None if it is missing.

    :raises StreamError: it is no address (RFC 6120, 4.9.3.7).
    """
    if text is None:
        return None
    try:
        return Jid.parse(text)
    except JidError:
        raise StreamError(
            "improper-addressing", f"the {attribute} attribute of the stream header is no address"
        ) from None


def new_nonce() -> str:
    """Return the server's part of a SCRAM nonce."""
    return secrets.token_urlsafe(18)
