"""Stanzas as the server's own parser reads them."""

from xmppd.protocol.element import Element
from xmppd.protocol.parser import USUAL_HEADER, StreamParser
from xmppd.protocol.tree import Limits


def element_of(text: str) -> Element:
    """Return one stanza of a client's stream."""
    (found,) = StreamParser(Limits(), USUAL_HEADER).feed(text.encode())
    assert isinstance(found, Element)
    return found
