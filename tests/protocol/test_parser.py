"""The parser: any chunking gives the same events, and every limit has its stream error."""

import itertools
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmppd.protocol.element import Element
from xmppd.protocol.errors import StreamError
from xmppd.protocol.names import CLIENT
from xmppd.protocol.parser import ParserPool, StreamParser
from xmppd.protocol.tree import Limits, StreamFooter, StreamHeader

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='a'>"
)
MESSAGE = (
    "<message to='juliet@capulet.example' type='chat' id='m>1\"'><body>Wherefore &amp; art <![CDATA[<thou>]]>?</body>"
    "<x xmlns='urn:example' a='1'><y/>text\u00e4\U0001f339</x></message>"
).encode()
STREAM = (
    HEADER
    + MESSAGE
    + b" \n<presence/>"
    + b"<iq id='1' type='get'><q:query xmlns:q='urn:q' q:z='2'/></iq></stream:stream>"
)


def events(parser: StreamParser, chunks: Iterable[bytes]) -> list[object]:
    """Read a whole stream the swift way."""
    found: list[object] = []
    for chunk in chunks:
        parser.feed(chunk)
        found += parser.take_events()
    return found


def careful_events(parser: StreamParser, chunks: Iterable[bytes]) -> list[object]:
    """Read a whole stream the careful way."""
    found: list[object] = []
    for chunk in chunks:
        parser.receive(chunk)
        while (event := parser.next()) is not None:
            found.append(event)
    return found


def chunked(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut data at the given places."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places) if a != b]


def inner_bytes(found: list[object]) -> list[bytes | None]:
    return [event.inner for event in found if isinstance(event, Element)]


WHOLE = events(StreamParser(Limits()), [STREAM])


def test_whole_stream() -> None:
    """Header, three stanzas, footer; the first two keep their bytes, the one with a prefix does not."""
    header, message, presence, iq, footer = WHOLE
    assert isinstance(header, StreamHeader)
    assert header.attributes == {"to": "a"}
    assert header.default_namespace == CLIENT
    assert isinstance(footer, StreamFooter)
    assert isinstance(message, Element)
    assert message.name == "{jabber:client}message"
    assert message.get("id") == 'm>1"'
    assert message.text_of("{jabber:client}body") == "Wherefore & art <thou>?"
    assert message.inner == MESSAGE[MESSAGE.index(b"<body>") : -len(b"</message>")]
    assert isinstance(presence, Element)
    assert presence.inner == b""
    assert isinstance(iq, Element)
    assert iq.inner is None
    assert iq.first is not None
    assert iq.first.name == "{urn:q}query"
    assert iq.first.attributes == {"{urn:q}z": "2"}


@given(st.lists(st.integers(min_value=0, max_value=1000), max_size=40))
def test_any_chunking_gives_the_same_events(cuts: list[int]) -> None:
    """Where TCP cuts a stream means nothing, whichever way it is read."""
    chunks = chunked(STREAM, cuts)
    swift = events(StreamParser(Limits()), chunks)
    careful = careful_events(StreamParser(Limits()), chunks)
    assert swift == WHOLE == careful
    assert inner_bytes(swift) == inner_bytes(WHOLE) == inner_bytes(careful)


def test_single_bytes() -> None:
    """The finest chunking of all."""
    assert events(StreamParser(Limits()), [bytes([byte]) for byte in STREAM]) == WHOLE


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_wait(data: bytes) -> None:
    """Whatever comes, it is a stream error or nothing yet; never another exception."""
    parser = StreamParser(Limits())
    try:
        events(parser, [HEADER, data])
    except StreamError as error:
        assert error.condition in {
            "not-well-formed", "restricted-xml", "bad-format", "bad-namespace-prefix", "unsupported-encoding",
        }  # fmt: skip


@given(st.integers(min_value=0, max_value=len(STREAM) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_stream(place: int, bytes_there: bytes) -> None:
    """A stream with a few bytes replaced is refused in single bytes if it is refused whole.

    Not always for the same of two reasons: what expat notices first may depend on how much it sees at once.
    """
    damaged = STREAM[:place] + bytes_there + STREAM[place + len(bytes_there) :]

    def fate(chunks: list[bytes]) -> object:
        try:
            return events(StreamParser(Limits()), chunks)
        except StreamError:
            return "refused"

    assert fate([damaged]) == fate([damaged[i : i + 1] for i in range(len(damaged))])


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"<message><!DOCTYPE x></message>", "not-well-formed"),
        (b"<message><!-- a comment --></message>", "restricted-xml"),
        (b"<?php echo ?>", "restricted-xml"),
        (b"<message>&lol;</message>", "restricted-xml"),
        (b"<message>\xc3(</message>", "not-well-formed"),
        (b"<message>\xc0\xaf</message>", "not-well-formed"),  # an overlong slash
        (b"<message>\xed\xa0\x80</message>", "not-well-formed"),  # a surrogate
        (b"<message>\xf4\x90\x80\x80</message>", "not-well-formed"),  # beyond U+10FFFF
        (b"<message>\x00</message>", "not-well-formed"),
        (b"<message>&#0;</message>", "not-well-formed"),
        (b"<message>\x0b</message>", "not-well-formed"),
        (b"<message>\xef\xbf\xbf</message>", "not-well-formed"),
        (b"<a:message/>", "bad-namespace-prefix"),
        (b"<message a='1' a='2'/>", "not-well-formed"),
        (b"<message></presence>", "not-well-formed"),
        (b"text between stanzas", "bad-format"),
        (b"<message><body>]]></body></message>", "not-well-formed"),
    ],
)
def test_what_no_stream_may_contain(data: bytes, condition: str) -> None:
    """RFC 6120, 4.9.3 and 11.1: the exact stream error, whole and in single bytes."""
    for chunks in ([data], [data[i : i + 1] for i in range(len(data))]):
        parser = StreamParser(Limits())
        parser.feed(HEADER)
        parser.take_events()
        with pytest.raises(StreamError) as caught:
            events(parser, chunks)
        assert caught.value.condition == condition


def test_document_type_declaration() -> None:
    """RFC 6120, 11.1: none may come where XML would allow one, in front of the stream header."""
    with pytest.raises(StreamError) as caught:
        events(StreamParser(Limits()), [b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]>", HEADER[21:]])
    assert caught.value.condition == "restricted-xml"


@pytest.mark.parametrize(
    "start",
    [
        "<?xml version='1.0'?><stream:stream>".encode("utf-16"),
        "<?xml version='1.0'?><stream:stream>".encode("utf-16-be"),
        "<?xml version='1.0'?><stream:stream>".encode("utf-32"),
        b"<?xml version='1.0' encoding='ISO-8859-1'?>" + HEADER[21:],
        b"<?xml version='1.0' encoding='UTF-16'?>" + HEADER[21:],
    ],
)
def test_other_encodings(start: bytes) -> None:
    """RFC 6120, 4.9.3.22: declared or sniffed, only UTF-8 is read."""
    with pytest.raises(StreamError) as caught:
        events(StreamParser(Limits()), [start])
    assert caught.value.condition == "unsupported-encoding"


@pytest.mark.parametrize(
    "data",
    [
        b"<message>" + b"<a>" * 10_000,
        b"<message " + b" ".join(b"a%d='1'" % number for number in range(1_000_000)) + b"/>",
        b"<message><x " + b" ".join(b"a%d='1'" % number for number in range(10_000)) + b"/></message>",
        b"<message>" + b"<a/>" * 100_000,
        b"<message><body>" + b"x" * 300_000,
        b"<message to='" + b"x" * 300_000,
        b"<message><" + b"x" * 300_000,
        b"<message><a " + b" ".join(b"xmlns:a%d='u'" % number for number in range(5_000)) + b"/></message>",
        b"<a:message " + b" ".join(b"xmlns:a%d='u'" % number for number in range(5_000)) + b" xmlns:a='u'/>",
    ],
)
def test_limits(data: bytes) -> None:
    """Depth, attributes, children, bytes and declarations are bounded, in one piece and in many."""
    for size in (len(data), 1460, 61):
        parser = StreamParser(Limits())
        parser.feed(HEADER)
        parser.take_events()
        with pytest.raises(StreamError) as caught:
            events(parser, [data[i : i + size] for i in range(0, len(data), size)])
        assert caught.value.condition == "policy-violation"


@pytest.mark.parametrize("size", [65, 1000])
def test_namespace_declarations_of_one_element(size: int) -> None:
    """One element may carry so many declarations, however short the stanza is; text that looks like some is text."""
    parser = StreamParser(Limits(declarations=64))
    parser.feed(HEADER)
    parser.take_events()
    text = b"xmlns:a='b' " * size
    parser.feed(b"<message><body>" + text + b"</body></message>")
    assert len(parser.take_events()) == 1
    parser.feed(b"<message>" + b"<a xmlns='urn:b'/>" * size + b"</message>")
    assert len(parser.take_events()) == 1
    with pytest.raises(StreamError) as caught:
        parser.feed(b"<message><a " + b" ".join(b"xmlns:a%d='u'" % number for number in range(size)) + b"/></message>")
    assert caught.value.condition == "policy-violation"


def test_a_huge_tag_in_single_bytes_is_read_once() -> None:
    """CVE-2023-52425: the work for an unfinished tag grows with its length, not with its square.

    Counted in bytes that expat is given, since a test must not look at the clock.
    """
    parser = StreamParser(Limits(size=400_000))
    parser.feed(HEADER)
    parser.take_events()
    tag = b"<message a='" + b"x>" * 65_536 + b'" b="\'" c=\'y>' + b"'>"
    tag = tag.replace(b'" b="\'" c=\'y>', b"' b=\"'\" c='y>")
    calls = 0
    real = parser._expat

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def Parse(self, data: bytes, final: bool) -> object:
            nonlocal calls
            calls += 1
            return real.Parse(data, final)

    parser._expat = Counting()  # type: ignore[assignment]
    found = events(parser, [tag[i : i + 1] for i in range(len(tag))])
    found += events(parser, [b"<body/></message>"])
    assert calls < 1100
    (message,) = found
    assert isinstance(message, Element)
    assert message.get("c") == "y>"
    assert message.inner == b"<body/>"


@settings(deadline=None)
@given(st.lists(st.sampled_from([1, 2, 3, 7, 1023, 1024, 1025, 4000]), min_size=1, max_size=8), st.integers(0, 2**32))
def test_long_tags_in_any_chunking(sizes: list[int], seed: int) -> None:
    """A tag that is held back is the same tag, quotes and angle brackets in values included."""
    generator = random.Random(seed)
    value = "".join(generator.choice("ab>'\"/ =&") for _ in range(3000)).replace("&", "&amp;").replace("'", "&apos;")
    data = f"<message a='{value}' b='2'><body c=\"{value.replace(chr(34), '')}\">x</body></message><presence/>".encode()
    chunks = []
    place = 0
    while place < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[place : place + size])
        place += size
    whole, torn = StreamParser(Limits()), StreamParser(Limits())
    assert events(torn, [HEADER, *chunks]) == events(whole, [HEADER, data])


def test_names_that_never_repeat() -> None:
    """expat never forgets a name, so the parser is replaced, at a boundary, and goes on as before."""
    parser = StreamParser(Limits())
    parser.feed(HEADER)
    parser.take_events()
    for number in range(10_000):
        parser.feed(b"<message><n%d xmlns='urn:%d'/></message>" % (number, number))
        (message,) = parser.take_events()
        assert isinstance(message, Element)
        assert message.first is not None
        assert message.first.name == f"{{urn:{number}}}n{number}"
        assert message.inner == b"<n%d xmlns='urn:%d'/>" % (number, number)
        assert parser.at_boundary
        if parser.is_worn:
            parser.renew()
        assert len(parser._tree.names) < 500


def test_prefixes_of_the_header_survive_renewal() -> None:
    """A stream whose header binds other prefixes is read the same by the next expat."""
    parser = StreamParser(Limits())
    parser.feed(b"<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' xmlns:q='urn:q' to='>'>")
    parser.take_events()
    assert not parser.is_usual
    for _ in range(2):
        parser.feed(b"<message><q:x/></message>")
        (message,) = parser.take_events()
        assert isinstance(message, Element)
        assert message.first is not None
        assert message.first.name == "{urn:q}x"
        assert message.inner is None
        parser.renew()


def test_another_default_namespace_is_never_relayed_as_it_is() -> None:
    """Bytes mean the same elsewhere only if the unprefixed names are in jabber:client."""
    parser = StreamParser(Limits())
    parser.feed(
        b"<stream xmlns='http://etherx.jabber.org/streams' xmlns:c='jabber:client'><c:message><body/></c:message>"
    )
    _, message = parser.take_events()
    assert isinstance(message, Element)
    assert message.name == "{jabber:client}message"
    assert message.inner is None


def test_a_restart_leaves_the_bytes_behind_it() -> None:
    """RFC 6120, 4.3.3: a stream header pipelined behind the last element of the old stream belongs to the new one."""
    parser = StreamParser(Limits())
    parser.receive(HEADER + b"<auth/>\n" + HEADER + b"<iq/>")
    assert isinstance(parser.next(), StreamHeader)
    assert isinstance(parser.next(), Element)
    rest = parser.take_rest()
    parser = StreamParser(Limits())
    parser.receive(rest)
    assert isinstance(parser.next(), StreamHeader)
    iq = parser.next()
    assert isinstance(iq, Element)
    assert iq.local == "iq"


@pytest.mark.parametrize("cut", range(1, len(HEADER) + 30))
def test_nothing_behind_an_element_is_read_with_it(cut: int) -> None:
    """The careful way stops behind each element, wherever the bytes were cut: what follows is still bytes."""
    for first in (b"<starttls/>", b"<a>></a>", b"<a><b/>></a>", b"<a><![CDATA[</a>]]></a>", b"<a><a></a></a>"):
        data = HEADER + first + b"<iq/></x>\0"
        parser = StreamParser(Limits())
        parser.receive(data[:cut])
        found = [parser.next()]
        parser.receive(data[cut:])
        while len([event for event in found if event is not None]) < 2:
            found.append(parser.next())
        assert parser.take_rest() == b"<iq/></x>\0"


class TestParserPool:
    """Parsers inside a usual stream header, lent to whoever has bytes."""

    def test_a_parser_serves_several_streams(self) -> None:
        """Stanzas of two streams through one parser."""
        pool = ParserPool(Limits())
        first = pool.take()
        first.feed(b"<message><body>1</body></message>")
        assert [event.inner for event in first.take_events()] == [b"<body>1</body>"]  # type: ignore[union-attr]
        pool.give_back(first)
        second = pool.take()
        assert second is first
        second.feed(b"<message><body>2</body></message>")
        assert [event.inner for event in second.take_events()] == [b"<body>2</body>"]  # type: ignore[union-attr]

    def test_a_worn_parser_is_dropped(self) -> None:
        """After a MiB a parser is not lent again."""
        pool = ParserPool(Limits())
        parser = pool.take()
        while not parser.is_worn:
            parser.feed(b"<message><body>" + b"x" * 60_000 + b"</body></message>")
            parser.take_events()
        pool.give_back(parser)
        assert pool.take() is not parser

    def test_half_an_element_is_no_boundary(self) -> None:
        """A parser in the middle of something, if only of a tag's name, is not at a boundary."""
        for begun in (b"<", b"<mess", b"<message a='>", b"<message>", b"<message>x", b"<message/><x"):
            parser = ParserPool(Limits()).take()
            parser.feed(begun)
            assert not parser.at_boundary
        parser = ParserPool(Limits()).take()
        parser.feed(b"<message/> ")
        assert parser.at_boundary
