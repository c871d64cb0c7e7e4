"""Unique and stable stanza ids (XEP-0359), and marks that are appended to a stanza that is bytes already.

A stanza of the log is kept as it was written to a client. What its reader has to add, its id and a delay, goes before
the end tag; nothing is parsed for it.
"""

from typing import Final

from .element import Element
from .names import DELAY
from .timestamps import format_time
from .writer import escape_attribute

NAMESPACE: Final = "urn:xmpp:sid:0"
STANZA_ID: Final = f"{{{NAMESPACE}}}stanza-id"
ORIGIN_ID: Final = f"{{{NAMESPACE}}}origin-id"


def stanza_id(by: str, id: int) -> Element:
    """Return the `<stanza-id/>` that a log's owner gives."""
    return Element(STANZA_ID, {"by": by, "id": str(id)})


def stanza_id_bytes(by: str, id: int) -> bytes:
    """Return the same as bytes."""
    return b"<stanza-id xmlns='urn:xmpp:sid:0' by='%b' id='%d'/>" % (escape_attribute(by).encode(), id)


def delay_bytes(by: str, stamp: float) -> bytes:
    """Return a `<delay/>` (XEP-0203) as bytes; `stamp` in seconds since the epoch."""
    return f"<delay xmlns='{DELAY}' from='{escape_attribute(by)}' stamp='{format_time(stamp)}'/>".encode()


def appended(stanza: bytes, *marks: bytes) -> bytes:
    """Return a whole message with `marks` at the end of its content."""
    if stanza.endswith(b"/>"):
        return b"%b>%b</message>" % (stanza[:-2], b"".join(marks))
    return b"%b%b</message>" % (stanza[:-10], b"".join(marks))
