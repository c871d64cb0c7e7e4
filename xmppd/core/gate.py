"""Keeps the order of what one stream sends while some of it waits for its commit (RFC 6120, 10.1; architecture 4).

A message that becomes a row of the log is not delivered before it is committed, and nobody waits for that: the stream
goes on. What comes behind it between the same two bare JIDs (another message, a chat state, presence, an IQ) must not
overtake it: it queues in the same `Lane`. Whatever is for somebody else passes.

A stanza is *settled* when everything that it brings about is committed, or its sender has got an error. The gate knows
up to where all stanzas are settled, which is what XEP-0198's `h` may tell.
"""

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred

from .drive import drive, waited

MOST_BYTES: Final = 1 << 20
MOST_STANZAS: Final = 500
"""What one session may have under way."""


class Step(Protocol):
    """Something that has its place in a lane.

    :ivar is_ready: whether it may be done once it is first in its lane.
    """

    is_ready: bool

    def run(self) -> Coroutine[Any, Any, None] | None:
        """Do it, or return what is to be driven for it; neither raises anything."""


class Lane:
    """What one stream has for one bare JID, in order."""

    __slots__ = ("_is_running", "_lanes", "_peer", "_steps")

    def __init__(self, lanes: "dict[str, Lane]", peer: str) -> None:
        self._lanes = lanes
        self._peer = peer
        self._steps: deque[Step] = deque()
        self._is_running = False

    def push(self, step: Step) -> None:
        """Put a step behind all others."""
        self._steps.append(step)

    def advance(self) -> None:
        """Do what is ready and has nothing before it; an empty lane is gone."""
        if self._is_running:
            return
        steps = self._steps
        while steps and steps[0].is_ready:
            self._is_running = True
            coroutine = steps[0].run()
            if coroutine is not None:
                result = drive(coroutine)
                if result.__class__ is Deferred:
                    result.addBoth(self._go_on)
                    return
            self._is_running = False
            steps.popleft()
        if not steps:
            self._lanes.pop(self._peer, None)

    def _go_on(self, _: object) -> None:
        self._is_running = False
        self._steps.popleft()
        self.advance()


class Gate:
    """The lanes of one session, and how many of its stanzas are settled.

    :ivar weight: bytes of what is not settled.
    :ivar kept_at: when the last message that is kept was sent, in seconds since the epoch.
    :ivar received: how many stanzas were handled, settled or not.
    :ivar told: called whenever `settled` may have grown, if set.
    """

    __slots__ = ("_lanes", "_roomless", "_unsettled", "kept_at", "received", "told", "weight")

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._unsettled: dict[int, int] = {}  # the size of each, in order
        self._roomless: Deferred[None] | None = None
        self.kept_at = 0.0
        self.received = 0
        self.weight = 0
        self.told: Callable[[], None] | None = None

    def lane_of(self, peer: str) -> Lane | None:
        """Return the lane to a bare JID if something waits there."""
        return self._lanes.get(peer)

    def open_lane(self, peer: str) -> Lane:
        """Return the lane to a bare JID, empty or not."""
        lane = self._lanes.get(peer)
        if lane is None:
            lane = self._lanes[peer] = Lane(self._lanes, peer)
        return lane

    def lanes(self) -> list[Lane]:
        """Return all lanes in which something waits."""
        return list(self._lanes.values())

    # Settlement

    def begin(self, size: int = 0) -> int:
        """Note that the stanza that is being handled will be settled later; return its number for `settle`.

        :param size: how much of it waits, in bytes.
        """
        number = self.received + 1
        self._unsettled[number] = size
        self.weight += size
        return number

    def settle(self, number: int) -> None:
        """Note that a stanza is settled."""
        self.weight -= self._unsettled.pop(number, 0)
        if self._roomless is not None and not self.is_full:
            roomless, self._roomless = self._roomless, None
            roomless.callback(None)
        if self.told is not None:
            self.told()

    @property
    def is_full(self) -> bool:
        """Whether one session has enough under way; nothing more of it is read meanwhile."""
        return self.weight > MOST_BYTES or len(self._unsettled) > MOST_STANZAS

    def room(self) -> "Deferred[None] | None":
        """Return None if there may be more under way, else what fires when that is so; one waits at a time."""
        if not self.is_full:
            return None
        self._roomless = Deferred()
        return self._roomless

    @property
    def settled(self) -> int:
        """How many stanzas are settled, with all before them; never more than `received`."""
        for first in self._unsettled:
            return min(first - 1, self.received)
        return self.received

    @property
    def waits(self) -> bool:
        """Whether anything waits in a lane."""
        return bool(self._lanes)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is under way: a message that has left its lane may still lack its sender's copy."""
        return not self._unsettled


class Barrier:
    """A step that is ready once everything before it in several lanes is done, and then is done once.

    :param lanes: the lanes to wait for; one place in each is taken.
    """

    __slots__ = ("_left", "_step")

    def __init__(self, lanes: list[Lane], step: Step) -> None:
        self._left = len(lanes)
        self._step = step
        for lane in lanes:
            lane.push(_Place(self))

    async def reached(self) -> None:
        """Note that one lane has come to its place."""
        self._left -= 1
        if not self._left:
            await waited(self._step.run())


class _Place:
    """A barrier's place in one lane."""

    __slots__ = ("_barrier", "is_ready")

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier
        self.is_ready = True

    async def run(self) -> None:
        await self._barrier.reached()
