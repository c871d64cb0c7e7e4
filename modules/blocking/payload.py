"""The payloads of XEP-0191: reading what a client sets, writing lists and pushes."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, JidMalformed, NotAcceptable
from xmppd.protocol.jid import Jid, JidError

NS: Final = "urn:xmpp:blocking"
BLOCKLIST: Final = f"{{{NS}}}blocklist"
BLOCK: Final = f"{{{NS}}}block"
UNBLOCK: Final = f"{{{NS}}}unblock"
ITEM: Final = f"{{{NS}}}item"
BLOCKED: Final = E("{urn:xmpp:blocking:errors}blocked")


class Item(NamedTuple):
    """One address that a client names; `element` has whatever it says besides (a report, say)."""

    jid: Jid
    element: Element


def read_items(payload: Element) -> list[Item]:
    """Return the items of a request.

    :raises BadRequest: an item has no address.
    :raises JidMalformed: it has one that is none.
    """
    return [_item(child) for child in payload.elements() if child.name == ITEM]


def _item(element: Element) -> Item:
    address = element.get("jid")
    if not address:
        raise BadRequest("an item has an address")
    try:
        return Item(Jid.parse(address), element)
    except JidError as error:
        raise JidMalformed(str(error)) from error


def with_items(name: str, jids: Iterable[Jid]) -> Element:
    """Return a list, or the push of a change."""
    return E(name, *[E(ITEM, jid=jid) for jid in jids])


def refusal() -> NotAcceptable:
    """Return what a user gets who writes to somebody that they have blocked (User Blocks JID)."""
    return NotAcceptable("this address is blocked", specific=BLOCKED, type="cancel")
