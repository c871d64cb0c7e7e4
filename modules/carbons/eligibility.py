"""XEP-0280, Messages Eligible for Carbons Delivery: which messages are copied, and why.

These are the recommended rules, all of them, and no others: `urn:xmpp:carbons:rules:0` promises that. Whoever wants a
message to be left out says `<private/>`, or `<no-copy/>` (XEP-0334); in an error both may be echoes, and mean nothing.
Neither is taken out of the message: what the sender wished for its recipient may see.
"""

from collections import OrderedDict
from enum import Enum
from typing import Final, NamedTuple

from xmppd.protocol.element import Element
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import CLIENT
from xmppd.protocol.stanza import Stanza

from .api import NS

PRIVATE: Final = f"{{{NS}}}private"
NO_COPY: Final = "{urn:xmpp:hints}no-copy"
BODY: Final = f"{{{CLIENT}}}body"
DIRECT_INVITATION: Final = "{jabber:x:conference}x"
MUC_USER: Final = "http://jabber.org/protocol/muc#user"
ROOM: Final = f"{{{MUC_USER}}}x"
INVITE: Final = f"{{{MUC_USER}}}invite"

INSTANT: Final = frozenset({
    "urn:xmpp:receipts",  # XEP-0184
    "http://jabber.org/protocol/chatstates",  # XEP-0085
    "urn:xmpp:chat-markers:0",  # XEP-0333
})  # fmt: skip
"""Namespaces of payloads that are typical of instant messaging."""


class Way(Enum):
    """Which way a message goes, seen from the account whose resources are to have a copy."""

    SENT = "sent"
    RECEIVED = "received"


class Eligibility(NamedTuple):
    """Whether a message is copied, and why."""

    is_copied: bool
    reason: str


def eligibility(stanza: Stanza, way: Way, *, answers_copied: bool = False) -> Eligibility:
    """Decide on one message.

    :param answers_copied: whether an error answers a message that was eligible itself.
    """
    type = stanza.type
    if type == "groupchat":
        return Eligibility(False, "groupchat")
    if type == "error":
        return Eligibility(answers_copied, "error of a copied message" if answers_copied else "error")
    children = {child.name: child for child in stanza.elements()}
    if PRIVATE in children:
        return Eligibility(False, "private")
    if NO_COPY in children:
        return Eligibility(False, "hint")
    return _of_room(stanza, way, children) or _of_people(type, children)


def _of_room(stanza: Stanza, way: Way, children: dict[str, Element]) -> Eligibility | None:
    """Decide on what has to do with a room; None if it has not.

    A private message of an occupant comes to all clients that are in the room: it is copied by the room already.
    """
    if DIRECT_INVITATION in children:
        return Eligibility(True, "invitation")
    room = children.get(ROOM)
    if room is None:
        return None
    if room.child(INVITE) is not None:
        return Eligibility(True, "invitation")
    if way is Way.SENT:
        is_private = stanza.to is not None and bool(stanza.to.resourcepart)
        return Eligibility(True, "private message to an occupant") if is_private else None
    return Eligibility(False, "private message of an occupant") if stanza.from_.resourcepart else None


def _of_people(type: str, children: dict[str, Element]) -> Eligibility:
    if type == "chat":
        return Eligibility(True, "chat")
    if type == "normal" and BODY in children:
        return Eligibility(True, "body")
    for child in children.values():
        if child.namespace in INSTANT:
            return Eligibility(True, "instant messaging")
    return Eligibility(False, "no instant message")


class Lately:
    """The messages that were eligible lately, so that an error is known as the answer to one.

    What is kept of each is a number: two of them that are equal by chance would copy an error that need not be.

    :param size: how many are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[int, None] = OrderedDict()

    def note(self, account: Jid, peer: Jid, id: str | None) -> None:
        """Keep a message that an account exchanged with somebody; one without an id cannot be told from others."""
        if id is None:
            return
        self._kept[hash((account, peer.bare, id))] = None
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def knows(self, account: Jid, peer: Jid, id: str | None) -> bool:
        """Whether that message was noted."""
        return id is not None and hash((account, peer.bare, id)) in self._kept
