"""Elements to bytes: the one serialiser.

CR, LF and TAB are written as character references, in text as in attributes, so that what comes out at the other end
is what went in (XML 1.0, 2.11 and 3.3.3 would normalise them away). No prefix is ever invented but those of XML
itself and of the stream namespace, which every stream header of ours declares. Nothing recurses: depth is the
sender's choice.
"""

import re
from functools import lru_cache
from typing import Final

from .element import Element
from .jid import Jid
from .names import CLIENT, STREAM, XML

FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
TEXT_SPECIAL: Final = re.compile(f"[&<>\r\n\t{FORBIDDEN.pattern[1:]}")
ATTRIBUTE_SPECIAL: Final = re.compile(f"[&<>'\"\r\n\t{FORBIDDEN.pattern[1:]}")
REFERENCES: Final = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;",
}  # fmt: skip
SHORT_NAME: Final = 200  # characters; what is remembered of longer ones would be an attacker's


def _reference(match: re.Match[str]) -> str:
    return REFERENCES.get(match[0], "\ufffd")  # what has none is forbidden


def escape_text(text: str) -> str:
    """Return `text` as character data; what no XML document may contain becomes U+FFFD."""
    if text.isalnum():
        return text
    return TEXT_SPECIAL.sub(_reference, text) if TEXT_SPECIAL.search(text) else text


def escape_attribute(value: str) -> str:
    """Return `value` as it stands between the quotes of an attribute, whichever quotes they are."""
    if value.isalnum():
        return value
    return ATTRIBUTE_SPECIAL.sub(_reference, value) if ATTRIBUTE_SPECIAL.search(value) else value


def escape_address(jid: Jid) -> str:
    """Return an address as `escape_attribute` does. Only resourceparts may have anything to escape (RFC 7622, 3.3)."""
    resourcepart = jid.resourcepart
    return jid if not resourcepart or resourcepart.isalnum() else escape_attribute(jid)


def serialise(element: Element, default: str = CLIENT) -> bytes:
    """Return the bytes of `element` as they stand where `default` is the default namespace."""
    pieces: list[str] = []
    write_into(pieces, element, default)
    return "".join(pieces).encode()


def serialise_children(element: Element, default: str = CLIENT) -> bytes:
    """Return the bytes of an element's content."""
    pieces: list[str] = []
    for child in element.children:
        if isinstance(child, str):
            pieces.append(escape_text(child))
        else:
            write_into(pieces, child, default)
    return "".join(pieces).encode()


def write_into(pieces: list[str], element: Element, default: str) -> None:
    """Append the serialised `element` to `pieces`."""
    todo: list[tuple[Element, str] | str] = [(element, default)]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            pieces.append(item)
            continue
        current, outer = item
        opening, closing, inner = _tags(current, outer)
        children = current.children
        if not children:
            pieces.append(f"{opening}/>")
            continue
        pieces.append(f"{opening}>")
        todo.append(closing)
        todo.extend([escape_text(child) if isinstance(child, str) else (child, inner) for child in reversed(children)])


def _tags(element: Element, outer: str) -> tuple[str, str, str]:
    """Return the start tag without its end, the end tag, and the default namespace inside."""
    name = element.name
    opening, closing, inner = (_kept if len(name) <= SHORT_NAME else _named)(name, outer)
    for key, value in element.attributes.items():
        if key[0] == "{":
            opening += _prefixed_attribute(key, value, len(opening))
        else:
            opening += f" {key}='{escape_attribute(value)}'"
    return opening, closing, inner


def _named(qualified: str, outer: str) -> tuple[str, str, str]:
    """Return what `_tags` does for an element of that name without attributes."""
    namespace, _, local = qualified.rpartition("}")
    namespace = namespace[1:]
    if namespace == STREAM:
        return f"<stream:{local}", f"</stream:{local}>", outer
    if namespace == XML:  # may be no default namespace (Namespaces in XML, 3), though a client may send <xml:a/>
        return f"<xml:{local}", f"</xml:{local}>", outer
    if namespace == outer:
        return f"<{local}", f"</{local}>", outer
    return f"<{local} xmlns='{escape_attribute(namespace)}'", f"</{local}>", namespace


_kept = lru_cache(1024)(_named)  # what there is to say repeats


def _prefixed_attribute(key: str, value: str, number: int) -> str:
    """Return an attribute with a namespace; `number` makes its prefix unique on its element, as it need be."""
    namespace, _, local = key[1:].rpartition("}")
    if namespace == XML:
        return f" xml:{local}='{escape_attribute(value)}'"
    return f" xmlns:a{number}='{escape_attribute(namespace)}' a{number}:{local}='{escape_attribute(value)}'"
