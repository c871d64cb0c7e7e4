"""Drives one client's stream: what comes from the connection goes through the protocol's `Stream` into the core, and
back.

Order is kept as RFC 6120, 10.1 wants it: one stanza of a stream at a time. If a handler waits (a database, say),
reading pauses and what was already read queues. No more than `stanzas_per_turn` stanzas of one stream are handled
before others have their turn, nor does one stream's turn last much longer than `LONGEST_TURN`; what comes in large
pieces is parsed slice by slice, so that neither time nor memory goes into what cannot be handled yet. A client that
does not read its own stream is closed when more than `send_buffer` waits for it.
"""

import secrets
from collections import deque
from collections.abc import Awaitable, Collection, Coroutine
from typing import Any, Final

from twisted.internet.defer import Deferred

from ..protocol.element import Element
from ..protocol.errors import InternalServerError, StanzaError, StreamError
from ..protocol.events import StreamEnded
from ..protocol.jid import Jid, JidError
from ..protocol.names import KINDS
from ..protocol.stanza import Malformed, Stanza, read
from ..protocol.stream import ERROR, Stream, unknown_element
from .client_context import ClientContext as ClientContext
from .connection import Connection
from .drive import drive, drive_alone
from .events import SessionSilent
from .log import Log
from .login import Login
from .router import is_answered
from .session import Session
from .stream_management.managed import Managed

LONGEST_TURN: Final = 0.01  # seconds from which on a stream waits for its next turn
SLICE: Final = 16_384  # bytes that are parsed at once
SLICES_PER_TURN: Final = 2
ENOUGH: Final = 65_536  # bytes to write, from which on who can wait does

log = Log("c2s")


class ClientStream:
    """One connection of a client (RFC 6120), as the transport's receiver and the session's wire.

    :ivar session: the bound session, or None.
    :ivar managed: the session's counters, once its stanzas are counted (XEP-0198).
    :ivar last_heard: when something came in last, by the upkeep's clock.
    :ivar pinged_at: when the client was asked for a sign of life, or None.
    """

    __slots__ = (
        "_backlog", "_busy", "_closing", "_congested", "_context", "_finished", "_login", "_roomless", "_stream",
        "_unread", "connected_at", "connection", "last_heard", "managed", "pinged_at", "scram_without_tls",
        "session", "tls_allowed", "tls_required",
    )  # fmt: skip

    def __init__(
        self, context: ClientContext, *, tls_allowed: bool, tls_required: bool, scram_without_tls: bool = False
    ) -> None:
        self._context = context
        self.tls_allowed = tls_allowed
        self.tls_required = tls_required
        self.scram_without_tls = scram_without_tls
        self.session: Session | None = None
        self.managed: Managed | None = None
        self.connected_at = 0.0
        self.last_heard = 0.0
        self.pinged_at: float | None = None
        self._login: Login | None = None
        self._backlog: deque[Element | StreamEnded | StreamError] | None = None  # while reading pauses
        self._unread = b""  # what is behind the backlog
        self._busy = False
        self._closing = False
        self._congested = False
        self._roomless: list[Deferred[None]] = []
        self._finished: list[Deferred[None]] = []

    # The transport calls

    def connection_made(self, connection: Connection) -> None:
        """Begin."""
        context = self._context
        self.connection = connection
        self.connected_at = self.last_heard = context.clock.seconds()
        context.counters.connections += 1
        self._begin(secure=connection.secure)
        context.upkeep.negotiating(self)

    def tls_established(self) -> None:
        """Begin as secure on a port for direct TLS; behind STARTTLS the stream knows already."""
        if not self.tls_allowed:
            self._begin(secure=True)

    def _begin(self, *, secure: bool) -> None:
        context = self._context
        self._stream = Stream(context.early, context.parsers, secure=secure, plain_allowed=not self.tls_required)
        self._login = Login(self, context, self._stream)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        self.last_heard = self._context.upkeep.now
        self.pinged_at = None
        if self._closing:
            return
        login = self._login
        if login is not None:
            login.receive(data)
        else:
            self.take(data)

    def connection_lost(self, reason: str) -> None:
        """End: the session, if there is one, is over, unless it can be resumed (XEP-0198, Stream Closure)."""
        self._closing = True
        self._context.upkeep.gone(self)
        if self._login is not None:
            self._login.lost()
            self._login = None
        self._leave_session(reason, may_go_on=True)

    def pause_writing(self) -> None:
        """Note that the client does not keep up."""
        self._congested = True

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._congested = False
        self._make_room()

    def _make_room(self) -> None:
        waiting, self._roomless = self._roomless, []
        for deferred in waiting:
            deferred.callback(None)

    # The session's wire

    @property
    def peer_address(self) -> str:
        """The client's IP address."""
        return self.connection.peer_address

    @property
    def secure(self) -> bool:
        """Whether TLS is on."""
        return self.connection.secure

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return not self._closing

    @property
    def acknowledges(self) -> bool:
        """Whether the client acknowledges what it gets."""
        return self.managed is not None

    def unacknowledged(self) -> Collection[int]:
        """Return the rows that are written and not acknowledged."""
        return () if self.managed is None else self.managed.rows()

    def room(self) -> "Deferred[None] | None":
        """Return None if more can be written now, else what fires when it can, or when the stream ends."""
        if self._closing:
            return None if self.managed is None else self.managed.room()
        is_full = self.connection.pending() > ENOUGH
        if not self._congested and not is_full:
            return None if self.managed is None else self.managed.room()
        waiting: Deferred[None] = Deferred()
        self._roomless.append(waiting)
        if not self._congested:  # the connection will say so, or have sent all of it, at the end of this turn
            self._context.soon(self._look_for_room)
        return waiting

    def _look_for_room(self) -> None:
        if not self._congested:
            self._make_room()

    def write_stanza(self, data: bytes, row: int = 0) -> bool:
        """Send one stanza; return whether it was accepted."""
        if self._closing:
            return False
        if self._congested and self.connection.pending() + len(data) > self._context.limits.send_buffer:
            return self._overflow(data, row)
        self._context.counters.stanzas_sent += 1
        self.connection.write(data)
        managed = self.managed
        if managed is not None and managed.outgoing.add(data, row):
            managed.attend()
        return True

    def write_nonza(self, data: bytes) -> None:
        """Send bytes that are no stanza, or one that was counted already."""
        if not self._closing:
            self.connection.write(data)

    def _overflow(self, data: bytes, row: int) -> bool:
        """Give up on a client that does not read (architecture rule 8); the connection is full, so it is cut."""
        session = self.session
        self._context.counters.overflows += 1
        log.info("{jid} does not read its stream and is closed", jid=session and session.jid)
        self.let_go(StreamError("resource-constraint", "the client does not read its stream"))
        return session is not None and session.wire is not self and session.wire.write_stanza(data, row)

    def ask_for_life(self) -> None:
        """Ask the client whether it is still there; whatever it answers is an answer.

        Where no module asks, a space goes out, to which nobody need answer: then only TCP notices a dead connection.
        """
        if self.session is not None:
            drive_alone(self._ask(self.session), lambda error: log.failure("a silent client was not asked", error))

    async def _ask(self, session: Session) -> None:
        if await self._context.hooks.decide(SessionSilent(session)) is None:
            self.connection.write(b" ")
            self.pinged_at = None
            self.last_heard = self._context.upkeep.now

    def close(self, error: StreamError | None = None) -> None:
        """End the stream in good order, with a stream error if one is given, and its session with it."""
        self._close(error, may_go_on=False)

    def let_go(self, error: StreamError) -> None:
        """End the stream with an error; its session goes on without it, if it can be resumed (XEP-0198)."""
        self._close(error, may_go_on=True)

    def _close(self, error: StreamError | None, *, may_go_on: bool) -> None:
        if self._closing:
            return
        self._closing = True
        if error is not None:
            self._context.counters.stream_errors += 1
            self._tell(error)
            self._stream.fail(error, host=self._default_host(), stream_id=new_stream_id())
        else:
            self._stream.close()
        data = self._stream.data_to_send()
        if data:
            self.connection.write(data)
        self.connection.close()
        self._leave_session("" if error is None else str(error), may_go_on=may_go_on)

    def _tell(self, error: StreamError) -> None:
        left_out = self._context.ends_told.admit()
        if left_out is None:
            return
        if left_out:
            log.info("{count} streams more ended with an error", count=left_out)
        jid = self.session.jid if self.session is not None else None
        log.info("stream of {jid} at {peer} ends: {error}", jid=jid, peer=self.peer_address, error=error)

    def _default_host(self) -> str:
        hosts = self._context.hosts.all()
        return hosts[0].name if hosts else ""

    def _leave_session(self, reason: str, *, may_go_on: bool) -> None:
        session, self.session = self.session, None
        self._make_room()
        if session is None:
            return
        self._context.router.kept.resending.ended(session)
        managed, management = self.managed, self._context.management
        if managed is None:
            self._context.endings.end(session, reason)
        elif not (may_go_on and management.hibernate(managed, reason)):
            self._context.endings.end(session, reason, management.over(managed, in_order=not reason))

    def finished(self) -> Awaitable[None]:
        """Return what fires once no stanza is being handled any more."""
        finished: Deferred[None] = Deferred()
        if self._busy:
            self._finished.append(finished)
        else:
            finished.callback(None)
        return finished

    # From login to stanzas

    def begin_session(self, session: Session) -> None:
        """Take over from the login: stanzas flow."""
        self.session = session
        self._login = None
        self._context.counters.logins += 1
        self._context.upkeep.bound(self)

    def adopt(self, managed: Managed) -> None:
        """Take over a session that goes on with this stream (XEP-0198, Resumption): stanzas flow."""
        self.session = managed.session
        self.managed = managed
        self._login = None
        self._context.upkeep.bound(self)

    def take(self, data: bytes) -> None:
        """Handle the stanzas in `data`, as many as may be handled now."""
        if self._backlog is not None or len(data) > SLICE:
            self._unread += data
            self._put_off([])
            return
        whole = self._stream.stanzas(data)
        if len(whole) > 1:
            self._handle_some(whole)
        elif not whole:
            return
        elif self._busy:
            self._put_off(whole)
        else:
            self._handle(whole[0])

    def _handle_some(self, whole: list[Element | StreamEnded | StreamError]) -> None:
        """Handle what came together, unless that takes too long."""
        budget = self._context.limits.stanzas_per_turn
        clock = self._context.clock
        end = clock.seconds() + LONGEST_TURN
        for number, item in enumerate(whole):
            if self._busy or number >= budget or clock.seconds() > end:
                self._put_off(whole[number:])
                return
            self._handle(item)

    def _put_off(self, rest: list[Element | StreamEnded | StreamError]) -> None:
        if self._backlog is not None:
            return
        self._backlog = deque(rest)
        self.connection.pause_reading()
        if not self._busy:
            self._context.soon(self._go_on)

    def _go_on(self) -> None:
        """Handle what was put off; one turn's worth."""
        if self._backlog is None or self._busy:
            return
        clock = self._context.clock
        end = clock.seconds() + LONGEST_TURN
        slices = SLICES_PER_TURN
        for _ in range(self._context.limits.stanzas_per_turn):
            while not self._backlog and self._unread and slices and not self._closing:
                slices -= 1
                self._read_on(self._backlog)
            if not self._backlog or self._closing:
                break
            self._handle(self._backlog.popleft())
            if self._busy:
                return
            if clock.seconds() > end:
                break
        self._rest_or_go_on(self._backlog)

    def _read_on(self, backlog: "deque[Element | StreamEnded | StreamError]") -> None:
        """Parse a slice of what was put off."""
        unread = self._unread
        self._unread = unread[SLICE:]
        backlog.extend(self._stream.stanzas(unread[:SLICE]))

    def _rest_or_go_on(self, backlog: "deque[Element | StreamEnded | StreamError]") -> None:
        """Go on in the next turn, or read again if nothing is left."""
        if (backlog or self._unread) and not self._closing:
            self._context.soon(self._go_on)
            return
        self._backlog = None
        self._unread = b""
        self.connection.resume_reading()

    def _handle(self, item: Element | StreamEnded | StreamError) -> None:
        session = self.session
        if session is None or self._closing:
            return
        if item.__class__ is not Element:
            self.close(item if isinstance(item, StreamError) else None)
            return
        self._context.counters.stanzas_received += 1
        try:
            pending = self._stanza(session, item) if item.name in KINDS else self._nonza(session, item)
            if pending is None:
                return
            result = drive(pending)
        except Exception as error:
            self._end(error)
            return
        if result.__class__ is Deferred:
            self._busy = True
            result.addCallbacks(self._done, self._failed)

    def _done(self, _: object) -> None:
        self._busy = False
        finished, self._finished = self._finished, []
        for deferred in finished:
            deferred.callback(None)
        if self._backlog is not None:
            self._context.soon(self._go_on)

    def _failed(self, failure: Any) -> None:
        self._end(failure.value)
        self._done(None)

    def _end(self, error: Exception) -> None:
        """End the stream with the error that was raised, or, if it is a fault of our own, without a word about it."""
        if not isinstance(error, StreamError):
            log.failure("a stanza failed", error)
            error = StreamError("internal-server-error")
        self.close(error)

    def _stanza(self, session: Session, element: Element) -> Coroutine[Any, Any, None] | None:
        """Handle one stanza, or return what is to be driven for it; whatever is wrong with it becomes its answer."""
        sender = element.attributes.get("from")
        if sender is not None and sender != session.jid:
            check_from(sender, session)
        try:
            stanza = read(element, session.jid, self._stream.lang)
        except Malformed as malformed:
            answer(session, malformed.stanza, malformed.error)
            session.gate.received += 1
            return None
        try:
            pending = self._context.router.from_client(session, stanza)
            if pending is not None:
                return wait_for(pending, session, stanza)
        except Exception as error:
            went_wrong(session, stanza, error)
        session.gate.received += 1  # not before: what is being handled is not settled
        return None

    async def _nonza(self, session: Session, element: Element) -> None:
        if element.name == ERROR:  # the client gives up; an error is not answered with another (RFC 6120, 4.9.1.1)
            self.close()
            return
        handler = self._context.nonzas.get(element.name)
        if handler is None:
            raise unknown_element(element, self._stream.state)
        await handler(session, element)


async def wait_for(pending: Awaitable[None], session: Session, stanza: Stanza) -> None:
    """Await what the handling of a stanza waits for."""
    try:
        await pending
    except Exception as error:
        went_wrong(session, stanza, error)
    session.gate.received += 1


def went_wrong(session: Session, stanza: Stanza, error: Exception) -> None:
    """Answer a stanza with the error that was raised; one that is a fault of our own is told nobody but the log."""
    if not isinstance(error, StanzaError):
        log.failure("a {kind} from {jid} failed", error, kind=stanza.kind, jid=session.jid)
        error = InternalServerError()
    answer(session, stanza, error)


def answer(session: Session, stanza: Stanza, error: StanzaError) -> None:
    """Answer a client's stanza with an error, on whatever connection its session has by now."""
    if is_answered(stanza, error):
        session.wire.write_stanza(stanza.error(error).to_bytes())


def check_from(sender: str, session: Session) -> None:
    """Refuse a `from` that is not the client's own (RFC 6120, 8.1.2.1)."""
    try:
        given = Jid.parse(sender)
    except JidError:
        raise StreamError("invalid-from", "the from attribute is no address") from None
    if given not in (session.jid, session.account):
        raise StreamError("invalid-from", "the from attribute is not yours")


def new_stream_id() -> str:
    """Return an id that nobody can guess (RFC 6120, 4.7.3)."""
    return secrets.token_hex(12)
