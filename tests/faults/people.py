"""Who sends and who receives. They come back whenever they lose their connection, and go on."""

import asyncio
from collections import deque
from random import Random
from typing import Final, Protocol
from xml.etree import ElementTree as ET

from tests.e2e.raw import CLIENT

from .ledger import Delivery, Ledger, Message, State
from .stream import HOST, SM, Lost, Stream

PASSWORD: Final = "a rose by any other name"
SID: Final = "{urn:xmpp:sid:0}"
DELAY: Final = "{urn:xmpp:delay}delay"
WINDOW: Final = 40
"""Messages that a sender leaves unanswered."""

BURST: Final = 5
"""Messages that go without a request for an acknowledgement."""


class Place(Protocol):
    """Where people go.

    :ivar generation: how many times it has been started.
    :ivar is_standing: whether it is open, as far as anybody may know.
    """

    generation: int
    is_standing: bool

    async def stands(self) -> None:
        """Wait until it is open."""

    async def enters(self) -> Stream:
        """Return a connection to it."""


class Person:
    """Somebody with an account and one client."""

    resource = "orchard"

    def __init__(self, house: Place, localpart: str, ledger: Ledger) -> None:
        self.jid = f"{localpart}@{HOST}"
        self.stream: Stream | None = None
        self._house = house
        self._localpart = localpart
        self._ledger = ledger
        self._previous = ""
        self._is_leaving = False

    async def lives(self) -> None:
        """Be there until told to leave. To be thrown out of a house that stands is a failure."""
        self._is_leaving = False
        while not self._is_leaving:
            await self._house.stands()
            generation = self._house.generation
            try:
                await self._stay()
            except Lost as error:
                fell = generation != self._house.generation or not self._house.is_standing
                assert fell or self._is_leaving, f"{self.jid} was thrown out: {error}"

    async def _stay(self) -> None:
        stream = await self._house.enters()
        try:
            await stream.logs_in(self._localpart, PASSWORD)
            if self._previous:
                await stream.is_forgotten(self._previous)
            await stream.binds(self.resource)
            if self._is_leaving:
                return
            self._previous, self.stream = stream.id, stream
            self._ledger.note("logins")
            self.arrives(stream)
            while True:
                self._hears(stream, await stream.receives())
        finally:
            self.stream = None
            stream.drops()

    def _hears(self, stream: Stream, element: ET.Element) -> None:
        if stream.counts(element):
            self.hears(element)
        elif element.tag == f"{SM}a":
            self.is_acknowledged(int(element.attrib["h"]))

    def leaves(self, *, politely: bool = True) -> None:
        """Go away; an impolite one just cuts the connection and acknowledges nothing more."""
        self._is_leaving, self._previous = True, ""
        if self.stream is not None and politely:
            self.stream.acknowledges()
            self.stream.says("</stream:stream>")
        elif self.stream is not None:
            self.stream.drops()

    def arrives(self, stream: Stream) -> None:
        """Do what is done first."""

    def hears(self, stanza: ET.Element) -> None:
        """Take a stanza."""

    def is_acknowledged(self, count: int) -> None:
        """Take an acknowledgement of all stanzas of the session up to there."""


class Recipient(Person):
    """Somebody who is available, and notes what comes."""

    def arrives(self, stream: Stream) -> None:
        """Become available."""
        stream.sends("<presence/>")

    def hears(self, stanza: ET.Element) -> None:
        """Note a message, the answer to a ping, or somebody else's presence."""
        if stanza.tag == f"{CLIENT}iq":
            self._ledger.note("pong")
        elif stanza.tag == f"{CLIENT}presence" and not stanza.attrib["from"].startswith(self.jid):
            self._ledger.note("presence")
        origin = stanza.find(f"{SID}origin-id")
        if stanza.tag != f"{CLIENT}message" or origin is None:
            return
        rows = [mark.attrib["id"] for mark in stanza.iterfind(f"{SID}stanza-id") if mark.get("by") == self.jid]
        late = stanza.find(DELAY) is not None
        self._ledger.deliver(self.jid, Delivery(origin.attrib["id"], " ".join(rows), late))


class Sender(Person):
    """Somebody who sends numbered messages, and repeats after a crash what was not acknowledged.

    :param addressees: bare JIDs.
    :param padding: characters to add to each message.
    :ivar is_discouraged: an error came; nothing more is sent until `is_encouraged`.
    """

    def __init__(
        self, house: Place, localpart: str, ledger: Ledger, addressees: list[str], chance: Random, padding: int = 0
    ) -> None:
        super().__init__(house, localpart, ledger)
        self.is_discouraged = False
        self._addressees = addressees
        self._chance = chance
        self._padding = "." * padding
        self._number = 0
        self._under_way: deque[Message] = deque()
        self._acknowledged = 0
        self._done: asyncio.Future[None] | None = None

    # Sending

    def arrives(self, stream: Stream) -> None:
        """Repeat what was not acknowledged, then go on."""
        self._acknowledged = 0
        for message in self._under_way:
            stream.sends(self._written(message))
        stream.asks()
        self._go_on()

    def _go_on(self) -> None:
        """Send more if so much may be under way."""
        if self.stream is None or self._done is not None or self.is_discouraged:
            return
        if len(self._under_way) > WINDOW - BURST:
            return
        while len(self._under_way) < WINDOW:
            self.sends_one()
            if self._number % BURST == 0:
                self.stream.asks()
        self.stream.asks()

    def sends_one(self) -> Message:
        """Send one message."""
        assert self.stream is not None, "only who is connected sends"
        self._number += 1
        message = self._ledger.send(self.jid, self._chance.choice(self._addressees), self._number)
        self._under_way.append(message)
        self.stream.sends(self._written(message))
        return message

    def _written(self, message: Message) -> str:
        origin = f"<origin-id xmlns='urn:xmpp:sid:0' id='{message.name}'/>"
        body = f"<body>message {message.number}{self._padding}</body>"
        return f"<message type='chat' to='{message.to}' id='{message.name}'>{body}{origin}</message>"

    # What comes back

    def is_acknowledged(self, count: int) -> None:
        """Note what was acknowledged, and send more."""
        while self._under_way and self._acknowledged < count:
            self._acknowledged += 1
            self._ledger.acknowledge(self._under_way.popleft())
        self._go_on()
        if self._done is not None and not self._under_way and not self._done.done():
            self._done.set_result(None)

    def hears(self, stanza: ET.Element) -> None:
        """Note an error: it is the answer to a message that could not be stored."""
        if stanza.tag == f"{CLIENT}message" and stanza.get("type") == "error":
            self._ledger.refuse(stanza.attrib["id"])
            if not self.is_discouraged:
                self.is_discouraged = True
                self._ledger.note("discouraged")

    def is_encouraged(self) -> None:
        """Go on after errors."""
        self.is_discouraged = False
        self._go_on()

    async def tries(self) -> bool:
        """Send one message and wait for what comes of it; return whether it is stored."""
        message = self.sends_one()
        assert self.stream is not None
        self.stream.asks()
        await self._ledger.answers(message)
        return message.state is State.ACKNOWLEDGED

    async def finishes(self) -> None:
        """Send nothing new; return when everything is answered."""
        self._done = asyncio.get_running_loop().create_future()
        if self._under_way:
            await self._done
