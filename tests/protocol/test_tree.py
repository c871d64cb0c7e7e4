"""What expat tells, as a tree: elements, their names, their limits, and what each of them costs."""

import gc
import weakref
from typing import Any
from xml.parsers import expat

import pytest

from xmppd.protocol.element import Element
from xmppd.protocol.errors import StreamError
from xmppd.protocol.qualified import SEPARATOR
from xmppd.protocol.tree import (
    Limits,
    Opening,
    StreamFooter,
    Tree,
    check_declaration,
    restricted,
)

HEADER = b"<stream:stream to='a' xmlns='jabber:client' xmlns:stream='urn:s'>"


class Reader:
    """An expat as `StreamParser` makes it, with a tree on it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.expat: Any = expat.ParserCreate("utf-8", SEPARATOR)
        self.expat.namespace_prefixes = True
        self.expat.buffer_text = True
        self.tree = Tree(self.expat, limits or Limits())
        self.expat.Parse(HEADER)
        self.opening = self.tree.done.pop()[0]

    def reads(self, data: bytes) -> list[Any]:
        """Return what became whole."""
        self.expat.Parse(data)
        found = [item[0] for item in self.tree.done]
        self.tree.done.clear()
        return found


def test_the_header() -> None:
    """It is told with its attributes and its place; the parser is then between two elements."""
    reader = Reader()
    assert reader.opening == Opening("{urn:s}stream", {"to": "a"})
    assert reader.tree.is_between()
    assert not reader.tree.is_inside()


def test_elements_are_whole_or_not_told() -> None:
    """An element at stream level is told at its end, with its children and its text in order."""
    reader = Reader()
    assert reader.reads(b"<message><body>a") == []
    assert reader.tree.is_inside()
    assert not reader.tree.is_between()
    assert reader.tree.start() == len(HEADER)
    (message,) = reader.reads(b"b</body>c<x xmlns='urn:x'/></message>")
    body = Element("{jabber:client}body", {}, ["ab"])
    assert message == Element("{jabber:client}message", {}, [body, "c", Element("{urn:x}x", {}, [])])
    assert reader.reads(b"</stream:stream>") == [StreamFooter()]
    assert not reader.tree.is_between()


def test_text_in_many_pieces_stays_in_few() -> None:
    """Short pieces are joined; long ones are not copied again and again."""
    reader = Reader()
    reader.expat.buffer_text = False
    (message,) = reader.reads(b"<message>" + b"ab&amp;" * 2000 + b"</message>")
    assert message.text == "ab&" * 2000
    assert len(message.children) <= 6


@pytest.mark.parametrize(
    ("element", "is_raw"),
    [
        (b"<message><body>a</body></message>", True),
        (b"<message xml:lang='en'/>", True),
        (b"<p:a xmlns:p='urn:p'/>", False),
        (b"<message><p:a xmlns:p='urn:p'/></message>", False),
        (b"<message><a xmlns:p='urn:p' p:b='1'/></message>", False),
        (b"<message xmlns:p='urn:p' p:b='1'/>", True),
        (b"<message><stream:b/></message>", False),
        (b"<message><stream:stream/></message>", False),
        (b"<stream:b/>", False),
        (b"<message><a xml:lang='en'/></message>", True),
        (b"<message>p:a urn:p}a}p</message>", True),
    ],
)
def test_whether_bytes_mean_the_same_elsewhere(element: bytes, is_raw: bool) -> None:
    """A prefix is bound somewhere: content that uses one may not be copied into another stream; each use is noticed.

    The start tag is written anew in any case.
    """
    reader = Reader()
    for _ in range(2):
        reader.expat.Parse(element)
        assert [raw for *_, raw in reader.tree.done] == [is_raw]
        reader.tree.done.clear()


@pytest.mark.parametrize("used", [b"<message><p:a xmlns:p='urn:p'/></message>", b"<p:a xmlns:p='urn:p'/>"])
def test_a_prefix_spoils_no_other_element(used: bytes) -> None:
    """Behind an element with a prefix the others are what they were."""
    reader = Reader()
    for element, is_raw in ((used, False), (b"<message><a/></message>", True), (used, False), (b"<message/>", True)):
        reader.expat.Parse(element)
        assert [raw for *_, raw in reader.tree.done] == [is_raw]
        reader.tree.done.clear()


@pytest.mark.parametrize(
    ("element", "inner"),
    [
        (b"<message a='>'><a/>b</message>", b"<a/>b"),
        (b"<message><a>b</a></message  >", b"<a>b</a>"),
        (b"<message/>", b""),
        (b"<message  ></message>", b""),
        (b"<message><![CDATA[]]><a/></message>", b"<a/>"),
    ],
)
def test_where_content_is(element: bytes, inner: bytes) -> None:
    """An element is told with the places of its content."""
    reader = Reader()
    reader.expat.Parse(b" ")
    reader.expat.Parse(element)
    ((_, start, begin, end, _),) = reader.tree.done
    assert start == len(HEADER) + 1
    assert element[begin - start : end - start] == inner


@pytest.mark.parametrize(
    "element", [b"<message>a<b/></message>", b"<message>&lt;</message>", b"<message>\n<b/></message>"]
)
def test_where_content_is_unknown(element: bytes) -> None:
    """Character data is told late: where it begins has to be looked for in the bytes."""
    reader = Reader()
    reader.expat.Parse(element)
    ((_, _, begin, end, _),) = reader.tree.done
    assert (begin, end) == (-1, len(HEADER) + element.rindex(b"</"))


def test_names_that_expat_will_not_forget() -> None:
    """Elements and attributes count, each once."""
    reader = Reader()
    reader.reads(b"<message a='1' b='2'><a/></message>" * 3)
    assert len(reader.tree.names) == 4
    reader.reads(b"<message c='1' xmlns:p='urn:p' p:d='1'/>" * 3)
    assert len(reader.tree.names) == 6


@pytest.mark.parametrize(
    ("limits", "fits", "breaks"),
    [
        (Limits(depth=2), b"<a><b><c/></b></a>", b"<a><b><c><d/></c></b></a>"),
        (Limits(children=2), b"<a><b/><b/></a>", b"<a><b/><b/><b/></a>"),
        (Limits(children=2), b"<a><b><b/></b></a>", b"<a><b><b/></b><b/></a>"),
        (Limits(attributes=2), b"<a b='' c=''/>", b"<a b='' c='' d=''/>"),
    ],
)
def test_limits(limits: Limits, fits: bytes, breaks: bytes) -> None:
    """Levels below an element, elements below it at any depth, attributes of one: up to the limit, and no further."""
    reader = Reader(limits)
    assert len(reader.reads(fits)) == 1
    assert len(reader.reads(fits)) == 1, "each element is counted for itself"
    with pytest.raises(StreamError, match="policy-violation"):
        reader.reads(breaks)


def test_a_header_has_limits_too() -> None:
    """Its attributes are counted."""
    with pytest.raises(StreamError, match="policy-violation"):
        Reader(Limits(attributes=0))


def test_text_between_elements() -> None:
    """RFC 6120, 11.7: white space may stand there, nothing else."""
    reader = Reader()
    assert reader.reads(b" \t\r\n") == []
    with pytest.raises(StreamError, match="bad-format"):
        reader.reads(b"a")


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF-8", "utf8"])
def test_encodings(encoding: str | None) -> None:
    """RFC 6120, 11.6: UTF-8, said or not."""
    check_declaration("1.0", encoding, -1)
    with pytest.raises(StreamError, match="unsupported-encoding"):
        check_declaration("1.0", "iso-8859-1", -1)


def test_restricted() -> None:
    """RFC 6120, 11.1: a handler that refuses says what."""
    with pytest.raises(StreamError, match="a comment is not allowed") as raised:
        restricted("a comment is")("text")
    assert raised.value.condition == "restricted-xml"


@pytest.mark.parametrize("released", [True, False])
def test_release_frees_expat_at_once(released: bool) -> None:
    """Without it expat and its handlers hold each other until the garbage collector comes."""
    reader = Reader()
    reader.reads(b"<message><body>a</body></message>")
    handler = weakref.ref(reader.expat.StartElementHandler)
    gc.disable()
    try:
        if released:
            reader.tree.release()
        reader.expat = None
        assert (handler() is None) == released
    finally:
        gc.enable()
