"""One session whose stanzas are counted, with a connection or without."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, Protocol

from twisted.internet.defer import Deferred

from ...protocol.errors import StreamError
from ...protocol.stream_management import ASK, Bounds, Outgoing, answer
from ..session import Session, Wire

if TYPE_CHECKING:
    from .hibernation import Hibernation

ROOMY: Final = 2
"""Who can wait writes no more while more than one part of so many of what may be unacknowledged is."""


class Driver(Wire, Protocol):
    """A connection of a managed session: the driver of its stream."""

    managed: "Managed | None"

    def write_nonza(self, data: bytes) -> None:
        """Send bytes that are counted by nobody."""

    def let_go(self, error: StreamError) -> None:
        """End the stream with an error; its session goes on without it, if it can be resumed."""

    def finished(self) -> Awaitable[None]:
        """Return once no stanza is being handled any more."""

    def adopt(self, managed: "Managed") -> None:
        """Take over a session that has no connection: it is written to here from now on."""


class Keeper(Protocol):
    """What a managed session asks of the node."""

    def ask_later(self, managed: "Managed") -> None:
        """Call `Managed.ask` when the stream is idle, unless it has asked already."""

    def asked(self, managed: "Managed") -> None:
        """Take note that `<r/>` went out."""

    def acknowledged(self, managed: "Managed", stanzas: list[tuple[bytes, int]]) -> None:
        """Take note of what the client has acknowledged, behind an `<a/>`."""

    def soon(self, function: Callable[[], None]) -> object:
        """Call a function in the next turn of the loop."""


class Managed:
    """One session whose stanzas are counted.

    :ivar session: the session.
    :ivar id: what the client calls it to resume it; None if it cannot be resumed.
    :ivar seconds: for how long it may be resumed.
    :ivar driver: its connection, or the last one that it had.
    :ivar hibernation: what it is written to instead while it has no connection; None while it has one.
    :ivar outgoing: what was sent and is not acknowledged.
    :ivar base: how many stanzas its gate had seen when counting began.
    :ivar asked_at: when it was asked last, by the node's clock.
    :ivar claims: how many times somebody has tried to resume it.
    :ivar is_over: whether the session has ended.
    """

    __slots__ = (
        "_bounds", "_is_telling", "_keeper", "_owed", "_quiet", "_roomless", "_told", "asked_at", "base",
        "claims", "driver", "hibernation", "id", "is_over", "outgoing", "seconds", "session",
    )  # fmt: skip

    def __init__(
        self, keeper: Keeper, session: Session, driver: Driver, bounds: Bounds, id: str | None, seconds: float
    ) -> None:
        self._keeper = keeper
        self._bounds = bounds
        self.session = session
        self.driver = driver
        self.id = id
        self.seconds = seconds
        self.hibernation: Hibernation | None = None
        self.outgoing = Outgoing(bounds)
        self.asked_at = 0.0
        self.claims = 0
        self.is_over = False
        self.base = session.gate.received
        self._told = 0  # the last count that we told
        self._owed = 0  # the count that a request waits for
        self._is_telling = False  # an answer leaves in the next turn
        self._quiet: list[Deferred[None]] = []
        self._roomless: list[Deferred[None]] = []

    # What we send

    def attend(self) -> None:
        """Do what is due behind a stanza that was sent."""
        outgoing = self.outgoing
        if outgoing.is_over:
            self.driver.close(StreamError("resource-constraint", "too much is unacknowledged"))
        elif outgoing.may_ask:
            self.ask()
        else:
            outgoing.put_off()
            self._keeper.ask_later(self)

    def ask(self, *, is_needed: bool = False) -> None:
        """Ask for an acknowledgement, if there is anything to ask for, and somebody to ask.

        :param is_needed: ask all the same if there is nothing: any answer is a sign of life.
        """
        if (is_needed or self.outgoing.is_due) and self.hibernation is None and not self.is_over:
            self.driver.write_nonza(ASK)
            self.outgoing.asked()
            self._keeper.asked(self)

    def take(self, h: int) -> None:
        """Take what an `<a/>` says.

        :raises StreamError: it counts more than was sent.
        """
        taken = self.outgoing.take(h)
        self._keeper.acknowledged(self, taken)
        if self.outgoing.is_due:
            self.outgoing.put_off()
            self._keeper.ask_later(self)
        if self._roomless and self.room() is None:
            self.make_room()

    def rows(self) -> list[int]:
        """Return the rows of the log that are not acknowledged."""
        return [row for _, row in self.outgoing.queue if row]

    def room(self) -> "Deferred[None] | None":
        """Return None if whoever can wait may write, else what fires when it may, or when the session is over."""
        outgoing, bounds = self.outgoing, self._bounds
        is_full = ROOMY * len(outgoing.queue) > bounds.stanzas or ROOMY * outgoing.size > bounds.size
        if self.is_over or not (is_full or self.hibernation is not None):
            return None
        waiting: Deferred[None] = Deferred()
        self._roomless.append(waiting)
        return waiting

    def make_room(self) -> None:
        """Let those go on that wait for room."""
        waiting, self._roomless = self._roomless, []
        for deferred in waiting:
            deferred.callback(None)

    # What we have handled

    @property
    def handled(self) -> int:
        """How many of the client's stanzas are settled; not yet modulo 2^32."""
        return max(0, self.session.gate.settled - self.base)

    def requested(self) -> None:
        """Answer `<r/>`: at once with what is settled, and again when more is."""
        gate = self.session.gate
        self._tell()
        if not gate.is_settled:
            self._owed = gate.received - self.base
            gate.told = self._settled

    def _tell(self) -> None:
        self._told = self.handled
        self.driver.write_nonza(answer(self._told))

    def _settled(self) -> None:
        """More is settled, perhaps much at once: whatever this turn brings is told together."""
        if not self._is_telling:
            self._is_telling = True
            self._keeper.soon(self._tell_more)

    def _tell_more(self) -> None:
        self._is_telling = False
        gate = self.session.gate
        if self._told < self._owed and self.handled > self._told and self.hibernation is None and not self.is_over:
            self._tell()
        if gate.is_settled:
            quiet, self._quiet = self._quiet, []
            for deferred in quiet:
                deferred.callback(None)
        if not self._quiet and self._told >= self._owed:
            gate.told = None

    async def quiet(self) -> None:
        """Return once everything is settled that the last connection had begun."""
        await self.driver.finished()
        while not self.session.gate.is_settled:
            waiting: Deferred[None] = Deferred()
            self._quiet.append(waiting)
            self.session.gate.told = self._settled
            await waiting

    # Connections

    def attach(self, driver: Driver) -> None:
        """Go on with a new connection: what is unacknowledged is sent again, and asked for."""
        self.driver = driver
        self.hibernation = None
        self._owed = 0
        self.session.wire = driver
        driver.adopt(self)
        for data in self.outgoing.restart():
            driver.write_nonza(data)
        self.ask()
        self.make_room()
