"""The stream header that nearly every client sends, read without a parser of its own.

An expat parser is a costly thing to make for one tag, and a login needs two or three. A header of the plainest kind
(printable ASCII, no references, the usual two namespaces) says by its form alone what expat would make of it; what
comes behind it goes to a parser that is inside such a header already (`parser.ParserPool`). Any other header is
expat's, with all its errors.
"""

import re
from functools import lru_cache
from typing import Final

from .names import CLIENT, STREAM, XML_LANG
from .tree import StreamHeader

LONGEST: Final = 2000  # bytes
MOST_ATTRIBUTES: Final = 16
NAME: Final = rb"[A-Za-z][A-Za-z0-9_.-]*(?::[A-Za-z][A-Za-z0-9_.-]*)?"
VALUE: Final = rb"""(?:'[ !"#$%(-;=-~]*'|"[ !#$%'-;=-~]*")"""
HEADER: Final = re.compile(
    rb"""[ \t\r\n]*"""
    rb"""(?:<\?xml version=(?:'1\.0'|"1\.0")(?: encoding=(?:'(?:utf|UTF)-8'|"(?:utf|UTF)-8"))? ?\?>[ \t\r\n]*)?"""
    rb"<stream:stream((?:[ \t\r\n]+" + NAME + b"=" + VALUE + rb")*)[ \t\r\n]*>"
)
ATTRIBUTE: Final = re.compile(b"(" + NAME + b")=(" + VALUE + b")")
USUAL_LENGTH: Final = 300  # bytes; longer ones are read anew each time
KEPT: Final = 256  # headers; clients of one kind all say the same, and each of them says it twice or more
FOUND: Final = f"{{{STREAM}}}stream"


def plain_header(data: bytes) -> tuple[StreamHeader, int] | None:
    """Return the header that `data` begins with and its length; None if it is not whole, or not of the plain kind.

    The header is shared: nobody may change its attributes.
    """
    return _known(data) if _is_alone(data) else _read(data)


def _is_alone(data: bytes) -> bool:
    """Whether nothing is behind the header, and it is short: a password that came with it must not be kept."""
    tags = 2 if data.startswith(b"<?xml") else 1
    return len(data) <= USUAL_LENGTH and data.endswith(b">") and data.count(b"<") == tags


def _read(data: bytes) -> tuple[StreamHeader, int] | None:
    match = HEADER.match(data, 0, LONGEST)
    if match is None:
        return None
    written = [(name.decode(), value[1:-1].decode()) for name, value in ATTRIBUTE.findall(match[1])]
    attributes = dict(written)
    if len(attributes) != len(written) or len(written) > MOST_ATTRIBUTES:
        return None
    if attributes.pop("xmlns", None) != CLIENT or attributes.pop("xmlns:stream", None) != STREAM:
        return None
    lang = attributes.pop("xml:lang", None)
    if any(":" in name for name in attributes):
        return None
    if lang is not None:
        attributes[XML_LANG] = lang
    return StreamHeader(FOUND, attributes, CLIENT), match.end()


_known: Final = lru_cache(KEPT)(_read)
