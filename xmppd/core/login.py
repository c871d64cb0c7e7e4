"""A client's way from its connection to its session: TLS, SASL, resource binding. Dropped when the session begins.

Here is the order of the steps, and who is told of each; what they consist of is in `features`, `sasl`, `sasl2`,
`early_requests` and `binding`.
"""

import secrets
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from ..protocol.element import Element
from ..protocol.errors import SaslFailure, StanzaError, StreamError, UnexpectedRequest
from ..protocol.events import (
    AuthAborted,
    AuthenticateStarted,
    AuthResponse,
    AuthStarted,
    BindRequested,
    NonzaReceived,
    RequestBeforeLogin,
    StartTlsRequested,
    StreamEnded,
    StreamEvent,
    StreamStarted,
    TaskDataReceived,
    TaskStarted,
)
from ..protocol.jid import Jid, JidError
from ..protocol.stream import Stream, unknown_element
from ..protocol.stream_management import ENABLE, RESUME, failed
from . import authentication
from .binding import claim
from .client_context import ClientContext
from .client_identity import CLIENT
from .drive import drive
from .early_requests import EarlyRequests
from .events import InlineFeatures, SessionBound
from .features import may_tell_secrets, offer
from .host import Host
from .log import Log
from .sasl import Sasl
from .sasl2 import Sasl2, Steps
from .session import Session

if TYPE_CHECKING:
    from .client_stream import ClientStream

log = Log("c2s.login")


class Login:
    """One client's login."""

    __slots__ = (
        "_context", "_driver", "_host", "_inline", "_named", "_requests", "_sasl", "_sasl2", "_stream", "_waiting",
    )  # fmt: skip

    def __init__(self, driver: "ClientStream", context: ClientContext, stream: Stream) -> None:
        self._driver = driver
        self._context = context
        self._stream = stream
        self._sasl = Sasl(driver, context, stream)
        self._requests = EarlyRequests(driver, context, stream)
        self._sasl2: Sasl2 | None = None  # most streams never need one at a time
        self._host: Host | None = None
        self._inline: InlineFeatures | None = None
        self._named: Jid | None = None
        self._waiting = False

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
        self._sasl.expect(None)

    # The loop

    def _pump(self) -> None:
        """Handle events until there is none, or one has to wait."""
        while not self._waiting:
            event = self._stream.next_event()
            if event is None:
                break
            left = self._handle(event)
            result = None if left is None else drive(left)
            if result.__class__ is Deferred:
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

    def _handle(self, event: StreamEvent) -> Coroutine[Any, Any, None] | None:
        """Handle an event, or return what does and may wait."""
        if isinstance(event, StreamStarted):
            return self._started(event)
        if isinstance(event, AuthStarted):
            return self._authenticate(self._sasl.begin(event.mechanism, event.text, self._chosen))
        if isinstance(event, AuthenticateStarted):
            return self._authenticate_2(event)
        if isinstance(event, AuthResponse):
            if self._sasl2 is not None:
                return self._sasl2.respond(event.text)
            return self._authenticate(self._sasl.respond(event.text, self._chosen))
        if isinstance(event, BindRequested):
            return self._bind(event)
        if isinstance(event, RequestBeforeLogin):
            return self._requests.answer(event.element, self._chosen)
        if isinstance(event, NonzaReceived):
            return self._take_nonza(event.element)
        if isinstance(event, TaskStarted | TaskDataReceived):
            return self._task(event)
        if isinstance(event, StartTlsRequested):
            self._start_tls()
        elif isinstance(event, AuthAborted):
            self._sasl.abort()
        elif isinstance(event, StreamEnded):
            self._driver.close()
        return None

    @property
    def _chosen(self) -> Host:
        """The host that the client logs in to."""
        assert self._host is not None, "the table lets nothing come before the stream header"
        return self._host

    # Header, TLS, session

    async def _started(self, event: StreamStarted) -> None:
        name = address(event.to, "to")
        if name is None:
            raise StreamError("improper-addressing", "the stream header has no to attribute")
        host = self._context.hosts.get(name)
        if host is None:
            raise StreamError("host-unknown", "this host is not served here")
        login = self._sasl.login
        if login is not None and host is not self._host and host.name != self._chosen.name:
            raise StreamError("host-unknown", "the host changed behind the login")
        self._host = host
        self._named = addressee(event.from_, host, login)
        offered = await offer(self._driver, self._context, host, authenticated=login is not None)
        self._sasl.offered, self._inline = offered.mechanisms, offered.inline
        if not self._stream.is_closed:
            self._stream.open(host.name, secrets.token_hex(12), offered.features, self._named)

    def _start_tls(self) -> None:
        if not self._driver.tls_allowed:
            raise StreamError("unsupported-feature", "this port does not offer TLS")
        self._stream.proceed()
        self._flush()
        self._driver.connection.start_tls(self._host.name if self._host is not None else None)

    async def _authenticate(self, step: Coroutine[Any, Any, authentication.Login | None]) -> None:
        """Take a step of an exchange in RFC 6120's profile."""
        self._sasl2 = None
        login = await step
        if login is not None:
            self._sasl.succeed(login)

    async def _authenticate_2(self, event: AuthenticateStarted) -> None:
        """Begin an exchange by SASL2 (XEP-0388), which may lead to a session."""
        host = self._chosen
        if self._inline is None:
            condition = "invalid-mechanism" if may_tell_secrets(self._driver) else "encryption-required"
            await self._sasl.refuse(SaslFailure(condition), host)
            return
        steps = Steps(self._driver, self._flush, self._hand_over, self._take_over)
        self._sasl2 = Sasl2(steps, self._context, self._stream, self._sasl, self._inline, host, self._named)
        await self._sasl2.begin(event.request)

    def _task(self, event: TaskStarted | TaskDataReceived) -> Coroutine[Any, Any, None]:
        assert self._sasl2 is not None, "the table lets tasks come behind its exchange only"
        if isinstance(event, TaskStarted):
            return self._sasl2.begin_task(event.task)
        return self._sasl2.take_task_data(event.element)

    async def _bind(self, event: BindRequested) -> None:
        login = self._sasl.login
        assert login is not None, "the table lets a resource be bound behind a login only"
        self._requests.count()
        try:
            jid = claim(self._context, login.account, event)
        except StanzaError as error:
            self._requests.refuse(event.element, error)
            return
        session = Session(jid, self._driver, is_anonymous=login.is_anonymous)
        if self._sasl.client:
            session[CLIENT] = self._sasl.client
        rest = self._stream.bind(event, jid)
        self._flush()
        await self._hand_over(session, rest)

    async def _take_nonza(self, element: Element) -> None:
        """Let an earlier session go on (XEP-0198), in place of binding a resource."""
        if self._context.management.options is None or element.name not in (ENABLE, RESUME):
            raise unknown_element(element, self._stream.state)
        self._requests.count()
        if element.name == ENABLE:
            self._stream.say(failed(UnexpectedRequest("bind a resource first")))
        else:
            await self._resume(element)

    async def _resume(self, element: Element) -> None:
        login = self._sasl.login
        assert login is not None, "the table lets a session be resumed behind a login only"
        found = await self._context.management.resume_as_asked(login.account, element)
        if self._stream.is_closed:
            return
        if isinstance(found, Element):
            self._stream.say(found)
            return
        rest = self._stream.resume(found.element)
        self._flush()
        self._sasl.expect(None)
        found.begin(self._driver)
        self._take_over(rest)

    async def _hand_over(self, session: Session, rest: bytes) -> None:
        """Begin the session; what was read behind the request to bind waits until everybody knows of it."""
        self._context.sessions.add(session)
        self._sasl.expect(None)
        self._driver.begin_session(session)
        await self._context.hooks.notify(SessionBound(session))
        self._take_over(rest)

    def _take_over(self, rest: bytes) -> None:
        """Let a session read what came behind the request for it."""
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


def addressee(given: str | None, host: Host, login: authentication.Login | None) -> Jid | None:
    """Return whom our header is addressed to: who the client says it is, if it does (RFC 6120, 4.7.2).

    Behind the login that must be the account that was authenticated.

    :raises StreamError: it is no address, not that account, or none of this host (4.9.3.9; XEP-0388, SASL mechanism
        negotiation).
    """
    sender = address(given, "from")
    if sender is None:
        return None
    if sender.domainpart != host.name:
        raise StreamError("invalid-from", "the from attribute is of another host than the to attribute")
    if not sender.localpart:
        return None
    if login is not None and sender.bare != login.account:
        raise StreamError("invalid-from", "the from attribute is not the account that logged in")
    return sender.bare
