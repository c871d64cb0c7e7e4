"""XEP-0198: Stream Management: its elements, and what one side knows of the stanzas that it has sent.

Counts on the wire are modulo 2^32 and go from the highest value back to 0 (Acks). Nothing here ever compares two of
them: what counts is how far one is ahead of the other.

How a driver uses `Outgoing`, which sees every stanza of a managed stream::

    if outgoing.add(data, row):        # rare: something is due
        if outgoing.is_over: ...       # too much is unacknowledged: give up
        elif outgoing.may_ask: ...     # send <r/>, then outgoing.asked()
        else: outgoing.put_off()       # and ask when the stream is idle
    acknowledged = outgoing.take(h)    # <a h='...'/> came
"""

import re
from collections import deque
from typing import Final, NamedTuple

from .element import E, Element
from .errors import BadRequest, StanzaError, StreamError
from .names import STANZA_ERRORS, XML_LANG
from .writer import serialise

NS: Final = "urn:xmpp:sm:3"
MODULUS: Final = 1 << 32
FEATURE: Final = E(f"{{{NS}}}sm")
ENABLE: Final = f"{{{NS}}}enable"
RESUME: Final = f"{{{NS}}}resume"
REQUEST: Final = f"{{{NS}}}r"
ANSWER: Final = f"{{{NS}}}a"
ASK: Final = serialise(E(REQUEST))
"""The bytes of `<r/>`."""

NUMBER: Final = re.compile("[0-9]{1,10}").fullmatch
BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
LONGEST_ID: Final = 4000  # bytes: "The SM-ID SHOULD NOT be longer"


class Bounds(NamedTuple):
    """How much may be unacknowledged, and when to ask.

    :ivar stanzas: at most so many.
    :ivar size: at most so many bytes.
    :ivar ask_stanzas: ask behind so many.
    :ivar ask_size: ask behind so many bytes.
    """

    stanzas: int
    size: int
    ask_stanzas: int
    ask_size: int


class Outgoing:
    """The stanzas that we have sent and the other side has not acknowledged.

    At most one `<r/>` is on its way: one is sent behind so many stanzas or bytes, or when the stream is idle.

    :ivar queue: pairs of bytes and row, the oldest first.
    :ivar size: how many bytes they have.
    :ivar acknowledged: the last `h` that came.
    :ivar is_asked: whether an `<r/>` waits for its answer.
    """

    __slots__ = ("_bounds", "_mark", "_size_mark", "acknowledged", "is_asked", "queue", "size")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.queue: deque[tuple[bytes, int]] = deque()
        self.size = 0
        self.acknowledged = 0
        self.is_asked = False
        self._mark = 1  # something is due once the queue is so long,
        self._size_mark = bounds.size + 1  # or has so many bytes

    def add(self, data: bytes, row: int) -> bool:
        """Note a stanza as sent; return whether something is due."""
        queue = self.queue
        queue.append((data, row))
        self.size = size = self.size + len(data)
        return len(queue) >= self._mark or size >= self._size_mark

    @property
    def sent(self) -> int:
        """How many stanzas were sent, as it is told on the wire."""
        return (self.acknowledged + len(self.queue)) % MODULUS

    @property
    def is_over(self) -> bool:
        """Whether more is unacknowledged than may be."""
        return len(self.queue) > self._bounds.stanzas or self.size > self._bounds.size

    @property
    def may_ask(self) -> bool:
        """Whether so much is unacknowledged that an `<r/>` is due at once."""
        bounds = self._bounds
        return not self.is_asked and (len(self.queue) >= bounds.ask_stanzas or self.size >= bounds.ask_size)

    @property
    def is_due(self) -> bool:
        """Whether something was sent of which nobody has asked."""
        return bool(self.queue) and not self.is_asked

    def asked(self) -> None:
        """Note that `<r/>` was sent, or that nobody can be asked: until that changes, nothing is due but to give up."""
        self.is_asked = True
        self._mark, self._size_mark = self._bounds.stanzas + 1, self._bounds.size + 1

    def put_off(self) -> None:
        """Note that somebody will ask when the stream is idle, or earlier if more is sent."""
        self._mark = min(self._bounds.ask_stanzas, self._bounds.stanzas + 1)
        self._size_mark = min(self._bounds.ask_size, self._bounds.size + 1)

    def take(self, h: int) -> list[tuple[bytes, int]]:
        """Take the other side's count; return what it has acknowledged by it.

        :raises StreamError: that would be more than was sent.
        """
        queue = self.queue
        count = (h - self.acknowledged) % MODULUS
        if count > len(queue):
            raise too_high(h, self.sent)
        taken = [queue.popleft() for _ in range(count)]
        self.acknowledged = h
        self.size -= sum([len(data) for data, _ in taken])
        self._ask_anew()
        return taken

    def restart(self) -> list[bytes]:
        """Return the bytes of all that is unacknowledged, to be sent again on another stream."""
        self._ask_anew()
        return [data for data, _ in self.queue]

    def _ask_anew(self) -> None:
        self.is_asked = False
        self._mark, self._size_mark = 1, self._bounds.size + 1


# What the other side says


class Wish(NamedTuple):
    """What `<enable/>` asks for.

    :ivar resume: whether the session may be resumed.
    :ivar seconds: for how long it would like that at most; None leaves it to us.
    """

    resume: bool
    seconds: int | None


class Claim(NamedTuple):
    """What `<resume/>` says.

    :ivar previd: the id of the session that is to go on.
    :ivar h: how many of our stanzas were handled in it.
    """

    previd: str
    h: int


def read_enable(element: Element) -> Wish:
    """Read `<enable/>`.

    :raises BadRequest: `resume` is no boolean, or `max` no number.
    """
    resume = BOOLEANS.get(element.get("resume", "false") or "")
    if resume is None:
        raise BadRequest("resume is true or false")
    text = element.get("max")
    return Wish(resume, None if text is None else _number(text, "max"))


def read_resume(element: Element) -> Claim:
    """Read `<resume/>`.

    :raises BadRequest: it has no `previd`, or `h` is no count.
    """
    previd = element.get("previd") or ""
    if not previd or len(previd.encode()) > LONGEST_ID:
        raise BadRequest("previd names the session to resume")
    return Claim(previd, _number(element.get("h"), "h"))


def read_answer(element: Element) -> int:
    """Read the count of `<a/>`.

    :raises StreamError: it has none; nothing that follows can be counted then.
    """
    try:
        return _number(element.get("h"), "h")
    except BadRequest as error:
        raise StreamError("invalid-xml", error.text) from None


def _number(text: str | None, name: str) -> int:
    """Return an xs:unsignedInt; signs, spaces and other scripts' digits are none of ours."""
    if text is None or NUMBER(text) is None or (value := int(text)) >= MODULUS:
        raise BadRequest(f"{name} is a number below 2^32")
    return value


# What we say


def answer(h: int) -> bytes:
    """Return `<a/>`."""
    return b"<a xmlns='urn:xmpp:sm:3' h='%d'/>" % (h % MODULUS)


def enabled(id: str | None, seconds: int, location: str | None = None) -> Element:
    """Return `<enabled/>`; without an id the session cannot be resumed."""
    if id is None:
        return E(f"{{{NS}}}enabled")
    return E(f"{{{NS}}}enabled", id=id, resume="true", max=seconds, location=location)


def resumed(previd: str, h: int) -> Element:
    """Return `<resumed/>`."""
    return E(f"{{{NS}}}resumed", previd=previd, h=h % MODULUS)


def failed(error: StanzaError, h: int | None = None) -> Element:
    """Return `<failed/>`.

    :param h: how many stanzas were handled in a session that has timed out, if that is still known.
    """
    return E(
        f"{{{NS}}}failed",
        E(f"{{{STANZA_ERRORS}}}{error.condition}"),
        E(f"{{{STANZA_ERRORS}}}text", {XML_LANG: "en"}, error.text) if error.text else None,
        h=None if h is None else h % MODULUS,
    )


def too_high(h: int, sent: int) -> StreamError:
    """Return the stream error for an `h` that counts what was never sent (Error Handling), or less than before."""
    specific = E(f"{{{NS}}}handled-count-too-high", {"h": str(h), "send-count": str(sent)})
    text = f"You acknowledged {h} of {sent} stanzas, which cannot follow on what you acknowledged before."
    if h > sent:
        text = f"You acknowledged {h} stanzas, but only {sent} were sent so far."
    return StreamError("undefined-condition", text, specific=specific)
