"""All managed sessions of a node: enabling, hibernating, resuming, ending."""

import secrets
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from ...protocol.element import Element
from ...protocol.errors import (
    BadRequest,
    FeatureNotImplemented,
    ItemNotFound,
    StanzaError,
    StreamError,
    UnexpectedRequest,
)
from ...protocol.jid import Jid
from ...protocol.stream_management import (
    NS,
    Bounds,
    enabled,
    failed,
    read_answer,
    read_enable,
    read_resume,
    resumed,
)
from ...protocol.writer import serialise
from ..clock import Clock
from ..inbox import Inboxes
from ..log import Log
from ..metrics import Metrics, Tally, counter, gauge
from ..session import Session
from ..sessions import Sessions
from .asking import Asker
from .hibernation import Hibernation
from .managed import Driver, Managed
from .memory import Memory

ID_SIZE: Final = 24
"""Bytes of an id: whoever guesses one of another account gains nothing, but nobody shall find out even that."""

Ended = Callable[[Session, str, list[tuple[bytes, int]]], None]
"""Is told of a session that is over, why, and what nobody has acknowledged."""

log = Log("stream_management")


class Options(Protocol):
    """The options of stream management; see `xmppd.modules.stream_management`. They may change at any time."""

    @property
    def time_out(self) -> float: ...
    @property
    def unacknowledged(self) -> int: ...
    @property
    def unacknowledged_size(self) -> int: ...
    @property
    def ask_after(self) -> int: ...
    @property
    def ask_after_size(self) -> int: ...
    @property
    def answer_within(self) -> float: ...
    @property
    def hibernating(self) -> int: ...
    @property
    def hibernating_per_account(self) -> int: ...
    @property
    def location(self) -> str: ...


class ManagementMetrics(Metrics):
    """What happened to managed sessions."""

    enabled: int = counter("Sessions whose stanzas are counted.")
    resumed: int = counter("Sessions that went on with a new connection.")
    not_resumed: Tally = counter("Requests to resume a session that failed.", labels=("reason",))
    hibernated: int = counter("Sessions that lost their connection and waited to be resumed.")
    ended: Tally = counter("Sessions that waited to be resumed in vain.", labels=("reason",))
    hibernating: int = gauge("Sessions that wait to be resumed.")
    acknowledgements: int = counter("Answers to our requests for acknowledgement.")
    acknowledgement_milliseconds: int = counter("Milliseconds that these answers took, in all.")
    unanswered: int = counter("Connections given up because such an answer did not come.")


class Resumption:
    """A session that is about to go on with a new connection.

    :ivar session: that session.
    :ivar element: `<resumed/>`.
    """

    def __init__(self, management: "StreamManagement", managed: Managed, element: Element) -> None:
        self._management = management
        self._managed = managed
        self.session = managed.session
        self.element = element

    def begin(self, driver: Driver) -> None:
        """Let the session go on with `driver`, whose stream is bound and has sent `element`.

        Call it in the turn in which `StreamManagement.resume` has returned: what is unacknowledged is sent here.
        """
        self._management.attach(self._managed, driver)


class StreamManagement:
    """The managed sessions of a node. Implements `managed.Keeper`.

    :param ended: is told of sessions that end without a connection.
    :ivar options: the options while the module runs that switches this on; None while nothing can be enabled or
        resumed. Sessions that are managed stay so.
    """

    def __init__(
        self,
        sessions: Sessions,
        inboxes: Inboxes,
        clock: Clock,
        soon: Callable[[Callable[[], None]], Any],
        ended: Ended,
    ) -> None:
        self._sessions = sessions
        self._inboxes = inboxes
        self._clock = clock
        self._soon = soon
        self._ended = ended
        self._patience = 60.0
        self._resumable: dict[str, Managed] = {}
        self._hibernating: dict[Managed, Any] = {}  # with the calls that will end them; the first is the oldest
        self._memory = Memory(clock)
        self._asker = Asker(clock, lambda: self._patience, self._lost)
        self._options: Options | None = None
        self.counters = ManagementMetrics()

    @property
    def options(self) -> Options | None:
        """The options, while it is switched on."""
        return self._options

    def switch_on(self, options: Options) -> None:
        """Let clients enable stream management and resume sessions."""
        self._options = options
        self._patience = options.answer_within

    def switch_off(self) -> None:
        """Let them do so no more."""
        self._options = None

    def stop(self) -> None:
        """End all sessions that hibernate: the node is being stopped."""
        for managed in list(self._hibernating):
            self.end(managed, "the server is being stopped")
        self._asker.stop()

    # Enabling

    def enable(self, session: Session, resume: bool = False, seconds: int | None = None) -> Element:
        """Begin to count a session's stanzas; return `<enabled/>`, to be written before anything else is.

        :param session: one that is connected, whose `ClientStream.begin_session` was called or will be in this turn.
            What it has sent until now is not counted.
        :param resume: whether the client wants to be able to resume it.
        :param seconds: for how long, if it says so; no longer than the configuration lets it.
        :raises StanzaError: it is managed already (`unexpected-request`), or nothing is enabled here.
        """
        options = self._options
        if options is None:
            raise FeatureNotImplemented("stream management is switched off")
        driver = cast(Driver, session.wire)
        if driver.managed is not None:
            raise UnexpectedRequest("it is enabled already")
        resumable = resume and not session.is_anonymous  # who comes back as nobody is somebody else
        id = secrets.token_urlsafe(ID_SIZE) if resumable else None
        lasts = options.time_out if seconds is None else min(seconds, options.time_out)
        bounds = Bounds(
            options.unacknowledged, int(options.unacknowledged_size), options.ask_after, int(options.ask_after_size)
        )
        managed = driver.managed = Managed(self, session, driver, bounds, id, lasts)
        if id is not None:
            self._resumable[id] = managed
        self.counters.enabled += 1
        return enabled(id, int(lasts), options.location or None)

    # Resuming

    async def resume(self, account: Jid, previd: str, h: int) -> Resumption | Element:
        """Take up a session for a stream that has authenticated as `account`; return how to go on, or `<failed/>`.

        It is for nobody but the account's own streams, and those must not have bound a resource. This waits until all
        that the session's last connection had begun is settled; whoever calls has to see whether their own stream is
        still there then. If it is not, nothing has to be undone.

        :param previd: the session's id.
        :param h: how many of our stanzas the client has handled.
        :raises StreamError: `h` counts more than was sent, or somebody else came to resume the same session.
        """
        managed = self._resumable.get(previd)
        if managed is None or managed.session.account != account:
            return self._unknown(account, previd)
        managed.claims += 1
        claim = managed.claims
        if managed.hibernation is None:
            managed.driver.let_go(StreamError("conflict", "the session is resumed by another connection"))
        await managed.quiet()
        if managed.is_over:
            return self._unknown(account, previd)
        if managed.claims != claim:
            raise self._refused("overtaken", StreamError("conflict", "another connection resumes the session"))
        try:
            self.acknowledged(managed, managed.outgoing.take(h))
        except StreamError as error:  # the two do not agree on what was said, and never will
            self.end(managed, "a resumption counted more than was sent")
            raise self._refused("too high", error) from None
        return Resumption(self, managed, resumed(previd, managed.handled))

    async def resume_as_asked(self, account: Jid, element: Element) -> Resumption | Element:
        """As `resume`, for the `<resume/>` that a client sent.

        :raises StreamError: as there.
        """
        if self._options is None:
            return failed(FeatureNotImplemented("stream management is switched off"))
        try:
            claim = read_resume(element)
        except BadRequest as error:
            self.counters.not_resumed["malformed"] += 1
            return failed(error)
        return await self.resume(account, claim.previd, claim.h)

    def _unknown(self, account: Jid, previd: str) -> Element:
        handled = self._memory.handled(account, previd)
        self.counters.not_resumed["unknown" if handled is None else "too late"] += 1
        return failed(ItemNotFound(), handled)

    def _refused(self, reason: str, error: StreamError) -> StreamError:
        self.counters.not_resumed[reason] += 1
        return error

    def attach(self, managed: Managed, driver: Driver) -> None:
        """Let a session go on with a new connection."""
        self._awake(managed)
        self.counters.resumed += 1
        managed.attach(driver)

    # What clients say

    async def take_enable(self, session: Session, element: Element) -> None:
        """Answer `<enable/>`."""
        driver = cast(Driver, session.wire)
        try:
            wish = read_enable(element)
            told = self.enable(session, wish.resume, wish.seconds)
        except StanzaError as error:
            told = failed(error)
        driver.write_nonza(serialise(told))

    async def take_resume(self, session: Session, element: Element) -> None:
        """Refuse `<resume/>` behind resource binding."""
        cast(Driver, session.wire).write_nonza(serialise(failed(UnexpectedRequest("a resource is bound already"))))

    async def take_request(self, session: Session, element: Element) -> None:
        """Answer `<r/>`.

        :raises StreamError: nothing is counted here.
        """
        _managed(session).requested()

    async def take_answer(self, session: Session, element: Element) -> None:
        """Take `<a/>`.

        :raises StreamError: it makes no sense, or nothing is counted here.
        """
        _managed(session).take(read_answer(element))

    # The node, as a managed session sees it

    def soon(self, function: Callable[[], None]) -> object:
        """Call a function in the next turn of the loop."""
        return self._soon(function)

    def ask_later(self, managed: Managed) -> None:
        """Ask when the stream is idle."""
        self._asker.later(managed)

    def asked(self, managed: Managed) -> None:
        """Take note that a client was asked."""
        self._asker.asked(managed)

    def acknowledged(self, managed: Managed, stanzas: list[tuple[bytes, int]]) -> None:
        """Take note of what a client has acknowledged: rows of the log are delivered now."""
        if managed.asked_at:
            self.counters.acknowledgements += 1
            self.counters.acknowledgement_milliseconds += int(1000 * (self._clock.seconds() - managed.asked_at))
            managed.asked_at = 0.0
        account, delivered = managed.session.account, self._inboxes.delivered
        for _, row in stanzas:
            if row:
                delivered(account, row)

    def _lost(self, managed: Managed) -> None:
        """Give up a connection on which nobody answers."""
        self.counters.unanswered += 1
        managed.driver.let_go(StreamError("connection-timeout", "no acknowledgement came"))

    # Hibernating and ending

    def hibernate(self, managed: Managed, reason: str) -> bool:
        """Keep a session that has lost its connection; return False if it cannot be resumed."""
        options = self._options
        if managed.id is None or options is None or managed.is_over or not self._make_place(managed, options):
            return False
        now = self._clock.seconds()
        managed.hibernation = Hibernation(managed, reason, now, self.end, self._soon)
        managed.session.wire = managed.hibernation
        self._hibernating[managed] = self._clock.callLater(managed.seconds, self._time_out, managed)
        self.counters.hibernated += 1
        self.counters.hibernating += 1
        return True

    def _make_place(self, managed: Managed, options: Options) -> bool:
        """End the sessions that have waited longest where too many wait; return whether there is a place."""
        while len(self.hibernating_of(managed.session.account)) >= max(1, options.hibernating_per_account):
            self._end_oldest(self.hibernating_of(managed.session.account)[0])
        while len(self._hibernating) >= max(1, options.hibernating):
            self._end_oldest(next(iter(self._hibernating)))
        return bool(options.hibernating and options.hibernating_per_account)

    def _end_oldest(self, managed: Managed) -> None:
        self.counters.ended["too many"] += 1
        self.end(managed, "too many sessions waited to be resumed")

    def hibernating_of(self, account: Jid) -> list[Managed]:
        """Return the sessions of an account that wait to be resumed, the one that has waited longest first."""
        found = [session.wire for session in self._sessions.of(account) if isinstance(session.wire, Hibernation)]
        return [wire.managed for wire in sorted(found, key=lambda wire: wire.since)]

    def make_room(self, account: Jid) -> bool:
        """End the session of an account that has waited longest, for one that wants to begin; return False for none."""
        waiting = self.hibernating_of(account)
        if waiting:
            self._end_oldest(waiting[0])
        return bool(waiting)

    def _time_out(self, managed: Managed) -> None:
        self.counters.ended["time-out"] += 1
        reason = "" if managed.hibernation is None else managed.hibernation.reason
        self.end(managed, reason or "the connection was closed")

    def _awake(self, managed: Managed) -> None:
        call = self._hibernating.pop(managed, None)
        if call is not None:
            self.counters.hibernating -= 1
            if call.active():
                call.cancel()

    def end(self, managed: Managed, reason: str) -> None:
        """End a session that hibernates."""
        if not managed.is_over:
            self._ended(managed.session, reason, self.over(managed))

    def over(self, managed: Managed, *, in_order: bool = False) -> list[tuple[bytes, int]]:
        """Forget a session that ends; return what its client has not acknowledged.

        :param in_order: whether the client closed its stream, and will not come back.
        """
        self._awake(managed)
        managed.is_over = True
        if managed.id is not None:
            self._resumable.pop(managed.id, None)
            if not in_order:
                self._memory.keep(managed)
        managed.make_room()
        return list(managed.outgoing.queue)

    # For whoever looks

    def depth(self) -> int:
        """Return how many stanzas of all sessions are not acknowledged."""
        found = [managed_of(session) for session in self._sessions]
        return sum([len(managed.outgoing.queue) for managed in found if managed is not None])


def managed_of(session: Session) -> Managed | None:
    """Return how a session is managed; None if it is not."""
    wire: Any = session.wire
    found: Managed | None = getattr(wire, "managed", None)  # a stand-in's wire has nothing of the kind
    return found


def _managed(session: Session) -> Managed:
    managed = managed_of(session)
    if managed is None:
        raise StreamError("unsupported-stanza-type", f"{NS} is not enabled")
    return managed
