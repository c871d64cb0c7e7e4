"""A carbon on the wire (XEP-0280, Receiving Messages and Sending Messages): the message, forwarded (XEP-0297)."""

from xmppd.protocol.element import Element
from xmppd.protocol.forward import NAME as FORWARDED
from xmppd.protocol.forward import forwarded
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import MESSAGE
from xmppd.protocol.stanza import Stanza

from .api import NS
from .eligibility import Way


def carbon(stanza: Stanza, way: Way, account: Jid) -> Stanza:
    """Return a message's copy, to be addressed to one resource after the other: its content is serialised here, once.

    Whoever looks into the copy finds the message as elements, too.
    """
    inner = f"<{way.value} xmlns='{NS}'>".encode() + forwarded(stanza.to_bytes()) + f"</{way.value}>".encode()
    wrapper = Element(f"{{{NS}}}{way.value}", {}, [Element(FORWARDED, {}, [_whole(stanza)])])
    return Stanza("message", Element(MESSAGE, {}, [wrapper], inner), None, account, stanza.type)


def _whole(stanza: Stanza) -> Element:
    """Return a message as an element whose attributes are to be trusted."""
    named = {"from": stanza.from_, "to": stanza.to, "type": stanza.type, "id": stanza.id}
    attributes = {name: str(value) for name, value in named.items() if value is not None}
    return Element(MESSAGE, attributes, [*stanza.element.children, *stanza.added])
