"""What expat tells, as a tree: the handlers that build elements.

This is the hottest Python of the server: every tag of every stanza passes here. Hence closures instead of methods,
whose state is in cells; the limits are bound once. What an element costs is checked while it is built, except its
size in bytes, which whoever feeds expat knows.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from .element import Element
from .errors import StreamError

SEPARATOR: Final = "}"
SHORT_TEXT: Final = 1024  # characters; shorter pieces are joined, or text sent byte by byte would cost a hundredfold


class Limits(NamedTuple):
    """What one element at stream level may cost.

    :ivar size: bytes from its start tag to its end tag.
    :ivar depth: levels of elements below it.
    :ivar attributes: attributes of one element.
    :ivar children: elements below it, at any depth.
    :ivar declarations: namespace declarations of one element.
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


class Opening(NamedTuple):
    """A stream header as expat tells it, and where it begins."""

    name: str
    attributes: dict[str, str]
    at: int


Event = StreamHeader | StreamFooter | Element


def restricted(what: str) -> Callable[..., None]:
    """Return an expat handler that refuses `what` (RFC 6120, 11.1)."""

    def refuse(*_: Any) -> None:
        raise StreamError("restricted-xml", f"{what} not allowed")

    return refuse


def check_declaration(version: str, encoding: str | None, standalone: int) -> None:
    """Refuse an XML declaration that names another encoding (RFC 6120, 11.6)."""
    if encoding is not None and encoding.lower() not in ("utf-8", "utf8"):
        raise StreamError("unsupported-encoding", "only UTF-8 is allowed")


class Tree:
    """The elements of one stream, as one expat parser tells them.

    :ivar done: what is whole, as (`Element`, `Opening` or `StreamFooter`; first byte; where its end tag begins; whether
        its bytes mean the same elsewhere).
    :ivar names: expat's names, translated, those of attributes among them, since expat forgets none; names with a
        prefix are only counted, as each use must be noticed.
    :ivar is_between: whether the parser is between two elements at stream level.
    :ivar is_inside: whether it is inside one.
    :ivar start: the byte index of the element that is being read.
    :ivar release: forgets expat, which knows the handlers: it is then freed at once, while the garbage collector would
        let the names of many gather before.
    """

    __slots__ = ("done", "is_between", "is_inside", "names", "release", "start")

    def __init__(self, parser: Any, limits: Limits) -> None:
        self.done: list[tuple[Any, int, int, bool]] = []
        self.names: dict[str, str] = {}
        self.is_between, self.is_inside, self.start, self.release = _bind_handlers(
            parser, limits, self.done, self.names
        )


def clark(expat_name: str) -> str:
    """Translate "namespace}local" or "namespace}local}prefix"."""
    parts = expat_name.split(SEPARATOR)
    return expat_name if len(parts) == 1 else f"{{{parts[0]}}}{parts[1]}"


def _bind_handlers(
    parser: Any, limits: Limits, done: list[tuple[Any, int, int, bool]], names: dict[str, str]
) -> tuple[Callable[[], bool], Callable[[], bool], Callable[[], int], Callable[[], None]]:
    stack: list[list[Element | str]] = []
    push, pop = stack.append, stack.pop
    finished = done.append
    translated = names.get
    max_children, max_depth, max_attributes = limits.children, limits.depth, limits.attributes
    current: list[Element | str] | None = None
    element: Element | None = None  # the one at stream level
    started = seen = 0
    in_stream = False
    raw = True

    def open_stream(expat_name: str, attributes: dict[str, str]) -> None:
        nonlocal in_stream
        if len(attributes) > max_attributes:
            raise StreamError("policy-violation", "the stream header has too many attributes")
        in_stream = True
        named = {clark(key): value for key, value in attributes.items()}
        finished((Opening(clark(expat_name), named, parser.CurrentByteIndex), 0, 0, False))
        parser.StartElementHandler = start_element

    def start_element(expat_name: str, attributes: dict[str, str]) -> None:
        nonlocal current, element, raw, seen, started
        name = translated(expat_name) or learn(expat_name)
        if attributes:
            if len(attributes) > max_attributes:
                raise StreamError("policy-violation", "an element has too many attributes")
            for attribute in attributes:
                if attribute not in names:
                    if SEPARATOR in attribute:
                        attributes = named_attributes(attributes)
                        break
                    names[attribute] = attribute
        children: list[Element | str] = []
        if current is None:
            element = Element(name, attributes, children)
            started = parser.CurrentByteIndex
            raw = expat_name.count(SEPARATOR) == 1
            seen = 0
            push(children)
        else:
            seen += 1
            if seen > max_children or len(stack) > max_depth:
                raise StreamError("policy-violation", "an element has too many descendants or levels")
            current.append(Element(name, attributes, children))
            push(current)
        current = children

    def end_element(expat_name: str) -> None:
        nonlocal current, in_stream
        if current is None:
            in_stream = False
            finished((StreamFooter(), 0, 0, False))
            return
        current = pop()
        if not stack:
            current = None
            finished((element, started, parser.CurrentByteIndex, raw))

    def character_data(text: str) -> None:
        if current is not None:
            if current and (last := current[-1]).__class__ is str and len(last) < SHORT_TEXT:
                current[-1] = f"{last}{text}"
            else:
                current.append(text)
        elif text.strip(" \t\r\n"):
            raise StreamError("bad-format", "character data between stanzas")

    def learn(expat_name: str) -> str:
        nonlocal raw
        name = clark(expat_name)
        if expat_name.count(SEPARATOR) > 1:
            raw = False
            names[f"{SEPARATOR}{expat_name}"] = name
        else:
            names[expat_name] = name
        return name

    def named_attributes(attributes: dict[str, str]) -> dict[str, str]:
        nonlocal raw
        for key in attributes:
            if SEPARATOR not in key:
                names[key] = key
            elif key.count(SEPARATOR) > 1 and not key.endswith("}xml"):
                raw = False
                names[f"{SEPARATOR}{key}"] = key
        return {clark(key): value for key, value in attributes.items()}

    def release() -> None:
        nonlocal parser
        parser = None

    parser.StartElementHandler = open_stream
    parser.EndElementHandler = end_element
    parser.CharacterDataHandler = character_data
    return lambda: in_stream and current is None, lambda: current is not None, lambda: started, release
