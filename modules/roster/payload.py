"""The payload of roster IQs: reading what a client sets (RFC 6121, 2.3.3), writing items."""

from dataclasses import dataclass
from typing import Final

from xmppd.config.schema import option
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, JidMalformed, NotAcceptable, NotAllowed
from xmppd.protocol.jid import Jid, JidError
from xmppd.protocol.names import ROSTER

from .api import Item, Roster

QUERY: Final = f"{{{ROSTER}}}query"
ITEM: Final = f"{{{ROSTER}}}item"
GROUP: Final = f"{{{ROSTER}}}group"


@dataclass(slots=True)
class Config:
    """How large a roster's items may be, and how many of them stay in memory."""

    name: int = option(256, ge=16, le=1023, live=True, help="How many characters the name of a contact may have.")
    group: int = option(256, ge=16, le=1023, live=True, help="How many characters the name of a group may have.")
    groups: int = option(32, ge=1, le=1000, live=True, help="How many groups one contact may be in.")
    requests: int = option(
        1000, ge=1, le=100_000, live=True, help="How many subscription requests may wait for one account's answer."
    )
    request_size: int = option(
        4096,
        ge=0,
        le=65_536,
        live=True,
        help="How many bytes a waiting subscription request may have; a larger one is kept without its content.",
    )
    cache: int = option(
        200_000, ge=0, le=100_000_000, live=True, help="How many contacts, of all rosters together, stay in memory."
    )


@dataclass(slots=True)
class RosterSet:
    """What a client wants done with one contact."""

    jid: Jid
    removes: bool
    name: str = ""
    groups: tuple[str, ...] = ()


def read_set(query: Element, owner: Jid, config: Config) -> RosterSet:
    """Read the payload of a roster set.

    :raises StanzaError: it breaks RFC 6121, 2.3.3 or a limit.
    """
    items = [child for child in query.elements() if child.name == ITEM]
    if len(items) != 1:
        raise BadRequest("a roster set has exactly one item")
    item = items[0]
    jid = _jid(item)
    if item.get("subscription") == "remove":
        return RosterSet(jid, True)
    if jid == owner:
        raise NotAllowed("nobody is a contact of their own")
    name = item.get("name", "") or ""
    if len(name) > config.name:
        raise NotAcceptable(f"a name has at most {config.name} characters")
    return RosterSet(jid, False, name, _groups(item, config))


def _jid(item: Element) -> Jid:
    address = item.get("jid")
    if not address:
        raise BadRequest("an item has a jid")
    try:
        jid = Jid.parse(address)
    except JidError as error:
        raise JidMalformed(str(error)) from None
    if not jid.is_bare:
        raise BadRequest("the jid of an item has no resourcepart")
    return jid


def _groups(item: Element, config: Config) -> tuple[str, ...]:
    groups = [child.text for child in item.elements() if child.name == GROUP]
    if not all(groups):
        raise NotAcceptable("a group has a name")
    if any(len(group) > config.group for group in groups):
        raise NotAcceptable(f"the name of a group has at most {config.group} characters")
    if len(groups) > config.groups:
        raise NotAcceptable(f"a contact is in at most {config.groups} groups")
    if len(set(groups)) < len(groups):
        raise BadRequest("a group is named twice")
    return tuple(groups)


def roster_element(roster: Roster) -> Element:
    """Return the whole roster as clients see it."""
    return E(QUERY, *map(item_element, roster.listed()), ver=roster.version)


def push_element(version: int, jid: Jid, item: Item | None) -> Element:
    """Return the payload of a roster push; None tells that the contact was taken out."""
    child = E(ITEM, jid=jid, subscription="remove") if item is None or not item.listed else item_element(item)
    return E(QUERY, child, ver=version)


def item_element(item: Item) -> Element:
    """Return one contact (RFC 6121, 2.1.2)."""
    attributes = {"jid": str(item.jid), "subscription": item.subscription}
    if item.name:
        attributes["name"] = item.name
    if item.asks:
        attributes["ask"] = "subscribe"
    if item.approved:
        attributes["approved"] = "true"
    return Element(ITEM, attributes, [Element(GROUP, {}, [group]) for group in item.groups])
