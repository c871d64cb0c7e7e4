"""A client's way from its connection to its session: TLS, SASL, resource binding. Dropped when the session begins."""

import secrets
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred

from ..protocol.element import E, Element
from ..protocol.errors import (
    JidMalformed,
    ResourceConstraint,
    SaslFailure,
    ServiceUnavailable,
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
from ..protocol.sasl.exchange import Challenge, Context, Exchange, decode, encode
from ..protocol.stanza import Malformed, read
from ..protocol.stream import Stream
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
BIND_FEATURE: Final = E(f"{{{BIND}}}bind")


class Login:
    """One client's login."""

    __slots__ = ("_context", "_driver", "_exchange", "_host", "_login", "_offered", "_stream", "_tries", "_waiting")

    def __init__(self, driver: "ClientStream", context: "ClientContext", stream: Stream) -> None:
        self._driver = driver
        self._context = context
        self._stream = stream
        self._host: Host | None = None
        self._exchange: Exchange | None = None
        self._offered: list[str] = []
        self._login: authentication.Login | None = None
        self._tries = 0
        self._waiting = False

    def receive(self, data: bytes) -> None:
        """Take bytes from the client."""
        try:
            self._stream.receive_data(data)
            self._pump()
        except StreamError as error:
            self._flush()
            self._driver.close(error)

    def lost(self) -> None:
        """The connection is gone."""
        self._stream.close()

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
        if self._stream.is_closed:
            return
        self._driver.connection.resume_reading()
        try:
            self._pump()
        except StreamError as error:
            self._flush()
            self._driver.close(error)

    def _failed(self, failure: Any) -> None:
        self._waiting = False
        if failure.check(StreamError) is None:
            log.failure("a login failed", failure.value)
        self._flush()
        self._driver.connection.resume_reading()
        error = failure.value
        self._driver.close(error if isinstance(error, StreamError) else StreamError("internal-server-error"))

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
            await self._step(self._exchange, event.text)
        elif isinstance(event, AuthAborted):
            self._exchange = None
        elif isinstance(event, RequestBeforeLogin):
            await self._request(event)
        elif isinstance(event, BindRequested):
            await self._bind(event)
        elif isinstance(event, StreamEnded):
            self._driver.close()

    # Stream and features

    async def _started(self, event: StreamStarted) -> None:
        if event.to is None:
            raise StreamError("improper-addressing", "the stream header has no to attribute")
        try:
            name = Jid.parse(event.to)
        except JidError:
            raise StreamError("host-unknown", "the to attribute is no domain") from None
        host = self._context.hosts.get(name)
        if host is None:
            raise StreamError("host-unknown", "this host is not served here")
        if self._host is not None and self._host.name != host.name and self._login is not None:
            raise StreamError("host-unknown", "the host changed behind the login")
        self._host = host
        features = await self._features(host)
        to = None if self._login is None else str(self._login.account)
        self._stream.open(host.name, secrets.token_hex(12), features, to)

    async def _features(self, host: Host) -> list[Element]:
        connection = self._driver.connection
        authenticated = self._login is not None
        may_log_in = connection.secure or not self._driver.tls_required
        event = StreamFeatures(host, authenticated, may_log_in)
        if authenticated:
            event.features.append(BIND_FEATURE)
        else:
            if not connection.secure and self._driver.tls_allowed:
                event.features.append(STARTTLS_REQUIRED if self._driver.tls_required else STARTTLS_OPTIONAL)
            if may_log_in:
                event.features.extend(self._mechanisms(host))
        await self._context.hooks.collect(event)
        return event.features

    def _mechanisms(self, host: Host) -> list[Element]:
        connection = self._driver.connection
        bindings = connection.channel_bindings()
        self._offered = choice.offered(
            tls=connection.secure,
            channel_bindings=bindings,
            client_certificate=connection.peer_certificate_verified(),
            anonymous=host.anonymous,
            scram_without_tls=self._driver.scram_without_tls or not self._driver.tls_required,
        )
        names = [E(f"{{{SASL}}}mechanism", name) for name in self._offered]
        features = [E(f"{{{SASL}}}mechanisms", *names)]
        if bindings:
            features.extend(filter(None, [channel_binding.feature(bindings)]))
        return features

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
        try:
            if self._context.throttle.refused(connection.peer_address):
                raise SaslFailure("temporary-auth-failure", "Too many failures; try again later.")
            self._exchange = choice.start(event.mechanism, context)
        except SaslFailure as failure:
            await self._refuse(failure)
            return
        await self._step(self._exchange, event.text)

    async def _step(self, exchange: Exchange | None, text: str | None) -> None:
        assert exchange is not None, "the table lets a response come in an exchange only"
        assert self._host is not None
        connection = self._driver.connection
        certificate = connection.peer_certificate() if connection.peer_certificate_verified() else None
        try:
            data = None if text is None else decode(text)
            answer = await self._context.authenticator.step(exchange, data, self._host.name, certificate)
        except SaslFailure as failure:
            await self._refuse(failure)
            return
        if self._stream.is_closed:
            return
        if isinstance(answer, Challenge):
            self._stream.challenge(encode(answer.data))
            return
        self._exchange = None
        self._login = answer
        self._context.throttle.succeeded(answer.account)
        self._stream.succeed(encode(answer.data))

    async def _refuse(self, failure: SaslFailure) -> None:
        """Answer a failure, late if there were many; the stream stays open for another try."""
        username = getattr(self._exchange, "username", None)
        self._exchange = None
        self._tries += 1
        self._context.counters.login_failures += 1
        connection = self._driver.connection
        assert self._host is not None
        account = f"{username}@{self._host.name}" if username else None
        wait = self._context.throttle.failed(connection.peer_address, account)
        peer = connection.peer_address
        log.info("login failed: {peer} as {account}: {why}", peer=peer, account=account, why=failure.condition)
        await self._context.hooks.notify(LoginFailed(self._host, username, peer))
        if wait:
            await self._pause(wait)
        if self._stream.is_closed:
            return
        self._stream.refuse(failure)
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
        try:
            stanza = read(event.element, self._host.name)
            payload = event.element.first
            assert payload is not None, "a request has one payload"
            request = IqRequest(stanza, self._host.name, self._host.name, payload, stream=self._driver)
            result = await self._context.iqs.answer(request, Target.BEFORE_LOGIN)
        except Malformed as malformed:
            self._answer(event.element, error=malformed.error)
        except ServiceUnavailable:
            raise StreamError("not-authorized", "log in first") from None
        except StanzaError as error:
            self._answer(event.element, error=error)
        else:
            self._answer(event.element, *([] if result is None else [result]))

    def _answer(self, element: Element, *payload: Element, error: StanzaError | None = None) -> None:
        if not self._stream.is_closed:
            self._stream.answer(element, *payload, error=error)

    async def _bind(self, event: BindRequested) -> None:
        assert self._login is not None
        context = self._context
        try:
            resource = event.resource or secrets.token_urlsafe(9)
            jid = self._login.account.with_resource(resource)
        except JidError as error:
            self._answer(event.element, error=JidMalformed(str(error)))
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
        self._driver.begin_session(session)
        await context.hooks.notify(SessionBound(session))
        if rest:
            self._driver.take(rest)


def new_nonce() -> str:
    """Return the server's part of a SCRAM nonce."""
    return secrets.token_urlsafe(18)
