"""Bytes to elements, with every limit and refusal that architecture rule 1 asks for.

One expat parser reads one stream. It makes light `Element`s and, beside them, keeps each stanza's own bytes, so
that what is only relayed is never serialised again (`Element.inner`).

Two ways to feed it:

* *careful*, while a stream is negotiated: `StreamParser.next` feeds expat up to each ``>`` and stops at each event,
  so that the bytes behind an event that restarts the stream are still bytes (expat cannot be stopped, and a second
  stream header inside one chunk is a syntax error to it);
* *swift*, once stanzas flow: `StreamParser.feed` hands over all there is and returns all elements that became whole.

What expat does not do for us:

* expat never forgets a name and keeps about 10 KiB: a parser is replaced at a stanza boundary after every MiB or some
  hundred distinct names, and at a boundary in a stream of the usual header it goes back to a `ParserPool`, so that idle
  sessions keep none at all (the state inside such a stream header is the same for every session);
* one huge tag sent in tiny pieces would be scanned anew for each piece (CVE-2023-52425; expat 2.5 has no defence, and
  the defence of 2.6 withholds stanzas, so it is switched off): `HeldTag` reads each byte of an unfinished tag once
  and feeds expat when the tag ends.
"""

from typing import Final
from xml.parsers import expat

from .declarations import (
    HEADER_NAME,
    SHORTEST_DECLARATION,
    START_TAG,
    check_declarations,
    declarations_of,
)
from .element import Element
from .errors import StreamError
from .held_tag import HeldTag
from .names import CLIENT, STREAM
from .qualified import SEPARATOR
from .tree import Event, Limits, Opening, StreamFooter, StreamHeader, Tree, check_declaration, restricted

ENCODING_BYTES: Final = 4  # what it takes to tell UTF-8 from UTF-16 and UTF-32
LONG_TAG: Final = 1024  # bytes of an unfinished tag from which it is held back instead of rescanned
MANY_PIECES: Final = 256  # in which a stanza has come, from where on they are joined
REPLACE_AFTER_BYTES: Final = 1 << 20
REPLACE_AFTER_NAMES: Final = 400
LONGEST_HEADER: Final = 10_000  # bytes; a session keeps its header's declarations, and reads them with each new expat
REFUSE_DOCTYPE: Final = restricted("a document type declaration is")
REFUSE_ENTITY: Final = restricted("an entity declaration is")
REFUSE_COMMENT: Final = restricted("a comment is")
REFUSE_INSTRUCTION: Final = restricted("a processing instruction is")
REFUSE_REFERENCE: Final = restricted("an entity reference is")


class StreamParser:
    """Reads one stream, or, from a pool, the stanzas of many streams one after another.

    :param limits: what one element may cost.
    :param header: namespace declarations of a stream header to begin inside of; empty to expect a stream header.
    :ivar at_boundary: whether the last byte read ended an element at stream level (or white space between two).
    :ivar is_worn: whether the parser holds so much that it must be replaced at the next boundary.
    """

    __slots__ = (
        "_base", "_bytes_fed", "_chunk", "_chunks", "_events", "_expat", "_first", "_harmless", "_header", "_held",
        "_in_tag", "_raw_allowed", "_read", "_rest", "_tree", "at_boundary", "is_worn", "limits",
    )  # fmt: skip

    def __init__(self, limits: Limits, header: bytes = b"") -> None:
        self.limits = limits
        self._harmless = min(limits.size, limits.declarations * SHORTEST_DECLARATION)  # bytes that break no limit
        self._header = header
        self._raw_allowed = header == USUAL_HEADER
        self._rest = b""
        self._read = 0  # how much of it is read
        self._reset()
        if header:
            self._enter()

    def __del__(self) -> None:
        self._tree.release()

    def _reset(self) -> None:
        parser = expat.ParserCreate("utf-8", SEPARATOR)
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.XmlDeclHandler = check_declaration
        parser.StartDoctypeDeclHandler = REFUSE_DOCTYPE
        parser.EntityDeclHandler = REFUSE_ENTITY
        parser.CommentHandler = REFUSE_COMMENT
        parser.ProcessingInstructionHandler = REFUSE_INSTRUCTION
        parser.SkippedEntityHandler = REFUSE_REFERENCE
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)
        self._expat = parser
        self._tree = Tree(parser, self.limits)
        self._events: list[Event] = []
        self._bytes_fed = 0
        self._base = 0  # byte index of the first byte of _chunks, or of _chunk if there are none
        self._chunks: list[bytes] = []  # the bytes of what is not whole yet
        self._chunk = b""
        self._held: HeldTag | None = None
        self._first = b""
        self._in_tag = False  # what was read ends inside a tag, which may be the last one of an element
        self.at_boundary = self.is_worn = False

    def _enter(self) -> None:
        """Have a new expat read the stream header that is known already."""
        self._expat.Parse(self._header, False)
        self._bytes_fed = self._base = len(self._header)
        self._tree.done.clear()
        self.at_boundary = True

    # The careful way

    def receive(self, data: bytes) -> None:
        """Take bytes to be read by `next`."""
        self._rest = self._rest[self._read :] + data
        self._read = 0

    def next(self) -> Event | None:
        """Return the next event of what was received, or None if there is none yet.

        :raises StreamError: what was read breaks XML, the restrictions of RFC 6120 or a limit.
        """
        while not self._events:
            if not self._bytes_fed:  # white space that ended the stream before a restart
                self._rest = self._rest[self._read :].lstrip(b" \t\r\n")
                self._read = 0
            begin, end = self._read, self._piece() or len(self._rest)
            if begin == end:
                self._rest = b""
                self._read = 0
                return None
            self._read = end
            piece = self._rest[begin:end]
            opened, closed = piece.rfind(b"<"), piece.rfind(b">")
            if opened != closed:
                self._in_tag = opened > closed
            self._parse(piece)
        return self._events.pop(0)  # of a few: a piece ends where an element does

    def _piece(self) -> int:
        """Return up to where bytes may be fed, 0 if unsure: none may lie behind the end of an element at stream level.

        An element that is not empty ends no earlier than with the first end tag of its name, and one that has begun no
        earlier than with the next end tag, unless its own has begun; whatever else there is, is fed up to each ``>``.
        """
        rest, begin = self._rest, self._read
        if not self._bytes_fed and rest.startswith(b"<?xml"):  # which is no event yet
            return rest.find(b">", rest.find(b">") + 1) + 1
        if self._tree.is_between():
            tag = START_TAG.match(rest, begin)
            name = HEADER_NAME.match(rest, begin)
            if tag is not None and name is not None and not tag[0].endswith(b"/>"):
                close = rest.find(b"</" + name[1], tag.end())
                end = rest.find(b">", close) + 1 if close > 0 else 0
                if end:
                    return end
        elif self._tree.is_inside() and not self._in_tag and (close := rest.find(b"</", begin)) != begin:
            return close if close > 0 else len(rest)
        return rest.find(b">", begin) + 1

    @property
    def unread(self) -> int:
        """How many bytes were received but not read."""
        return len(self._rest) - self._read

    def take_rest(self) -> bytes:
        """Return the bytes that were received but not read, and forget them."""
        rest, self._rest, self._read = self._rest[self._read :], b"", 0
        return rest

    # The swift way

    def feed(self, data: bytes) -> list[Event]:
        """Read `data` and return what became whole and was not taken yet; `take_events` makes it forgotten.

        :raises StreamError: as `next`; what became whole before the error can be taken, too.
        """
        if self.is_worn:
            data = self._replace(data)
        if data:
            self._parse(data)
        return self._events

    def _replace(self, data: bytes) -> bytes:
        """Read up to the next boundary, and renew there; return the rest.

        Somebody whose every piece ends in the middle of a stanza would keep one expat, and all names, for ever.
        """
        read = 0
        while end := data.find(b">", read) + 1:
            self._parse(data[read:end])
            read = end
            if self.at_boundary:
                self.renew()
                break
        return data[read:]

    def take_events(self) -> list[Event]:
        """Return and forget what is whole."""
        events, self._events = self._events, []
        return events

    @property
    def is_usual(self) -> bool:
        """Whether the stream header declared just what nearly every client declares, so that parsers may be shared."""
        return self._header == USUAL_HEADER

    def renew(self) -> None:
        """Replace expat at a boundary, keeping the namespaces of the stream header."""
        events = self._events
        self._tree.release()
        self._reset()
        self._enter()
        self._events = events

    # Reading

    def _parse(self, data: bytes) -> None:
        if self._held is not None or not self._bytes_fed:
            ready = self._tag_whole(data) if self._held is not None else self._encoding_known(data)
            if ready is None:
                return
            data = ready
        if self._chunks:
            self._chunks.append(data)
        else:
            self._base = self._bytes_fed
        self._chunk = data
        self._bytes_fed += len(data)
        try:
            self._expat.Parse(data, False)
        except expat.ExpatError as error:
            self._collect()
            raise wrong_xml(error) from None
        except StreamError:
            self._collect()
            raise
        tree = self._tree
        if tree.done:
            self._collect()
        self.is_worn = self._bytes_fed > REPLACE_AFTER_BYTES or len(tree.names) > REPLACE_AFTER_NAMES
        unfinished = self._bytes_fed - self._expat.CurrentByteIndex
        self.at_boundary = not unfinished and tree.is_between()
        if not self.at_boundary:
            self._keep(unfinished)
        elif self._chunks:
            self._chunks = []

    def _tag_whole(self, data: bytes) -> bytes | None:
        """Return all that was held back of a long tag, or None if it goes on."""
        assert self._held is not None
        whole = self._held.add(data)
        if whole is None:
            self._check_size(self._held.size)
        else:
            self._held = None
        return whole

    def _encoding_known(self, data: bytes) -> bytes | None:
        """Return the first bytes of a stream, or None if they are too few to tell the encoding by."""
        data = self._first = self._first + data
        if len(data) < ENCODING_BYTES:
            return None  # no stream header is that short
        refuse_other_encodings(data)
        self._first = b""
        return data

    def _collect(self) -> None:
        """Make events of what became whole, giving elements their own bytes."""
        data = self._chunk
        if self._chunks:
            data = b"".join(self._chunks)
            self._chunks = [data]
        base, done = self._base, self._tree.done
        for item, start, content, end, raw in done:
            if not isinstance(item, Element):
                self._events.append(self._outermost(item, data, start - base))
                continue
            if end - start > self._harmless:
                self._check_whole(data, start - base, end - base)
            if raw and self._raw_allowed:
                begin = content - base if content >= 0 else behind_start_tag(data, start - base)
                item.inner = data[begin : end - base]
            self._events.append(item)
        done.clear()

    def _check_whole(self, data: bytes, start: int, end: int) -> None:
        """Refuse an element that is too large, or has too many namespace declarations."""
        if end - start > self.limits.size:
            raise StreamError("policy-violation", f"an element may have at most {self.limits.size} bytes")
        check_declarations(data, self.limits.declarations, start, end)

    def _outermost(self, item: Opening | StreamFooter, data: bytes, at: int) -> Event:
        """Note a stream header: its declarations are needed again whenever expat is replaced."""
        if isinstance(item, StreamFooter):
            return item
        tag = START_TAG.search(data, max(0, at))
        header = tag[0] if tag else b""
        if len(header) > LONGEST_HEADER:
            raise StreamError("policy-violation", f"a stream header may have at most {LONGEST_HEADER} bytes")
        check_declarations(header, self.limits.declarations, 0, len(header))
        self._header, default = declarations_of(header)
        self._raw_allowed = default == CLIENT
        return StreamHeader(item.name, item.attributes, default)

    def _keep(self, unfinished: int) -> None:
        """Keep the bytes of what is not whole yet; hold back the rest of a long tag."""
        if not self._chunks:
            self._chunks = [self._chunk]
        elif len(self._chunks) >= MANY_PIECES:
            self._chunks = [b"".join(self._chunks)]
        if self._tree.is_between():  # only an unfinished start tag belongs to what comes
            self._chunks = [b"".join(self._chunks)[-unfinished:]]
            self._base = self._bytes_fed - unfinished
        self._check_size(0)
        if unfinished >= LONG_TAG:
            self._hold(b"".join(self._chunks)[-unfinished:])

    def _hold(self, tail: bytes) -> None:
        """Take over from expat the reading of a long tag, up to its end."""
        if tail.startswith((b"<!", b"<?")) and not tail.startswith(b"<![CDATA["):
            raise StreamError("restricted-xml", "comments, declarations and processing instructions are not allowed")
        if tail.startswith(b"&"):  # would be scanned anew as a tag is, and no reference needs to be that long
            raise StreamError("restricted-xml", "only the predefined entities and short references are allowed")
        if tail.startswith(b"<"):
            self._held = HeldTag(tail)

    def _check_size(self, held: int) -> None:
        start = self._base if self._tree.is_between() else self._tree.start()
        if self._bytes_fed + held - start > self.limits.size:
            raise StreamError("policy-violation", f"an element may have at most {self.limits.size} bytes")


def behind_start_tag(data: bytes, start: int) -> int:
    """Return where the start tag at `start`, which expat has read, ends."""
    tag = START_TAG.match(data, start)
    assert tag is not None, "it is well-formed"
    return tag.end()


def refuse_other_encodings(data: bytes) -> None:
    """Refuse UTF-16 and UTF-32 by their first bytes, which expat, told that it reads UTF-8, calls malformed."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:4]:
        raise StreamError("unsupported-encoding", "only UTF-8 is allowed")


def wrong_xml(error: expat.ExpatError) -> StreamError:
    """Translate what expat found wrong into the stream error that RFC 6120, 4.9.3 names for it."""
    if error.code in UNDECLARED_PREFIX:
        return StreamError("bad-namespace-prefix", expat.errors.messages[error.code])
    if error.code in UNDEFINED_ENTITY:
        return StreamError("restricted-xml", "only the predefined entities are allowed")
    return StreamError("not-well-formed", expat.errors.messages.get(error.code, "not well-formed"))


UNDECLARED_PREFIX: Final = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_UNBOUND_PREFIX,
        expat.errors.XML_ERROR_UNDECLARING_PREFIX,
        expat.errors.XML_ERROR_RESERVED_PREFIX_XML,
        expat.errors.XML_ERROR_RESERVED_PREFIX_XMLNS,
        expat.errors.XML_ERROR_RESERVED_NAMESPACE_URI,
    )
)
UNDEFINED_ENTITY: Final = frozenset(
    expat.errors.codes[message]
    for message in (expat.errors.XML_ERROR_UNDEFINED_ENTITY, expat.errors.XML_ERROR_RECURSIVE_ENTITY_REF)
)
USUAL_HEADER: Final = f"<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}'>".encode()


class ParserPool:
    """Parsers inside a stream header of the usual declarations, lent to whichever session has bytes to read.

    :param limits: what one stanza may cost.
    :param size: how many idle parsers to keep.
    """

    def __init__(self, limits: Limits, size: int = 64) -> None:
        self.limits = limits
        self._size = size
        self._idle: list[StreamParser] = []

    def take(self) -> StreamParser:
        """Return a parser at a stanza boundary."""
        if self._idle:
            return self._idle.pop()
        return StreamParser(self.limits, USUAL_HEADER)

    def give_back(self, parser: StreamParser) -> None:
        """Take a parser back, which must be at a boundary; a worn one is dropped."""
        if len(self._idle) < self._size and not parser.is_worn and parser.limits is self.limits:
            self._idle.append(parser)
