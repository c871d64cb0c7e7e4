"""Input that is meant to cost much: the parser's work and memory grow with what was sent, and no faster.

Work is counted in the bytes that expat is given anew, memory in what the parser holds; no test looks at a clock.
"""

import gc
import itertools
from collections.abc import Iterable, Iterator

import pytest

from xmppd.protocol.element import Element
from xmppd.protocol.errors import StreamError
from xmppd.protocol.parser import LONG_TAG, LONGEST_HEADER, MANY_PIECES, ParserPool, StreamParser
from xmppd.protocol.tree import SHORT_TEXT, Event, Limits

HEADER = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"


def in_stream(limits: Limits | None = None) -> StreamParser:
    """Return a parser that has read a stream header."""
    parser = StreamParser(limits or Limits())
    parser.feed(HEADER)
    parser.take_events()
    return parser


def fed(parser: StreamParser, data: bytes, size: int) -> list[Event]:
    """Feed data in pieces of `size`; return the events."""
    found: list[Event] = []
    for start in range(0, len(data), size):
        parser.feed(data[start : start + size])
        found += parser.take_events()
    return found


class Counting:
    """An expat that counts what it scans: what it is given, and what it has not finished each time."""

    def __init__(self, expat: object) -> None:
        self._expat = expat
        self.scanned = 0
        self._given = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._expat, name)

    def Parse(self, data: bytes, final: bool) -> None:
        unfinished = self._given - max(self._expat.CurrentByteIndex, 0)  # type: ignore[attr-defined]
        self._given += len(data)
        self.scanned += unfinished + len(data)
        self._expat.Parse(data, final)  # type: ignore[attr-defined]


UNFINISHED = {
    "a start tag": b"<message><" + b"x" * 200_000,
    "an attribute": b"<message to='" + b"x" * 200_000,
    "an end tag": b"<message></message" + b" " * 200_000,
    "text": b"<message>" + b"x" * 200_000,
    "brackets": b"<message>" + b"]" * 200_000,
    "line breaks": b"<message>" + b"\r" * 200_000,
    "a CDATA section": b"<message><![CDATA[" + b"x" * 200_000,
    "white space between stanzas": b" " * 200_000,
    "an entity": b"<message>&" + b"x" * 200_000,
    "an entity between stanzas": b"&" + b"x" * 200_000,
    "a character reference": b"<message>&#" + b"0" * 200_000,
    "a comment": b"<message><!--" + b"x" * 200_000,
    "a processing instruction": b"<message><?x " + b"x" * 200_000,
    "a doctype": b"<message><!DOCTYPE " + b"x" * 200_000,
}


@pytest.mark.parametrize("data", UNFINISHED.values(), ids=UNFINISHED.keys())
def test_nothing_unfinished_is_scanned_again_and_again(data: bytes) -> None:
    """CVE-2023-52425: whatever it is that does not end, sent in single bytes it costs what it is long.

    Up to `LONG_TAG` bytes may be scanned with each byte; that they are, once, is what the second term allows.
    """
    parser = in_stream()
    counting = parser._expat = Counting(parser._expat)
    try:
        fed(parser, data, 1)
    except StreamError as error:
        assert error.condition in ("restricted-xml", "not-well-formed", "policy-violation")
    assert counting.scanned < 4 * len(data) + LONG_TAG * (LONG_TAG + len(HEADER))


@pytest.mark.parametrize("reference", [b"&" + b"x" * 2000 + b";", b"&#" + b"0" * 2000 + b"32;"])
def test_a_long_reference(reference: bytes) -> None:
    """RFC 6120, 11.1: no reference that is allowed is long, so nobody waits for its end."""
    with pytest.raises(StreamError) as caught:
        fed(in_stream(), b"<message><body>" + reference, 1)
    assert caught.value.condition == "restricted-xml"


@pytest.mark.parametrize("letter", ["x", "\u0436", "\u4e2d", "\U0001f339"])
@pytest.mark.parametrize("form", [b"%b", b"<![CDATA[%b]]>"], ids=["text", "CDATA"])
def test_text_in_single_characters(letter: str, form: bytes) -> None:
    """Text that comes character by character is kept as few pieces, not as an object for each."""
    one = letter.encode()
    count = 60_000
    data = b"<message><body>" + form % (one * count) + b"</body></message>"
    (message,) = fed(in_stream(), data, len(one))
    assert isinstance(message, Element)
    body = message.first
    assert body is not None
    assert body.text == letter * count
    assert len(body.children) <= count // SHORT_TEXT + 1


def test_a_stanza_in_single_bytes_is_kept_in_few_pieces() -> None:
    """The bytes of a stanza that is not whole are joined from time to time."""
    parser = in_stream()
    for byte in b"<message><body>" + b"x" * 100_000:
        parser.feed(bytes([byte]))
        assert len(parser._chunks) <= MANY_PIECES


def worn_after(stanzas: Iterable[bytes]) -> int:
    """Return how many bytes a parser takes before it is to be replaced."""
    parser, size = in_stream(), 0
    for stanza in stanzas:
        parser.feed(stanza)
        parser.take_events()
        size += len(stanza)
        if parser.is_worn:
            return size
    raise AssertionError("it never is")


@pytest.mark.parametrize(
    "form",
    [
        b"<message><n%d/></message>",
        b"<message><n xmlns='urn:%d'/></message>",
        b"<message n%d=''/>",
        b"<message><x n%d=''/></message>",
        b"<message><x xml:lang='en' n%d=''/></message>",
        b"<message><x xmlns:p='urn:p' p:n%d=''/></message>",
        b"<p:message xmlns:p='urn:p%d'/>",
    ],
)
def test_no_kind_of_name_stays_for_long(form: bytes) -> None:
    """expat forgets no name: whatever has a new one each time, the parser is replaced within some hundred of them."""
    assert worn_after(form % number for number in itertools.count()) < 500 * (len(form) + 4)


@pytest.mark.parametrize("size", [1000, 1460, 16384])
def test_who_never_stops_at_a_boundary(size: int) -> None:
    """A worn parser is replaced inside a piece, too: somebody may let all of them end in the middle of a stanza."""
    parser = in_stream()
    stanzas = [b"<message><n%d>%d</n%d></message>" % (number, number, number) for number in range(20_000)]
    found = []
    for event in fed(parser, b"".join(stanzas), size):
        assert isinstance(event, Element)
        found.append(event)
        assert len(parser._tree.names) < 400 + 2 * size
    assert [element.inner for element in found] == [stanza[9:-10] for stanza in stanzas]


def test_one_stanza_that_wears_a_parser_out() -> None:
    """In the middle of a stanza nothing is replaced, whatever it costs; behind it, at once."""
    parser = in_stream()
    wide = b"<message>" + b"".join(b"<n%d/>" % number for number in range(5000)) + b"</message>"
    found = fed(parser, wide + b"<presence/>" + wide[:5000], 1460)
    assert [len(element.children) for element in found if isinstance(element, Element)] == [5000, 0]
    assert len(parser._tree.names) < 2000


def test_names_that_repeat_wear_nothing_out() -> None:
    """Ordinary stanzas leave a parser in use."""
    parser = in_stream()
    for number in range(1000):
        parser.feed(b"<message to='a@b' id='%d' type='chat' xml:lang='en'><body>hi</body></message>" % number)
    assert not parser.is_worn


@pytest.mark.parametrize(
    "inside",
    [
        b" ".join(b"xmlns:p%d='urn:p'" % number for number in range(65)),
        b" ".join(b"a%d='1'" % number for number in range(65)),
        b"a='" + b"x" * LONGEST_HEADER + b"'",
    ],
    ids=["declarations", "attributes", "bytes"],
)
@pytest.mark.parametrize("size", [1, 1460, 100_000])
def test_a_stream_header_is_bounded(inside: bytes, size: int) -> None:
    """A session keeps its stream header's declarations: they are bounded behind the login, too."""
    parser = StreamParser(Limits(declarations=64))
    with pytest.raises(StreamError) as caught:
        fed(parser, HEADER[:-1] + b" " + inside + b">", size)
    assert caught.value.condition == "policy-violation"


def test_declarations_are_counted_for_each_element() -> None:
    """Many elements with a declaration each are a large stanza and no attack, nor is text that speaks of them."""
    parser = in_stream(Limits(declarations=64))
    many = b"".join(b"<x xmlns='urn:x:%d'/>" % number for number in range(2000))
    talk = b"<body title='%b'>%b</body>" % (b" xmlns=" * 3000, b" xmlns='urn:x'" * 3000)
    assert len(fed(parser, b"<message>%b</message><message>%b</message>" % (many, talk), 1460)) == 2


def test_the_pool_keeps_no_worn_parser() -> None:
    """What one session has worn out is not lent to the next."""
    pool = ParserPool(Limits())
    parser = pool.take()
    parser.feed(b"<message>%b</message>" % b"".join(b"<x n%d=''/>" % number for number in range(1000)))
    parser.take_events()
    pool.give_back(parser)
    assert pool.take() is not parser


def expats() -> int:
    """Return how many parsers of expat there are."""
    return sum(type(each).__name__ == "xmlparser" for each in gc.get_objects())


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
def test_an_old_expat_is_freed_at_once() -> None:
    """Nothing waits for the garbage collector, or the names of many parsers would gather until it comes."""
    parser = in_stream()
    before = expats()
    parser.renew()
    assert expats() == before
    del parser
    assert expats() == before - 1


@pytest.mark.usefixtures("uncollected")
def test_a_broken_stream_frees_its_expat() -> None:
    """Neither does it wait where a limit was broken in the middle of a stanza."""
    parser = in_stream()
    before = expats()
    with pytest.raises(StreamError):
        parser.feed(b"<message>" + b"<a>" * 1000)
    del parser
    assert expats() == before - 1
