"""The stream header that nearly every client sends, read without a parser of its own.

An expat parser is a costly thing to make for one tag, and a login needs two or three. A header of the plainest kind
(printable ASCII, no references, the usual two namespaces) says by its form alone what expat would make of it; what
comes behind it goes to a parser that is inside such a header already (`parser.ParserPool`). Any other header is
expat's, with all its errors.
"""

import re
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
FOUND: Final = f"{{{STREAM}}}stream"


def plain_header(data: bytes) -> tuple[StreamHeader, int] | None:
    """Return the header that `data` begins with and its length; None if it is not whole, or not of the plain kind."""
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
