"""What everybody was told: the other side of the log."""

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import Enum


class State(Enum):
    """What its sender knows of a message."""

    UNDER_WAY = "under way"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"


@dataclass(slots=True, eq=False)
class Message:
    """A message that was sent, perhaps several times.

    :ivar sender: a bare JID; so is `to`.
    :ivar number: the sender's own, over all its addressees.
    :ivar sent: when it was sent first, in seconds of a monotonic clock.
    """

    sender: str
    to: str
    number: int
    sent: float
    state: State = State.UNDER_WAY

    @property
    def name(self) -> str:
        """Its origin-id, which is its stanza's id, too."""
        return f"{self.sender}/{self.number}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that came.

    :ivar name: its origin-id.
    :ivar row: its stanza-id by the recipient.
    :ivar is_late: whether it has a delay.
    """

    name: str
    row: str
    is_late: bool


@dataclass(slots=True)
class Wait:
    """Somebody waits until there are so many of something."""

    kind: str
    count: int
    reached: "asyncio.Future[None]"


@dataclass(slots=True)
class Ledger:
    """All messages, and what became of them.

    :ivar counts: of "sent", "acknowledged", "refused", "answered", "delivered", "logins", and whatever else is noted.
    :ivar deliveries: what came to each recipient, in order.
    :ivar times: when each acknowledgement came.
    :ivar contradictions: messages that were acknowledged first and refused later.
    :ivar longest: the longest time from sending a message to its acknowledgement or error, in seconds.
    """

    messages: dict[str, Message] = field(default_factory=dict)
    deliveries: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    counts: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    longest: float = 0.0
    _delivered: set[str] = field(default_factory=set)
    _owed: set[str] = field(default_factory=set)
    _waits: list[Wait] = field(default_factory=list)

    def send(self, sender: str, to: str, number: int) -> Message:
        """Note a new message."""
        message = Message(sender, to, number, time.monotonic())
        self.messages[message.name] = message
        self.note("sent")
        return message

    def acknowledge(self, message: Message) -> None:
        """Note that a message was acknowledged; one that was refused before stays so."""
        if message.state is not State.UNDER_WAY:
            return
        message.state = State.ACKNOWLEDGED
        self._answered(message)
        self.times.append(time.monotonic())
        if message.name not in self._delivered:
            self._owed.add(message.name)
        self.note("acknowledged")

    def refuse(self, name: str) -> None:
        """Note that a message was answered with an error."""
        message = self.messages[name]
        if message.state is State.ACKNOWLEDGED:
            self.contradictions.append(name)
        message.state = State.REFUSED
        self._answered(message)
        self.note("refused")

    def deliver(self, recipient: str, delivery: Delivery) -> None:
        """Note that a message came."""
        self.deliveries[recipient].append(delivery)
        self._delivered.add(delivery.name)
        self._owed.discard(delivery.name)
        self.note("delivered")

    def _answered(self, message: Message) -> None:
        self.longest = max(self.longest, time.monotonic() - message.sent)
        self.note("answered")

    @property
    def owed(self) -> set[str]:
        """The names of what was acknowledged and has not come yet."""
        return set(self._owed)

    def acknowledged(self) -> list[Message]:
        """Return the messages that must not be lost."""
        return [message for message in self.messages.values() if message.state is State.ACKNOWLEDGED]

    # Waiting

    def note(self, kind: str) -> None:
        """Count something, and wake who waits for it."""
        self.counts[kind] += 1
        if not self._waits:
            return
        for wait in [wait for wait in self._waits if self._has_come(wait)]:
            self._waits.remove(wait)
            if not wait.reached.done():
                wait.reached.set_result(None)

    async def reaches(self, kind: str, more: int) -> None:
        """Wait until there are so many more of something."""
        await self.comes_to(kind, self.counts[kind] + more)

    async def comes_to(self, kind: str, count: int) -> None:
        """Wait until there are so many of something, in all."""
        if self.counts[kind] < count:
            wait = Wait(kind, count, asyncio.get_running_loop().create_future())
            self._waits.append(wait)
            await wait.reached

    async def answers(self, message: Message) -> None:
        """Wait until a message is acknowledged or refused."""
        while message.state is State.UNDER_WAY:
            await self.reaches("answered", 1)

    async def comes(self, message: Message) -> None:
        """Wait until a message has come."""
        while message.name not in self._delivered:
            await self.reaches("delivered", 1)

    async def is_paid(self) -> None:
        """Wait until all that was acknowledged has come."""
        while self._owed:
            await self.reaches("delivered", 1)

    def _has_come(self, wait: Wait) -> bool:
        return self.counts[wait.kind] >= wait.count
