"""The serialiser: what it writes is well-formed and means what the element meant."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xmppd.protocol.element import E, Element
from xmppd.protocol.jid import Jid, JidError
from xmppd.protocol.names import CLIENT, STREAM, XML
from xmppd.protocol.parser import StreamParser
from xmppd.protocol.tree import Limits, StreamHeader
from xmppd.protocol.writer import (
    SHORT_NAME,
    escape_address,
    escape_attribute,
    escape_text,
    serialise,
    serialise_children,
)

HEADER = f"<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}'>".encode()
WIDE = Limits(size=1 << 24, depth=1 << 20, children=1 << 20)

characters = st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, [*range(9), 11, 12, *range(14, 32)])) + "\ufffe\uffff")  # fmt: skip
texts = st.text(characters, max_size=12)
ncnames = st.from_regex(r"[A-Za-z_\u00c0-\u00d6][A-Za-z0-9._\u00c0-\u00d6-]{0,6}", fullmatch=True)
namespaces = st.sampled_from([CLIENT, "urn:x", "urn:y?a=1&b='2'", 'http://example.org/<q>"', STREAM, "", XML])
names = st.builds(lambda ns, local: f"{{{ns}}}{local}" if ns else local, namespaces, ncnames)
attribute_names = names.filter(lambda name: name != "xmlns")
elements = st.recursive(
    st.builds(Element, names, st.dictionaries(attribute_names, texts, max_size=3)),
    lambda inner: st.builds(
        Element, names, st.dictionaries(attribute_names, texts, max_size=3), st.lists(inner | texts, max_size=4)
    ),
    max_leaves=12,
)


def parsed(data: bytes, limits: Limits = WIDE) -> Element:
    """Read one element as it stands inside a client's stream."""
    parser = StreamParser(limits)
    parser.feed(HEADER + data)
    header, element = parser.take_events()
    assert isinstance(header, StreamHeader)
    assert isinstance(element, Element)
    return element


@given(elements)
@example(Element("{urn:x}a", {"{urn:y}b": "1", "{urn:z}b": "2", "b": "3"}))
@example(Element("{urn:x}a", {}, ["]]>", Element("b"), "\r\n\t "]))
def test_reading_what_was_written(element: Element) -> None:
    """Parsing the serialised element gives the element, character for character."""
    assert parsed(serialise(element)) == element


@given(elements)
def test_children_alone(element: Element) -> None:
    """The content of an element is what stands between its tags."""
    content = serialise_children(element)
    assert (
        parsed(b"<message>" + content + b"</message>").children
        == parsed(serialise(Element(f"{{{CLIENT}}}message", {}, element.children))).children
    )


@given(st.text())
def test_any_text_is_made_harmless(text: str) -> None:
    """Whatever a string holds, lone surrogates and NUL included, it can be echoed without breaking the stream."""
    element = E("{urn:x}a", text, {"{urn:y}b": text}, c=text)
    document = ET.fromstring(HEADER + serialise(element) + b"</stream:stream>")
    assert len(document) == 1


@pytest.mark.parametrize(
    ("text", "as_text", "as_attribute"),
    [
        ("plain", "plain", "plain"),
        ("a<b>&c", "a&lt;b&gt;&amp;c", "a&lt;b&gt;&amp;c"),
        ('it\'s "so"', 'it\'s "so"', "it&apos;s &quot;so&quot;"),
        ("\r\n\t", "&#13;&#10;&#9;", "&#13;&#10;&#9;"),
        ("\x00\x1f\ufffe\ud800", "\ufffd\ufffd\ufffd\ufffd", "\ufffd\ufffd\ufffd\ufffd"),
        ("\x7f\x85\u2028\U0001f339", "\x7f\x85\u2028\U0001f339", "\x7f\x85\u2028\U0001f339"),
    ],
)
def test_escaping(text: str, as_text: str, as_attribute: str) -> None:
    """Markup is escaped, line ends are character references (XML 1.0, 2.11), what XML forbids becomes U+FFFD."""
    assert escape_text(text) == as_text
    assert escape_attribute(text) == as_attribute


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("capulet.example", "capulet.example"),
        ("juliet@capulet.example", "juliet@capulet.example"),
        ("juliet@capulet.example/balcony", "juliet@capulet.example/balcony"),
        ("juliet@capulet.example/at <home> & \"'", "juliet@capulet.example/at &lt;home&gt; &amp; &quot;&apos;"),
        ("[::1]/a-b", "[::1]/a-b"),
    ],
)
def test_addresses(address: str, written: str) -> None:
    """Only a resourcepart may have characters that need escaping (RFC 7622, 3.3)."""
    assert escape_address(Jid(address)) == written


@given(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
def test_any_address(localpart: str, domainpart: str, resourcepart: str) -> None:
    """Whatever is an address is written as any attribute would be."""
    try:
        jid = Jid.make(localpart, domainpart, resourcepart)
    except JidError:
        jid = Jid.make("juliet", "capulet.example", "balcony")
    assert escape_address(jid) == escape_attribute(jid)
    assert escape_address(jid.bare) == escape_attribute(jid.bare)


class TestNamespaces:
    """A namespace is declared where it begins, and no prefix is invented but for attributes."""

    def test_default_namespace(self) -> None:
        """What is in the stream's namespace needs no declaration, and gets one where another is the default."""
        assert (
            serialise(E("{jabber:client}message", E("{jabber:client}body", "x")))
            == b"<message><body>x</body></message>"
        )
        assert (
            serialise(E("{urn:x}a", E("{urn:x}b"), E("{jabber:client}c")))
            == b"<a xmlns='urn:x'><b/><c xmlns='jabber:client'/></a>"
        )
        assert serialise(E("{urn:x}a"), "urn:x") == b"<a/>"

    def test_no_namespace(self) -> None:
        """An element of no namespace says so."""
        assert serialise(E("a", E("b"))) == b"<a xmlns=''><b/></a>"

    def test_stream_namespace(self) -> None:
        """Elements of the stream itself have its prefix, which every header declares."""
        assert serialise(E(f"{{{STREAM}}}error", E("{urn:x}a"))) == b"<stream:error><a xmlns='urn:x'/></stream:error>"

    def test_xml_namespace(self) -> None:
        """The namespace of xml: may not be a default namespace, so an element of it keeps the prefix."""
        assert serialise(E(f"{{{XML}}}a", {f"{{{XML}}}lang": "en"})) == b"<xml:a xml:lang='en'/>"

    def test_long_names(self) -> None:
        """A name that is too long to be remembered is written like any other."""
        name = "b" * SHORT_NAME
        assert serialise(E(f"{{urn:x}}{name}")) == f"<{name} xmlns='urn:x'/>".encode()

    def test_attributes(self) -> None:
        """Attributes of two namespaces get prefixes of their own, also where elements nest."""
        inner = E("{urn:x}b", {"{urn:y}c": "3"})
        outer = E("{urn:x}a", inner, {"{urn:y}c": "1", "{urn:z}c": "2", "c": "0"})
        assert parsed(serialise(outer)) == outer


def test_depth() -> None:
    """A hundred thousand levels are written and read without recursion."""
    element = E("{urn:x}a", "core")
    for _ in range(100_000):
        element = E("{urn:x}a", element)
    data = serialise(element)
    assert data.startswith(b"<a xmlns='urn:x'><a><a>")
    assert parsed(data) == element
