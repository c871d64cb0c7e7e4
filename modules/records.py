"""What of a message is kept: the rules for rows of the log, as one table.

A row is in the archive (XEP-0313), or waits for whoever is offline (XEP-0160), or both. Rooms keep their own messages;
headlines and errors are for the moment (XEP-0160, Handling of Message Types).

* Content makes a row: a body, a subject, an encrypted payload, an invitation, and whatever changes or answers another
  message: receipts, markers, reactions, corrections, retractions.
* Hints (XEP-0334) win over that: `no-store` keeps nothing, `no-permanent-store` nothing in the archive, `store` keeps
  what has no content that we know. The hint that keeps less wins. There is no hint for a headline, an error or a room's
  message: none of them has a place in the log.
* A chat state alone, or a marker's or receipt's request, is worth nothing later. A chat message with something that
  nobody here knows waits for its addressee, but is not archived; a normal one, as pubsub sends them, does not.
* What an account writes to itself is one row, the one that it receives (XEP-0313, User Archives).
"""

from dataclasses import dataclass, field
from typing import ClassVar, Final, NamedTuple

from xmppd.core.events import InboundMessage, OutboundMessage
from xmppd.core.hooks import Phase, on
from xmppd.core.host import Hosts
from xmppd.core.message_log import ARCHIVE, WAIT
from xmppd.core.module import Module, Xep
from xmppd.core.sessions import Sessions
from xmppd.protocol.element import Element, Outline
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

HINTS: Final = "urn:xmpp:hints"
MUC_USER: Final = "http://jabber.org/protocol/muc#user"
INVITE: Final = f"{{{MUC_USER}}}invite"
DECLINE: Final = f"{{{MUC_USER}}}decline"

# What a child of a message says of it, as bits.
CONTENT: Final = 1
STORE: Final = 2
NO_PERMANENT_STORE: Final = 4
NO_STORE: Final = 8
OTHER: Final = 16  # something that nobody here knows
ROOM: Final = 32  # it has to be looked into

CHILDREN: Final[dict[str, int]] = {
    f"{{{HINTS}}}store": STORE,
    f"{{{HINTS}}}no-permanent-store": NO_PERMANENT_STORE,
    f"{{{HINTS}}}no-permanent-storage": NO_PERMANENT_STORE,  # as older clients write it
    f"{{{HINTS}}}no-store": NO_STORE,
    f"{{{HINTS}}}no-storage": NO_STORE,
    f"{{{MUC_USER}}}x": ROOM,
    **dict.fromkeys(
        (
            "{jabber:client}body",
            "{jabber:client}subject",
            "{http://jabber.org/protocol/xhtml-im}html",  # XEP-0071
            "{jabber:x:oob}x",  # XEP-0066
            "{jabber:x:conference}x",  # XEP-0249
            "{http://jabber.org/protocol/rosterx}x",  # XEP-0144
            "{urn:xmpp:receipts}received",  # XEP-0184
            "{urn:xmpp:chat-markers:0}received",  # XEP-0333
            "{urn:xmpp:chat-markers:0}displayed",
            "{urn:xmpp:chat-markers:0}acknowledged",
            "{urn:xmpp:forward:0}forwarded",  # XEP-0297
            "{urn:xmpp:message-correct:0}replace",  # XEP-0308
            "{urn:xmpp:message-retract:1}retract",  # XEP-0424
            "{urn:xmpp:fasten:0}apply-to",  # its older form
            "{urn:xmpp:message-attaching:1}attach-to",  # XEP-0367
            "{urn:xmpp:reactions:0}reactions",  # XEP-0444
            "{urn:xmpp:sfs:0}file-sharing",  # XEP-0447
            "{urn:xmpp:sfs:0}sources",
            "{urn:xmpp:reply:0}reply",  # XEP-0461
            "{jabber:x:encrypted}x",  # XEP-0027
            "{urn:xmpp:openpgp:0}openpgp",  # XEP-0373
            "{urn:xmpp:eme:0}encryption",  # XEP-0380
            "{eu.siacs.conversations.axolotl}encrypted",  # XEP-0384
            "{urn:xmpp:omemo:1}encrypted",
            "{urn:xmpp:omemo:2}encrypted",
        ),
        CONTENT,
    ),
    **dict.fromkeys(
        (
            f"{{{HINTS}}}no-copy",
            "{jabber:client}thread",
            "{http://jabber.org/protocol/address}addresses",  # XEP-0033
            "{http://jabber.org/protocol/chatstates}active",  # XEP-0085
            "{http://jabber.org/protocol/chatstates}composing",
            "{http://jabber.org/protocol/chatstates}gone",
            "{http://jabber.org/protocol/chatstates}inactive",
            "{http://jabber.org/protocol/chatstates}paused",
            "{http://jabber.org/protocol/nick}nick",  # XEP-0172
            "{http://jabber.org/protocol/pubsub#event}event",  # XEP-0060
            "{urn:xmpp:receipts}request",
            "{urn:xmpp:delay}delay",  # XEP-0203
            "{urn:xmpp:attention:0}attention",  # XEP-0224
            "{urn:xmpp:carbons:2}private",  # XEP-0280
            "{urn:xmpp:chat-markers:0}markable",
            "{urn:xmpp:sid:0}stanza-id",  # XEP-0359
            "{urn:xmpp:sid:0}origin-id",
            "{urn:xmpp:occupant-id:0}occupant-id",  # XEP-0421
            "{urn:xmpp:fallback:0}fallback",  # XEP-0428
        ),
        0,
    ),
}
"""What is known of a message's children; jingle messages (XEP-0353) bring the hint that is right for them."""


class Record(NamedTuple):
    """What is kept of a message.

    :ivar flags: `ARCHIVE`, `WAIT`, both or none.
    :ivar reason: why, for people.
    """

    flags: int
    reason: str


BOTH: Final = ARCHIVE | WAIT
TYPES: Final[dict[str, Record]] = {
    "error": Record(0, "errors are for the moment"),
    "groupchat": Record(0, "rooms keep their own messages"),
    "headline": Record(0, "headlines are for the moment"),
}
"""Types that the log has no place for, whatever they carry."""


def _decided(bits: int) -> Record:
    """Return what the children of a message say together, but for its type."""
    if bits & NO_STORE:
        return Record(0, "it is hinted not to be stored")
    if not bits & (CONTENT | STORE):
        return Record(0, "it has no content")
    if bits & NO_PERMANENT_STORE:
        return Record(WAIT, "it is hinted not to be stored permanently")
    return Record(BOTH, "it has content" if bits & CONTENT else "it is hinted to be stored")


RECORDS: Final = tuple(_decided(bits) for bits in range(ROOM))
"""What is kept, by what the children say."""

REMEMBERED: Final = 1000
LONGEST_OUTLINE: Final = 1000
"""Of how many kinds of messages it is remembered what is kept, and how long the names in each may be in all."""

UNKNOWN: Final = Record(WAIT, "it has something that nobody here knows, which its addressee may")


def kept(stanza: Stanza) -> Record:
    """Return what is kept of a message by whoever receives it."""
    found = TYPES.get(stanza.type)
    if found is not None:
        return found
    bits = 0
    for name in stanza.element.names:
        bits |= CHILDREN.get(name, OTHER)
    if bits & ROOM:
        bits = bits & ~ROOM | _said_of_room(stanza.element)
    if bits & OTHER and not bits & (CONTENT | STORE | NO_STORE) and stanza.type == "chat":
        return UNKNOWN
    return RECORDS[bits]


def _said_of_room(message: Element) -> int:
    """Return what an `<x/>` of a room's says: an invitation or its refusal is content, a private message's mark not."""
    x = message.child(f"{{{MUC_USER}}}x")
    return CONTENT if x is not None and any(child.name in (INVITE, DECLINE) for child in x.elements()) else 0


def _is_small(outline: Outline) -> bool:
    """Whether an outline may be remembered: what clients say must not fill the memory."""
    return sum([1 if name is None else len(name) for name in outline[1]]) <= LONGEST_OUTLINE


@dataclass(slots=True)
class Records(Module):
    """Says which messages are rows of the log."""

    name: ClassVar = "records"
    xeps: ClassVar = (Xep(334, "1.0.0", note="of what is stored; the hint about copies is for who makes them"),)

    hosts: Hosts
    sessions: Sessions
    _last: tuple[Element, str, int] = field(default=(Element(""), "", 0), init=False)
    _known: dict[tuple[str, Outline], int] = field(default_factory=dict, init=False)  # flags, by type and content

    def _kept(self, stanza: Stanza) -> int:
        """Return the flags of a message; who sends and who receives it ask one after the other."""
        element, type, flags = self._last
        if stanza.element is element and stanza.type == type:
            return flags
        outline = stanza.element.outline
        known = None if outline is None else self._known.get((stanza.type, outline))
        flags = self._found(stanza, outline) if known is None else known
        self._last = (stanza.element, stanza.type, flags)
        return flags

    def _found(self, stanza: Stanza, outline: Outline | None) -> int:
        """Return the flags of a message; those of others that look like it are the same, unless it is a room's."""
        flags = kept(stanza).flags
        if outline is not None and _is_small(outline) and f"{{{MUC_USER}}}x" not in stanza.element.names:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[stanza.type, outline] = flags
        return flags

    @on(OutboundMessage, Phase.RECORD)
    def keep_sent(self, event: OutboundMessage) -> None:
        """The sender's copy: never waits, and is none if the sender is the addressee."""
        sender, to = event.sender, event.stanza.to
        host = self.hosts.get(sender.account.domainpart)
        if host is None or not host.stores or sender.is_anonymous or to is None or to.bare == sender.account:
            return
        event.keep |= self._kept(event.stanza) & ARCHIVE

    @on(InboundMessage, Phase.RECORD)
    def keep_received(self, event: InboundMessage) -> None:
        """The row of who receives it."""
        host = self.hosts.get(event.account.domainpart)
        if host is None or not host.stores or (host.anonymous and self._is_anonymous(event.account)):
            return
        event.keep |= self._kept(event.stanza)

    def _is_anonymous(self, account: Jid) -> bool:
        """Whether an account ends with its session, so that nobody could ever ask for its messages (XEP-0175)."""
        return any(session.is_anonymous for session in self.sessions.of(account))
