"""Namespace declarations, as they stand in the bytes of start tags: which there are, and whether there are too many.

expat applies them and does not tell them; asking it to would cost a call for each. What is read here was read by expat
before, so it is known to be well-formed.
"""

import re
from functools import lru_cache
from typing import Final

from .errors import StreamError

START_TAG: Final = re.compile(rb"""<[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>""")
HEADER_NAME: Final = re.compile(rb"<([^\s/>]+)")
ATTRIBUTE: Final = re.compile(rb"""\s*([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")
QUOTED: Final = re.compile(rb""""[^"]*"|'[^']*'""")
DECLARATION: Final = re.compile(rb"\sxmlns(?::[^\s=]+)?\s*=")
SHORTEST_DECLARATION: Final = len(" xmlns:a='b'")  # bytes; a shorter element has no room for too many
SHORT_TAG: Final = 500  # bytes; what is remembered of longer ones would be an attacker's


def check_declarations(data: bytes, most: int, start: int, end: int) -> None:
    """Refuse the element in `data` from `start` to `end` if one of its start tags has more than `most` declarations.

    :raises StreamError: it has.
    """
    if data.count(b"xmlns", start, end) <= most:  # nearly always
        return
    for tag in START_TAG.finditer(data, start, end):
        if tag[0].count(b"xmlns") > most and len(DECLARATION.findall(QUOTED.sub(b"''", tag[0]))) > most:
            raise StreamError("policy-violation", f"an element may have at most {most} namespace declarations")


def declarations_of(tag: bytes) -> tuple[bytes, str]:
    """Return a start tag with the namespace declarations of `tag` alone, in one order, and the default namespace."""
    return _kept(tag) if len(tag) <= SHORT_TAG else _read(tag)


def _read(tag: bytes) -> tuple[bytes, str]:
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


_kept = lru_cache(256)(_read)  # clients of one kind write one kind of header
