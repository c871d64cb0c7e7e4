"""Elements: how they are built, read, compared, and let go of."""

import gc
from enum import StrEnum

import pytest

from xmppd.protocol.element import E, Element, Names
from xmppd.protocol.jid import Jid
from xmppd.protocol.parser import ParserPool
from xmppd.protocol.qualified import Told
from xmppd.protocol.tree import Limits

JULIET = Jid("juliet@capulet.example/balcony")


class Mood(StrEnum):
    HAPPY = "happy"


class Labelled(Element):
    """An element that somebody has made a subclass for."""


def deep(levels: int) -> Element:
    """Return a chain of elements."""
    element = E("{urn:x}a", "core")
    for _ in range(levels):
        element = E("{urn:x}a", element)
    return element


def deep_and_empty(levels: int) -> Element:
    """Return a chain of so many elements with nothing inside."""
    element = E("{urn:x}a")
    for _ in range(levels - 1):
        element = E("{urn:x}a", element)
    return element


class TestBuilding:
    """`E` takes what the code has at hand."""

    def test_parts(self) -> None:
        """Elements and text become children, mappings and keywords attributes, None nothing."""
        built = E("{urn:x}item", "a", None, E("{urn:x}b"), {"{urn:y}c": "1", "d": None}, from_="x", name=None, count=3)
        assert built.name == "{urn:x}item"
        assert built.children == ["a", E("{urn:x}b")]
        assert built.attributes == {"{urn:y}c": "1", "from": "x", "count": "3"}
        assert built.inner is None

    @pytest.mark.parametrize("text", [JULIET, Mood.HAPPY])
    def test_subclasses_of_str_are_character_data(self, text: str) -> None:
        """An address or an enumerated value is plain text once it is a child."""
        built = E("{urn:x}jid", text)
        assert [child.__class__ for child in built.children] == [str]
        assert built.text == text
        assert list(built.elements()) == []
        assert built.first is None

    @pytest.mark.parametrize("value", [JULIET, Mood.HAPPY, 7, 1.5])
    def test_attributes_are_plain_text(self, value: object) -> None:
        """Attribute values are `str` itself, however they are given."""
        built = E("{urn:x}a", {"b": value}, c=value)  # type: ignore[dict-item]
        assert built.attributes == {"b": str(value), "c": str(value)}
        assert {one.__class__ for one in built.attributes.values()} == {str}

    def test_subclass_of_element(self) -> None:
        """A subclass of Element is a child element, too."""
        assert E("{urn:x}a", Labelled("{urn:x}b")).first is not None


class TestReading:
    """What modules ask of an element."""

    def test_names(self) -> None:
        """A name consists of a namespace, which may be missing, and a local part."""
        assert (E("{urn:x}a").namespace, E("{urn:x}a").local) == ("urn:x", "a")
        assert (E("a").namespace, E("a").local) == ("", "a")

    def test_children(self) -> None:
        """Children are found by qualified name, the first one counts; text is the element's own."""
        element = E("{urn:x}a", "1", E("{urn:y}b", "not"), E("{urn:x}b", "yes"), E("{urn:x}b", "no"), "2")
        assert element.child("{urn:x}b") == E("{urn:x}b", "yes")
        assert element.child("{urn:x}c") is None
        assert element.text_of("{urn:x}b") == "yes"
        assert element.text_of("{urn:x}c", "default") == "default"
        assert element.text == "12"
        assert element.first == E("{urn:y}b", "not")
        assert len(list(element.elements())) == 3
        assert element.get("none") is None
        assert element.get("none", "x") == "x"

    def test_without(self) -> None:
        """A copy without some children is to be serialised anew; of equal children only the given one goes."""
        kept, gone = E("{urn:x}b"), E("{urn:x}b")
        element = Element("{urn:x}a", {"c": "1"}, [kept, gone, "text"], b"<b/><b/>text")
        copy = element.without(gone)
        assert copy.children == [kept, "text"]
        assert copy.children[0] is kept
        assert copy.inner is None
        assert len(element.children) == 3


TOLD: Told = (
    1,
    None,
    "a",
    1,
    "urn:x}b",
    {"c": "1"},
    2,
    "urn:y}d}p",
    {"urn:p}e}p": "2"},
    2,
    None,
    "f",
    1,
    None,
    "g",
    1,
    "h",
    {},
)


class TestFlat:
    """An element may be given what expat told of its content; nobody can tell."""

    def test_tree(self) -> None:
        """Elements and text stand where they were, names are translated, and the tree is made once."""
        element = Element("{urn:x}a", {}, TOLD)
        inside = E("{urn:x}b", E("{urn:y}d", {"{urn:p}e": "2"}), "f", c="1")
        assert element.children == ["a", inside, "g", E("h")]
        assert element.children is element.children
        assert element == E("{urn:x}a", "a", inside, "g", E("h"))

    def test_nothing_inside(self) -> None:
        """An empty element has no children, and may be given some."""
        element = Element("{urn:x}a", {}, ())
        assert element.children == []
        element.children.append("text")
        assert element.text == "text"

    @pytest.mark.parametrize("levels", [1, 2, 10_000])
    def test_depth(self, levels: int) -> None:
        """Elements go where their level says, however deep; a level that was left is begun anew."""
        down: list[object] = []
        for level in range(levels):
            down += [level + 1, "urn:x}a", {}]
        element = Element("{urn:x}a", {}, tuple(down * 2))
        assert element == Element("{urn:x}a", {}, [deep_and_empty(levels), deep_and_empty(levels)])


class TestNames:
    """Names that are looked for in every stanza."""

    LOOKED_FOR = Names("{urn:x}a", "{urn:y}b", "c")

    def test_names(self) -> None:
        """They can be put together with others."""
        assert set(self.LOOKED_FOR) == {"{urn:x}a", "{urn:y}b", "c"}

    @pytest.mark.parametrize("inner", [b"as received", None])
    @pytest.mark.parametrize("looked_at", [True, False])
    @pytest.mark.parametrize(
        ("told", "occurs"),
        [
            ((), False),
            ((1, None, "urn:x}a"), False),
            ((1, "urn:x}b", {}), False),
            ((1, "urn:x}b", {}, 2, "urn:x}a", {}), False),
            ((1, "urn:x}a", {}), True),
            ((1, "c", {}), True),
            ((1, None, "text", 1, "urn:z}z", {}, 1, "urn:y}b", {"c": "d"}), True),
        ],
    )
    def test_occur(self, told: tuple[object, ...], occurs: bool, looked_at: bool, inner: bytes | None) -> None:
        """Children count, neither text nor what is inside them, whether or not there is a tree already."""
        element = Element("{urn:x}message", {}, told, inner)
        assert not looked_at or isinstance(element.children, list)
        assert self.LOOKED_FOR.occur_in(element) == occurs

    def test_with_prefix(self) -> None:
        """A prefix hides nothing: who uses one has no bytes that may be copied."""
        assert self.LOOKED_FOR.occur_in(Element("{urn:x}message", {}, (1, "urn:x}a}p", {})))

    def test_without_tree(self) -> None:
        """That there is none is seen without making a tree."""
        element = Element("{urn:x}message", {}, (1, "urn:x}b", {}), b"<b/>")
        assert not self.LOOKED_FOR.occur_in(element)
        assert isinstance(element._content, tuple)

    def test_subclasses(self) -> None:
        """An element that was built is looked at as well."""
        assert self.LOOKED_FOR.occur_in(E("{urn:x}message", "text", Labelled("{urn:y}b")))
        assert not self.LOOKED_FOR.occur_in(E("{urn:x}message", "c"))


class TestComparing:
    """Elements are equal if they mean the same."""

    def test_pieces_of_text(self) -> None:
        """How character data was cut does not matter."""
        assert Element("a", {}, ["one", "", "two"]) == Element("a", {}, ["onetwo"])
        assert Element("a", {}, [""]) == Element("a")

    @pytest.mark.parametrize(
        "other",
        [
            E("{urn:x}b", "t", E("{urn:x}c"), d="1"),
            E("{urn:x}a", "u", E("{urn:x}c"), d="1"),
            E("{urn:x}a", E("{urn:x}c"), "t", d="1"),
            E("{urn:x}a", "t", E("{urn:x}c")),
            E("{urn:x}a", "t", d="1"),
            E("{urn:x}a", "t", E("{urn:x}c", "x"), d="1"),
        ],
    )
    def test_differences(self, other: Element) -> None:
        """Names, text, order, attributes and children all matter."""
        assert E("{urn:x}a", "t", E("{urn:x}c"), d="1") != other

    def test_with_other_things(self) -> None:
        """An element equals no text, and is no key."""
        assert E("a") != "a"
        with pytest.raises(TypeError):
            hash(E("a"))

    def test_representation(self) -> None:
        """It names the element, not its content, which may be large or private."""
        assert repr(E("{urn:x}a", "secret", b="1")) == "<Element {urn:x}a {'b': '1'}>"


class TestDepth:
    """Nothing recurses over elements: not to compare, to copy, nor to free them."""

    def test_comparing(self) -> None:
        """Two trees of a hundred thousand levels are compared."""
        assert deep(100_000) == deep(100_000)
        assert deep(100_000) != deep(99_999)

    def test_freeing(self) -> None:
        """A tree of half a million levels is let go of, by counting references and by the collector of cycles."""
        tree = deep(500_000)
        copy = tree.without()
        del tree
        cycle: list[object] = [copy]
        cycle.append(cycle)
        del copy, cycle
        assert gc.collect() > 0


class TestWithoutATree:
    """What can be told of an element without building its tree."""

    XML = b"<message><body>hist<i/></body>x<origin-id xmlns='urn:xmpp:sid:0' id='1'/><x:y xmlns:x='urn:y'/></message>"

    def read(self) -> Element:
        (element,) = ParserPool(Limits()).take().feed(self.XML)
        assert isinstance(element, Element)
        return element

    def test_names(self) -> None:
        """The names of its children are the same with a tree and without."""
        lazy, built = self.read(), self.read()
        assert built.children
        assert lazy.names == built.names == ["{jabber:client}body", "{urn:xmpp:sid:0}origin-id", "{urn:y}y"]

    def test_attribute(self) -> None:
        """So is an attribute of one of them."""
        lazy, built = self.read(), self.read()
        assert built.children
        for element in (lazy, built):
            assert element.attribute_of("{urn:xmpp:sid:0}origin-id", "id") == "1"
            assert element.attribute_of("{urn:xmpp:sid:0}origin-id", "by") is None
            assert element.attribute_of("{jabber:client}i", "id") is None

    def test_attribute_without_prefixes(self) -> None:
        """Where nothing has a prefix it is the same, whether there is such a child or not."""
        (element,) = ParserPool(Limits()).take().feed(b"<message><a b='1'/><i><body b='2'/></i></message>")
        assert isinstance(element, Element)
        assert element.inner is not None
        assert element.attribute_of("{jabber:client}a", "b") == "1"
        assert element.attribute_of("{jabber:client}body", "b") is None
        assert element.attribute_of("{jabber:client}c", "b") is None

    def test_outline(self) -> None:
        """Elements of one outline have children of the same names; where there is a tree there is none."""
        element = self.read()
        assert element.outline == self.read().outline
        assert element.outline is not None
        assert element.outline[0] == (1, 2, 2, 1, 1, 1)
        other = ParserPool(Limits()).take().feed(b"<message><body>hist</body><i/></message>")[0]
        assert isinstance(other, Element)
        assert other.outline != element.outline
        assert element.children
        assert element.outline is None
