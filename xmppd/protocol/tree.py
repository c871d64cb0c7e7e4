"""What expat tells, as elements: the handlers that note it.

This is the hottest Python of the server: every tag of every stanza passes here. Hence closures instead of methods,
whose state is in cells; the limits are bound once. All that is noted of an element's content is one flat list, which
`Element` makes a tree of when somebody looks. What an element costs is checked at each tag, except its size in bytes,
which whoever feeds expat knows.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any, Final, NamedTuple

from .element import Element
from .errors import StreamError
from .qualified import clark, has_prefix, named, uses_prefix

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
    """A stream header as expat tells it."""

    name: str
    attributes: dict[str, str]


Event = StreamHeader | StreamFooter | Element
Done = tuple[Element | Opening | StreamFooter, int, int, int, bool]
"""What is whole, and of elements where they begin, where their content begins and where it ends, as byte indexes.

The content begins at -1 where expat does not tell: it begins with character data. The last one is whether its bytes
mean the same elsewhere.
"""


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

    :ivar done: what is whole; the reader empties it.
    :ivar names: expat's names behind the stream header, those of attributes among them, since expat forgets none.
    :ivar is_between: whether the parser is between two elements at stream level.
    :ivar is_inside: whether it is inside one.
    :ivar start: the byte index of the element that is being read.
    :ivar release: forgets expat, which knows the handlers: it is then freed at once, while the garbage collector would
        let the names of many gather before.
    """

    __slots__ = ("done", "is_between", "is_inside", "names", "release", "start")

    def __init__(self, parser: Any, limits: Limits) -> None:
        self.done: list[Done] = []
        self.names: dict[str, str] = parser.intern
        self.is_between, self.is_inside, self.start, self.release = _bind_handlers(
            parser, limits, self.done, _prefix_detector(self.names)
        )


def _prefix_detector(names: dict[str, str]) -> Callable[[str, list[Any]], bool]:
    """Return what tells whether an element's name or content has a prefix; nearly always no name of the parser has."""
    seen = 0
    any_has = False

    def has(name: str, told: list[Any]) -> bool:
        nonlocal any_has, seen
        if len(names) != seen:
            any_has = any_has or any(map(has_prefix, islice(names, seen, None)))
            seen = len(names)
        return any_has and (has_prefix(name) or uses_prefix(told))

    return has


def _bind_handlers(
    parser: Any, limits: Limits, done: list[Done], is_prefixed: Callable[[str, list[Any]], bool]
) -> tuple[Callable[[], bool], Callable[[], bool], Callable[[], int], Callable[[], None]]:
    max_children, max_depth, max_attributes = limits.children, limits.depth, limits.attributes
    told: list[Any] = []  # of the element at stream level, see `Told`
    depth = 0  # elements that are open, the stream not counted
    seen = 0  # elements below the one at stream level
    outermost: dict[str, str] = {}  # the attributes of that one
    started = content = -1  # where it begins, and where its content does
    in_stream = False

    def start_stream(name: str, attributes: dict[str, str]) -> None:
        nonlocal in_stream
        if len(attributes) > max_attributes:
            raise StreamError("policy-violation", "the stream header has too many attributes")
        in_stream = True
        done.append((Opening(clark(name), named(attributes)), parser.CurrentByteIndex, -1, -1, False))
        parser.intern.clear()  # its names are expected; when they are used again they count as others do
        parser.StartElementHandler = start_element

    def start_element(name: str, attributes: dict[str, str]) -> None:
        nonlocal content, depth, outermost, seen, started
        if len(attributes) > max_attributes:
            raise StreamError("policy-violation", "an element has too many attributes")
        if depth:
            if seen >= max_children or depth > max_depth:
                raise StreamError("policy-violation", "an element has too many descendants or levels")
            if not told:
                content = parser.CurrentByteIndex
            told.append(depth)
            told.append(name)
            told.append(attributes)
            seen += 1
            depth += 1
        else:
            started, content, outermost = parser.CurrentByteIndex, -1, attributes
            seen = 0
            depth = 1

    def end_element(name: str) -> None:
        nonlocal depth, in_stream
        if depth > 1:
            depth -= 1
        elif depth:
            depth = 0
            end = parser.CurrentByteIndex
            element = Element(clark(name), named(outermost) if outermost else outermost, tuple(told))
            done.append((element, started, content if told else end, end, not is_prefixed(name, told)))
            told.clear()
        else:
            in_stream = False
            done.append((StreamFooter(), -1, -1, -1, False))

    def character_data(text: str) -> None:
        if depth:
            if told and told[-2] is None and told[-3] == depth and len(told[-1]) < SHORT_TEXT:
                told[-1] += text
            else:
                told.extend((depth, None, text))
        elif text.strip(" \t\r\n"):
            raise StreamError("bad-format", "character data between stanzas")

    def release() -> None:
        nonlocal parser
        parser = None

    parser.StartElementHandler = start_stream
    parser.EndElementHandler = end_element
    parser.CharacterDataHandler = character_data
    return lambda: in_stream and not depth, lambda: depth > 0, lambda: started, release
