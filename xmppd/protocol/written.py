"""Stanzas that we have written, read again: from a table, or from what waits for a client."""

from typing import Final

from .element import Element
from .errors import Misuse
from .jid import Jid
from .parser import USUAL_HEADER, StreamParser
from .stanza import Stanza, read
from .tree import Limits

LARGEST: Final = Limits(size=1 << 26, depth=1 << 16, attributes=1 << 16, children=1 << 24, declarations=1 << 16)
"""What was accepted on its way in is read again whatever its size: no limit of a stream holds here."""


def read_written(data: bytes) -> Stanza:
    """Return the stanza of which `Stanza.to_bytes` has made `data`.

    :raises Misuse: it is none.
    """
    parser = StreamParser(LARGEST, USUAL_HEADER)
    parser.feed(data)
    events = parser.take_events()
    element = events[0] if len(events) == 1 else None
    if not isinstance(element, Element):
        raise Misuse("what was kept is no stanza")
    return read(element, Jid.parse(element.attributes["from"]))
