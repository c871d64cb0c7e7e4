"""An XML element as a light value, and `E` to build one.

An `Element` is immutable by convention: nobody changes one after it was built, so copies, carbons and archives may
share subtrees. (A frozen dataclass would say so too, at three times the cost of construction.)

What comes from a stream is a flat list at first, and becomes a tree when somebody looks at it: most stanzas are only
relayed. Nobody else can tell.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from .qualified import Told, clark, named

Outline = tuple[tuple[int, ...], tuple[str | None, ...]]
"""How deep each element and each piece of character data in an element is, and what expat calls it.

Elements of equal outlines have children of the same names, in the same order.
"""


class Element:
    """One XML element: its qualified name, attributes and children.

    :param children: the children, or what expat told of them.
    :ivar name: the qualified name, ``{namespace}localname``.
    :ivar attributes: unprefixed attributes by local name, prefixed ones as ``{namespace}localname``.
    :ivar inner: the bytes between start and end tag as they were received, if they mean the same in any stream of the
        same content namespace; None if the content must be serialised from `children`.
    """

    __slots__ = ("_content", "attributes", "inner", "name")

    def __init__(
        self,
        name: str,
        attributes: dict[str, str] | None = None,
        children: "list[Element | str] | Told | None" = None,
        inner: bytes | None = None,
    ) -> None:
        self.name = name
        self.attributes = {} if attributes is None else attributes
        self._content: Any = [] if children is None else children
        self.inner = inner

    @property
    def children(self) -> "list[Element | str]":
        """Child elements and character data, in document order; character data is `str` itself, no subclass."""
        content = self._content
        if content.__class__ is tuple:
            content = self._content = tree_of(content)
        return content  # type: ignore[no-any-return]  # a list of them by now

    @property
    def names(self) -> "list[str]":
        """The qualified names of the child elements, in document order; no tree is built for them."""
        content = self._content
        if content.__class__ is tuple:
            entries = iter(content)
            return [clark(name) for depth, name, _ in zip(entries, entries, entries) if depth == 1 and name is not None]  # noqa: B905
        return [child.name for child in content if child.__class__ is not str]

    def attribute_of(self, child: str, attribute: str) -> str | None:
        """Return an unprefixed attribute of the first child element of a qualified name; no tree is built for it."""
        content = self._content
        if content.__class__ is tuple:
            if self.inner is not None and child.removeprefix("{") not in content[1::3]:
                return None  # no name has a prefix there
            entries = iter(content)
            for depth, name, attributes in zip(entries, entries, entries):  # noqa: B905
                if depth == 1 and name is not None and clark(name) == child:
                    return attributes.get(attribute)  # type: ignore[no-any-return]  # expat tells text
            return None
        found = self.child(child)
        return None if found is None else found.attributes.get(attribute)

    @property
    def outline(self) -> "Outline | None":
        """The outline of what expat told; None if there is a tree already."""
        content = self._content
        return (content[::3], content[1::3]) if content.__class__ is tuple else None

    @property
    def namespace(self) -> str:
        """The namespace of the name, or an empty string."""
        return self.name[1:].rpartition("}")[0] if self.name.startswith("{") else ""

    @property
    def local(self) -> str:
        """The local part of the name."""
        return self.name.rpartition("}")[2]

    def get(self, attribute: str, default: str | None = None) -> str | None:
        """Return the value of `attribute`, or `default`."""
        return self.attributes.get(attribute, default)

    def elements(self) -> "Iterator[Element]":
        """Yield the child elements, without character data."""
        for child in self.children:
            if child.__class__ is not str:
                yield child  # type: ignore[misc]  # a child that is no str is an Element

    def child(self, name: str) -> "Element | None":
        """Return the first child element of that qualified name, or None."""
        for child in self.children:
            if child.__class__ is not str and child.name == name:  # type: ignore[union-attr]
                return child  # type: ignore[return-value]
        return None

    @property
    def first(self) -> "Element | None":
        """The first child element, or None."""
        return next(self.elements(), None)

    @property
    def text(self) -> str:
        """The element's own character data, joined; that of its children is not included."""
        return "".join([child for child in self.children if child.__class__ is str])

    def text_of(self, name: str, default: str | None = None) -> str | None:
        """Return the character data of the first child of that qualified name, or `default` if there is none."""
        child = self.child(name)
        return default if child is None else child.text

    def without(self, *unwanted: "Element") -> "Element":
        """Return a copy that lacks the given child elements (compared by identity), to be serialised anew."""
        skip = {id(element) for element in unwanted}
        return Element(self.name, self.attributes, [child for child in self.children if id(child) not in skip])

    def __eq__(self, other: object) -> bool:
        """Compare names, attributes and children; iterative, since depth is the sender's choice.

        How character data was cut into pieces on its way does not matter.
        """
        if not isinstance(other, Element):
            return NotImplemented
        pairs: list[tuple[Element, Element]] = [(self, other)]
        while pairs:
            left, right = pairs.pop()
            if left.name != right.name or left.attributes != right.attributes:
                return False
            ours, theirs = _joined(left.children), _joined(right.children)
            if len(ours) != len(theirs):
                return False
            for one, two in zip(ours, theirs, strict=True):
                if isinstance(one, Element) and isinstance(two, Element):
                    pairs.append((one, two))
                elif one.__class__ is not two.__class__ or one != two:
                    return False
        return True

    __hash__ = None  # type: ignore[assignment]  # a tree is compared by value and must not be a key

    def __repr__(self) -> str:
        return f"<Element {self.name} {self.attributes}>"


def tree_of(told: Told) -> list[Element | str]:
    """Return as a tree what expat told of an element's content."""
    top: list[Element | str] = []
    open_at = {1: top}  # the children of the element that is open at each level; deeper ones are closed
    entries = iter(told)
    for depth, expat_name, value in zip(entries, entries, entries):  # noqa: B905  # strict costs a tenth of it all
        if expat_name is None:
            open_at[depth].append(value)
        else:
            children: list[Element | str] = []
            open_at[depth + 1] = children
            open_at[depth].append(Element(clark(expat_name), named(value) if value else value, children))
    return top


class Names:
    """Qualified names of children that are to be looked for in each stanza."""

    __slots__ = ("_names", "_unprefixed")

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)
        self._unprefixed = frozenset(name.removeprefix("{") for name in names)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in no order."""
        return iter(self._names)

    def occur_in(self, element: Element) -> bool:
        """Whether a child of `element` has one of the names. That none has is nearly always seen without a tree."""
        told = element._content
        if told.__class__ is tuple and element.inner is not None and self._unprefixed.isdisjoint(told[1::3]):
            return False  # a bound prefix, which would stand behind the name, is nowhere in it
        for child in element.children:  # noqa: SIM110  # no generator: every stanza passes here
            if child.__class__ is not str and child.name in self._names:  # type: ignore[union-attr]
                return True
        return False


def _joined(children: "list[Element | str]") -> "list[Element | str]":
    """Return `children` with neighbouring pieces of character data joined, and empty ones dropped."""
    joined: list[Element | str] = []
    for is_text, run in groupby(children, lambda child: isinstance(child, str)):
        if is_text:
            joined.extend(filter(None, ["".join(run)]))  # type: ignore[arg-type]  # groupby does not narrow
        else:
            joined.extend(run)
    return joined


def E(name: str, /, *parts: "Element | str | Mapping[str, str | None] | None", **attributes: Any) -> Element:
    """Build an element.

    For instance ``E("{ns}item", E("{ns}group", "Friends"), jid=contact, name=None)``.

    :param parts: child elements, character data, mappings of attributes whose names are no identifiers, or None (left
        out).
    :param attributes: attributes by name; a trailing underscore is dropped (``from_``), a value of None leaves the
        attribute out, any other value is converted by `str`.
    """
    named: dict[str, str] = {}
    children: list[Element | str] = []
    for part in parts:
        if part is None:
            continue
        if part.__class__ is Element:
            children.append(part)
        elif isinstance(part, str):
            children.append(str(part))  # an address or an enumerated value is character data like any other
        elif isinstance(part, Element):
            children.append(part)
        else:
            named.update({key: str(value) for key, value in part.items() if value is not None})
    for key, value in attributes.items():
        if value is not None:
            named[key.rstrip("_")] = str(value)
    return Element(name, named, children)
