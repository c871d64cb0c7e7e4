"""A client's way from its connection to its session: TLS, SASL, resource binding. Dropped when the session begins.

Here is the order of the steps, and who is told of each; what they consist of is in `features`, `sasl`,
`early_requests` and `binding`.
"""

import secrets
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from ..protocol.element import Element
from ..protocol.errors import StanzaError, StreamError, UnexpectedRequest
from ..protocol.events import (
    AuthAborted,
    AuthResponse,
    AuthStarted,
    BindRequested,
    NonzaReceived,
    RequestBeforeLogin,
    StartTlsRequested,
    StreamEnded,
    StreamEvent,
    StreamStarted,
)
from ..protocol.jid import Jid, JidError
from ..protocol.stream import Stream, unknown_element
from ..protocol.stream_management import ENABLE, RESUME, failed
from . import authentication
from .binding import claim
from .client_context import ClientContext
from .drive import drive
from .early_requests import EarlyRequests
from .events import SessionBound
from .features import offer
from .host import Host
from .log import Log
from .sasl import Sasl
from .session import Session

if TYPE_CHECKING:
    from .client_stream import ClientStream

log = Log("c2s.login")


class Login:
    """One client's login."""

    __slots__ = ("_context", "_driver", "_host", "_requests", "_sasl", "_stream", "_waiting")

    def __init__(self, driver: "ClientStream", context: ClientContext, stream: Stream) -> None:
        self._driver = driver
        self._context = context
        self._stream = stream
        self._sasl = Sasl(driver, context, stream)
        self._requests = EarlyRequests(driver, context, stream)
        self._host: Host | None = None
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
            return self._sasl.begin(event, self._chosen)
        if isinstance(event, AuthResponse):
            return self._sasl.respond(event.text, self._chosen)
        if isinstance(event, BindRequested):
            return self._bind(event)
        if isinstance(event, RequestBeforeLogin):
            return self._requests.answer(event.element, self._chosen)
        if isinstance(event, NonzaReceived):
            return self._take_nonza(event.element)
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
        to = addressee(event.from_, login)
        features, self._sasl.offered = await offer(self._driver, self._context, host, authenticated=login is not None)
        if not self._stream.is_closed:
            self._stream.open(host.name, secrets.token_hex(12), features, to)

    def _start_tls(self) -> None:
        if not self._driver.tls_allowed:
            raise StreamError("unsupported-feature", "this port does not offer TLS")
        self._stream.proceed()
        self._flush()
        self._driver.connection.start_tls(self._host.name if self._host is not None else None)

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
        if self._waiting:
            self._driver.connection.resume_reading()
        if rest:
            self._driver.take(rest)

    async def _hand_over(self, session: Session, rest: bytes) -> None:
        """Begin the session; what was read behind the request to bind waits until everybody knows of it."""
        self._context.sessions.add(session)
        self._sasl.expect(None)
        self._driver.begin_session(session)
        await self._context.hooks.notify(SessionBound(session))
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


def addressee(given: str | None, login: authentication.Login | None) -> Jid | None:
    """Return whom our header is addressed to: who the client says it is, if it does (RFC 6120, 4.7.2).

    Behind the login that must be the account that was authenticated.

    :raises StreamError: it is no address, or not that account (4.9.3.9).
    """
    sender = address(given, "from")
    if sender is None or not sender.localpart:
        return None
    if login is not None and sender.bare != login.account:
        raise StreamError("invalid-from", "the from attribute is not the account that logged in")
    return sender.bare
