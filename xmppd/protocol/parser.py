"""Bytes to elements, with every limit and refusal that architecture rule 1 asks for.

One expat parser reads one stream. It builds light `Element` trees and, beside them, keeps each stanza's own bytes, so that
what is only relayed is never serialised again (`Element.inner`).

Two ways to feed it:

* *careful*, while a stream is negotiated: `StreamParser.next` feeds expat up to each ``>`` and stops at each event, so that
  the bytes behind an event that restarts the stream are still bytes (expat cannot be stopped, and a second stream header
  inside one chunk is a syntax error to it);
* *swift*, once stanzas flow: `StreamParser.feed` hands over all there is and returns all elements that became whole.

What expat does not do for us:

* expat never forgets a name and keeps about 10 KiB: a parser is replaced at a stanza boundary after every MiB or some
  hundred distinct names, and at a boundary in a stream of the usual header it goes back to a `ParserPool`, so that idle
  sessions keep none at all (the state inside such a stream header is the same for every session);
* one huge tag sent in tiny pieces would be scanned anew for each piece (CVE-2023-52425; expat 2.5 has no defence, and the
  defence of 2.6 withholds stanzas, so it is switched off): `_HeldTag` reads each byte of an unfinished tag once and feeds
  expat when the tag ends.
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from xml.parsers import expat

from .element import Element
from .errors import StreamError
from .names import CLIENT, STREAM

SEPARATOR: Final = "}"
START_TAG: Final = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
TAG_PIECES: Final = re.compile(rb"""[^>"']*([>"'])""")
ENCODING_BYTES: Final = 4  # what it takes to tell UTF-8 from UTF-16 and UTF-32
LONG_TAG: Final = 1024  # bytes of an unfinished tag from which it is held back instead of rescanned
REPLACE_AFTER_BYTES: Final = 1 << 20
REPLACE_AFTER_NAMES: Final = 400
NAMESPACE_DECLARATIONS_CHECKED_FROM: Final = 16384  # bytes; a shorter stanza has no room for a harmful number


class Limits(NamedTuple):
    """What one element at stream level may cost.

    :ivar size: bytes from its start tag to its end tag.
    :ivar depth: levels of elements below it.
    :ivar attributes: attributes of one element.
    :ivar children: elements below it, at any depth.
    :ivar declarations: namespace declarations in it.
    """

    size: int = 262_144
    depth: int = 64
    attributes: int = 64
    children: int = 8192
    declarations: int = 4096


class StreamHeader(NamedTuple):
    """The start tag of a stream.

    :ivar name: its qualified name.
    :ivar attributes: its attributes; ``{http://www.w3.org/XML/1998/namespace}lang`` among them.
    :ivar default_namespace: the namespace of unprefixed names inside.
    """

    name: str
    attributes: dict[str, str]
    default_namespace: str


class StreamFooter(NamedTuple):
    """The end tag of a stream."""


Event = StreamHeader | StreamFooter | Element


def restricted(what: str) -> Callable[..., None]:
    """Return an expat handler that refuses `what` (RFC 6120, 11.1)."""

    def refuse(*_: Any) -> None:
        raise StreamError("restricted-xml", f"{what} not allowed")

    return refuse


class _HeldTag:
    """The bytes behind the start of an unfinished long tag: kept until its end, each read once."""

    __slots__ = ("_pieces", "_quote", "size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._quote = b""
        self.size = 0

    def start(self, unfinished: bytes) -> None:
        """Begin with what expat has already seen of the tag (not kept)."""
        self._scan(unfinished)

    def add(self, data: bytes) -> bytes | None:
        """Keep `data`; return all that was kept if the tag's end is in it."""
        self._pieces.append(data)
        self.size += len(data)
        return b"".join(self._pieces) if self._scan(data) else None

    def _scan(self, data: bytes) -> bool:
        position = 0
        while True:
            if self._quote:
                position = data.find(self._quote, position) + 1
                if not position:
                    return False
                self._quote = b""
            piece = TAG_PIECES.match(data, position)
            if piece is None:
                return False
            position = piece.end()
            if piece[1] == b">":
                return True
            self._quote = piece[1]


class StreamParser:
    """Reads one stream, or, from a pool, the stanzas of many streams one after another.

    :param limits: what one element may cost; may be replaced at a boundary.
    """

    __slots__ = (
        "_base", "_bytes_fed", "_children", "_chunk", "_chunks", "_current", "_declared_default", "_events", "_expat", "_first",
        "_header", "_held", "_in_stream", "_names", "_prefixed", "_raw_allowed", "_rest", "_seen_children", "_stack",
        "_start", "limits",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._header = b""
        self._rest = b""
        self._raw_allowed = False
        self._declared_default = ""
        self._reset()

    def _reset(self) -> None:
        parser = expat.ParserCreate("utf-8", SEPARATOR)
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start_element
        parser.EndElementHandler = self._end_element
        parser.CharacterDataHandler = self._character_data
        parser.XmlDeclHandler = self._xml_declaration
        parser.StartDoctypeDeclHandler = restricted("a document type declaration is")
        parser.EntityDeclHandler = restricted("an entity declaration is")
        parser.CommentHandler = restricted("a comment is")
        parser.ProcessingInstructionHandler = restricted("a processing instruction is")
        parser.SkippedEntityHandler = restricted("an entity reference is")
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)
        self._expat = parser
        self._names: dict[str, str] = {}
        self._events: deque[Event] = deque()
        self._stack: list[list[Element | str]] = []
        self._current: list[Element | str] | None = None
        self._in_stream = False
        self._prefixed = False
        self._start = 0  # byte index of the element being read
        self._seen_children = 0
        self._bytes_fed = 0
        self._base = 0  # byte index of the first byte of _chunks
        self._chunks: list[bytes] = []
        self._chunk = b""
        self._held: _HeldTag | None = None
        self._first = b""

    # The careful way

    def receive(self, data: bytes) -> None:
        """Take bytes to be read by `next`."""
        self._rest += data

    def next(self) -> Event | None:
        """Return the next event of what was received, or None if there is none yet.

        :raises StreamError: what was read breaks XML, the restrictions of RFC 6120 or a limit.
        """
        while not self._events:
            if not self._bytes_fed:  # white space that ended the stream before a restart
                self._rest = self._rest.lstrip(b" \t\r\n")
            end = self._rest.find(b">") + 1
            if end:
                piece, self._rest = self._rest[:end], self._rest[end:]
            elif self._rest:
                piece, self._rest = self._rest, b""
            else:
                return None
            self._parse(piece)
        return self._events.popleft()

    @property
    def unread(self) -> int:
        """How many bytes were received but not read."""
        return len(self._rest)

    def take_rest(self) -> bytes:
        """Return the bytes that were received but not read, and forget them."""
        rest, self._rest = self._rest, b""
        return rest

    def restart(self) -> None:
        """Expect a new stream; bytes not read yet belong to it (RFC 6120, 4.3.3)."""
        self._header = b""
        self._reset()

    # The swift way

    def feed(self, data: bytes) -> "deque[Event]":
        """Read `data` and return a deque of what became whole; the caller empties it.

        :raises StreamError: as `next`; what became whole before the error is in `take_events`.
        """
        self._parse(data)
        return self._events

    def take_events(self) -> list[Event]:
        """Return and forget what is whole."""
        events = list(self._events)
        self._events.clear()
        return events

    @property
    def at_boundary(self) -> bool:
        """Whether the last byte read ended an element at stream level (or white space between two)."""
        return (
            self._current is None
            and self._in_stream
            and self._held is None
            and self._expat.CurrentByteIndex == self._bytes_fed
        )

    @property
    def is_worn(self) -> bool:
        """Whether the parser holds so much that it must be replaced at the next boundary."""
        return self._bytes_fed > REPLACE_AFTER_BYTES or len(self._names) > REPLACE_AFTER_NAMES

    @property
    def is_usual(self) -> bool:
        """Whether the stream header declared just what nearly every client declares, so that parsers may be shared."""
        return self._raw_allowed and self._header == USUAL_HEADER

    def renew(self) -> None:
        """Replace expat at a boundary, keeping the namespaces of the stream header."""
        self._reset()
        self._expat.Parse(self._header, False)
        self._bytes_fed = self._base = len(self._header)
        self._events.clear()

    # Reading

    def _parse(self, data: bytes) -> None:
        held = self._held
        if held is not None:
            whole = held.add(data)
            if whole is None:
                self._check_size(held.size)
                return
            self._held = None
            data = whole
        if not self._bytes_fed:
            data = self._first = self._first + data
            if len(data) < ENCODING_BYTES:
                return  # too few to tell the encoding, and no stream header is that short
            refuse_other_encodings(data)
            self._first = b""
        self._chunk = data
        if self._current is not None or self._chunks:
            self._chunks.append(data)
        else:
            self._base = self._bytes_fed
        self._bytes_fed += len(data)
        try:
            self._expat.Parse(data, False)
        except expat.ExpatError as error:
            raise wrong_xml(error) from None
        unfinished = self._bytes_fed - self._expat.CurrentByteIndex
        if self._current is None and not unfinished:
            self._chunks.clear()
            self._chunk = b""
            return
        self._keep(unfinished)

    def _keep(self, unfinished: int) -> None:
        """Keep the bytes of what is not whole yet; hold back the rest of a long tag."""
        if not self._chunks:
            self._chunks.append(self._chunk)
        if self._current is None:  # only an unfinished start tag belongs to what comes
            tail = b"".join(self._chunks)[-unfinished:]
            self._chunks = [tail]
            self._base = self._start = self._bytes_fed - unfinished
        self._chunk = b""
        self._check_size(0)
        if unfinished >= LONG_TAG:
            tail = b"".join(self._chunks)[-unfinished:]
            if tail.startswith((b"<!", b"<?")) and not tail.startswith(b"<![CDATA["):
                raise StreamError("restricted-xml", "comments, declarations and processing instructions are not allowed")
            if tail.startswith(b"<"):
                self._held = _HeldTag()
                self._held.start(tail)

    def _check_size(self, held: int) -> None:
        if self._bytes_fed + held - self._start > self.limits.size:
            raise StreamError("policy-violation", f"an element may have at most {self.limits.size} bytes")

    def _start_element(self, expat_name: str, attributes: dict[str, str]) -> None:
        name = self._names.get(expat_name) or self._learn(expat_name)
        if attributes:
            for attribute in attributes:
                if SEPARATOR in attribute:
                    attributes = self._named_attributes(attributes)
                    break
        current = self._current
        if current is None:
            if not self._in_stream:
                self._open_stream(name, attributes)
                return
            self._start = self._expat.CurrentByteIndex
            self._prefixed = expat_name.count(SEPARATOR) > 1
            self._seen_children = 0
            children: list[Element | str] = []
            self._stack.append([Element(name, attributes, children)])
            self._current = children
            return
        limits = self.limits
        self._seen_children += 1
        if (
            self._seen_children > limits.children
            or len(self._stack) > limits.depth
            or len(attributes) > limits.attributes
        ):
            raise StreamError("policy-violation", "an element has too many children, levels or attributes")
        children = []
        current.append(Element(name, attributes, children))
        self._stack.append(current)
        self._current = children

    def _end_element(self, expat_name: str) -> None:
        stack = self._stack
        if not stack:
            self._in_stream = False
            self._events.append(StreamFooter())
            return
        current = stack.pop()
        if stack:
            self._current = current
            return
        self._current = None
        element: Element = current[0]  # type: ignore[assignment]  # the bottom of the stack is the element itself
        self._finish(element, self._expat.CurrentByteIndex)
        self._events.append(element)

    def _finish(self, element: Element, end: int) -> None:
        """Check a whole element's size and give it its own bytes."""
        limits = self.limits
        size = end - self._start
        if size > limits.size or len(element.attributes) > limits.attributes:
            raise StreamError("policy-violation", f"an element may have at most {limits.size} bytes")
        if self._chunks:
            data = self._chunk = b"".join(self._chunks)
            self._chunks = [data]
        else:
            data = self._chunk
        if self._prefixed or not self._raw_allowed:
            return
        start = self._start - self._base
        tag = START_TAG.match(data, start)
        if tag is None:
            return
        element.inner = inner = data[tag.end() : end - self._base]
        if size > NAMESPACE_DECLARATIONS_CHECKED_FROM and inner.count(b"xmlns") > limits.declarations:
            raise StreamError("policy-violation", "an element has too many namespace declarations")

    def _character_data(self, text: str) -> None:
        current = self._current
        if current is not None:
            current.append(text)
        elif text.strip(" \t\r\n"):
            raise StreamError("bad-format", "character data between stanzas")

    def _open_stream(self, name: str, attributes: dict[str, str]) -> None:
        """Note the stream header; its bytes are needed again whenever expat is replaced."""
        self._in_stream = True
        if self._header:  # expat was replaced and reads what we already know
            return
        header = b"".join(self._chunks) if self._chunks else self._chunk
        tag = START_TAG.search(header, max(0, self._expat.CurrentByteIndex - self._base))
        self._header, self._declared_default = namespace_declarations(tag[0] if tag else b"", name)
        self._raw_allowed = self._declared_default == CLIENT
        self._events.append(StreamHeader(name, attributes, self._declared_default))

    def _learn(self, expat_name: str) -> str:
        """Translate a name; those with a prefix are not remembered, as each use must be noticed."""
        parts = expat_name.split(SEPARATOR)
        if len(parts) == 1:
            clark = expat_name
        else:
            clark = f"{{{parts[0]}}}{parts[1]}"
            if len(parts) == 3:
                self._prefixed = True
                if len(self._names) <= REPLACE_AFTER_NAMES:  # counted, under a name that is never looked up
                    self._names[f"{SEPARATOR}{expat_name}"] = clark
                return clark
        self._names[expat_name] = clark
        return clark

    def _named_attributes(self, attributes: dict[str, str]) -> dict[str, str]:
        named = {}
        for key, value in attributes.items():
            parts = key.split(SEPARATOR)
            if len(parts) == 1:
                named[key] = value
                continue
            named[f"{{{parts[0]}}}{parts[1]}"] = value
            if len(parts) == 3 and parts[2] != "xml":
                self._prefixed = True
                if len(self._names) <= REPLACE_AFTER_NAMES:
                    self._names[f"{SEPARATOR}{key}"] = key
        return named

    def _xml_declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
            raise StreamError("unsupported-encoding", "only UTF-8 is allowed")


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
HEADER_NAME: Final = re.compile(rb"<([^\s/>]+)")


def namespace_declarations(tag: bytes, name: str) -> tuple[bytes, str]:
    """Return a start tag with the namespace declarations of `tag` alone, in one order, and the default namespace.

    What quotes hold is blanked before looking for names, so that an attribute's value cannot pass for a declaration.
    """
    element = HEADER_NAME.match(tag)
    found: dict[bytes, bytes] = {}
    position = element.end() if element else 0
    while True:
        declaration = ATTRIBUTE.match(tag, position)
        if declaration is None:
            break
        position = declaration.end()
        key, value = declaration[1], declaration[2]
        if key == b"xmlns" or key.startswith(b"xmlns:"):
            found[key] = value[1:-1]
    default = found.get(b"xmlns", b"").decode()
    written = b"".join(b" %s='%s'" % (key, value.replace(b"'", b"&apos;")) for key, value in sorted(found.items()))
    return b"<%s%s>" % (element[1] if element else b"stream", written), default


ATTRIBUTE: Final = re.compile(rb"""\s*([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")
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
        parser = StreamParser(self.limits)
        parser._header, parser._raw_allowed, parser._declared_default = USUAL_HEADER, True, CLIENT
        parser.renew()
        return parser

    def give_back(self, parser: StreamParser) -> None:
        """Take a parser back, which must be at a boundary; a worn one is dropped."""
        if len(self._idle) < self._size and not parser.is_worn and parser.limits is self.limits:
            self._idle.append(parser)
