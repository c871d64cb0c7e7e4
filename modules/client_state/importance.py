"""What matters to a client whose user does not look at it (XEP-0352, Server behaviour), and why.

Nothing is ever left out that a client could not do without: what does not matter is written later, in its place, and
only what a newer stanza makes stale is dropped. So only what is known not to be urgent is held back: presence,
notifications of pubsub nodes, chat states, receipts and markers of others. All else matters.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from xmppd.protocol.element import Element
from xmppd.protocol.names import CLIENT, DELAY, MESSAGE
from xmppd.protocol.stanza import Stanza

CARBONS: Final = ("{urn:xmpp:carbons:2}received", "{urn:xmpp:carbons:2}sent")
FORWARDED: Final = "{urn:xmpp:forward:0}forwarded"
MUC_USER: Final = "http://jabber.org/protocol/muc#user"
ROOM: Final = f"{{{MUC_USER}}}x"
STATUS: Final = f"{{{MUC_USER}}}status"
SELF_PRESENCE: Final = "110"  # XEP-0045, 7.2.2: this presence is about the client itself
EVENTS: Final = "http://jabber.org/protocol/pubsub#event"
EVENT: Final = f"{{{EVENTS}}}event"
ITEMS: Final = f"{{{EVENTS}}}items"
CHAT_STATES: Final = "http://jabber.org/protocol/chatstates"
MARKERS: Final = "urn:xmpp:chat-markers:0"
RECEIPTS: Final = "urn:xmpp:receipts"
DISPLAYED: Final = f"{{{MARKERS}}}displayed"

REASONS: Final = {
    f"{{{CLIENT}}}body": "body",
    f"{{{CLIENT}}}subject": "subject",
    "{eu.siacs.conversations.axolotl}encrypted": "encrypted",
    "{urn:xmpp:omemo:1}encrypted": "encrypted",
    "{urn:xmpp:omemo:2}encrypted": "encrypted",
    "{urn:xmpp:openpgp:0}openpgp": "encrypted",
    "{jabber:x:encrypted}x": "encrypted",
    "{jabber:x:conference}x": "invitation",
    "{urn:xmpp:mam:2}result": "archive",
}
"""What makes a message matter, where there is a name for it."""

REASONS_BY_NAMESPACE: Final = {
    "urn:xmpp:jingle-message:0": "call",
    "urn:xmpp:jingle-message:1": "call",
    "urn:xmpp:call-invites:0": "call",
}

URGENT_NODES: Final = frozenset({
    "eu.siacs.conversations.axolotl.devicelist",  # a client that does not know all devices writes for some of them
    "urn:xmpp:omemo:1:devices",
    "urn:xmpp:omemo:2:devices",
    "urn:xmpp:openpgp:0:public-keys",
    "urn:xmpp:mds:displayed:0",  # what was read elsewhere need not be shown any more
})  # fmt: skip
"""Pubsub nodes whose notifications cannot wait."""

SINGLE_ITEM_NODES: Final = frozenset({
    "http://jabber.org/protocol/activity",
    "http://jabber.org/protocol/geoloc",
    "http://jabber.org/protocol/mood",
    "http://jabber.org/protocol/nick",
    "http://jabber.org/protocol/tune",
    "urn:xmpp:avatar:metadata",
})  # fmt: skip
"""Nodes whose last item is all there is, whatever it is called."""

BESIDE: Final = frozenset({
    "urn:xmpp:hints",
    "urn:xmpp:sid:0",
    "urn:xmpp:occupant-id:0",
    "urn:xmpp:carbons:2",
    "http://jabber.org/protocol/nick",
    "http://jabber.org/protocol/shim",
    "http://jabber.org/protocol/address",
    DELAY,
})  # fmt: skip
"""Namespaces of what only stands beside something else."""
THREAD: Final = f"{{{CLIENT}}}thread"

Key = tuple[object, ...]


class Importance(NamedTuple):
    """Whether a stanza matters at once, and why.

    :ivar key: what it has in common with an older one that it makes stale; None if it makes none stale.
    """

    matters: bool
    reason: str
    key: Key | None = None


class Seen(NamedTuple):
    """A message as it was written by somebody: itself, or the one in a carbon.

    :ivar is_own: whether one of the account's own resources wrote it.
    """

    element: Element
    from_: str
    to: str
    is_own: bool


def importance(stanza: Stanza) -> Importance:
    """Decide on one stanza for a client."""
    if stanza.kind == "iq":
        return Importance(True, "request or answer")
    if stanza.kind == "presence":
        return _of_presence(stanza)
    if stanza.type == "error":
        return Importance(True, "error")
    return _of_message(_seen(stanza))


def _of_presence(stanza: Stanza) -> Importance:
    if stanza.type not in ("", "unavailable"):
        return Importance(True, "subscription" if stanza.type != "error" else "error")
    room = stanza.child(ROOM)
    if room is not None and any(
        child.name == STATUS and child.get("code") == SELF_PRESENCE for child in room.elements()
    ):
        return Importance(True, "own presence in a room")
    return Importance(False, "presence", ("presence", stanza.from_))


def _seen(stanza: Stanza) -> Seen:
    """Look into a carbon, which only the account itself sends."""
    from_, to = stanza.from_, stanza.to or stanza.from_
    if from_ == to.bare:
        for name in CARBONS:
            inside = _inside(stanza.element, name, FORWARDED, MESSAGE)
            if inside is not None:
                return Seen(inside, inside.get("from", ""), inside.get("to", ""), name == CARBONS[1])  # type: ignore[arg-type]
    return Seen(stanza.element, from_, to, from_.bare == to.bare)


def _inside(element: Element, *names: str) -> Element | None:
    found: Element | None = element
    for name in names:
        found = None if found is None else found.child(name)
    return found


def _of_message(message: Seen) -> Importance:
    """Look for anything that matters; if there is nothing, say what there is."""
    found: dict[str, Importance] = {}
    for child in message.element.elements():
        part = _of_part(child, message)
        if part is not None and part.matters:
            return part
        if part is not None:
            found.setdefault(part.reason, part)
    for reason in ("receipt", "event"):  # of which nothing may be lost, whatever stands beside it
        if reason in found:
            return found[reason] if len(found) == 1 else Importance(False, reason)
    return found.get("chat state", Importance(False, "nothing"))


def _of_part(child: Element, message: Seen) -> Importance | None:
    """Return what one part of a message makes of it; None if it only stands beside others."""
    name, namespace = child.name, child.namespace
    if name == EVENT:
        return _of_event(child, message.from_)
    if namespace == CHAT_STATES:
        return Importance(False, "chat state", ("chat state", message.from_, message.to))
    if name == DISPLAYED and message.is_own:
        return Importance(True, "read elsewhere")
    if namespace in (RECEIPTS, MARKERS):
        return Importance(False, "receipt")
    if namespace in BESIDE or name == THREAD:
        return None
    if name == ROOM:
        return Importance(True, "room") if child.first is not None else None
    return Importance(True, REASONS.get(name) or REASONS_BY_NAMESPACE.get(namespace, "content"))


def _of_event(event: Element, from_: str) -> Importance:
    """Decide on a pubsub notification: the last one of each item stands for those before it."""
    items = event.child(ITEMS)
    if items is None:
        return Importance(False, "event")
    node = items.get("node") or ""
    if node in URGENT_NODES:
        return Importance(True, "urgent event")
    ids = () if node in SINGLE_ITEM_NODES else _ids(items.elements())
    return Importance(False, "event", None if ids is None else ("event", from_, node, *ids))


def _ids(items: Iterable[Element]) -> tuple[str, ...] | None:
    """Return the ids of items; None if one has none."""
    ids = [item.get("id") for item in items]
    return None if None in ids else tuple(filter(None, ids))
