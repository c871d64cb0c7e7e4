"""What a roster set or a subscription stanza does to a roster: pure functions from a roster to an `Edit`."""

from dataclasses import replace
from typing import Final

from xmppd.protocol.errors import ItemNotFound, ResourceConstraint
from xmppd.protocol.jid import Jid

from .api import Item, Request, Roster
from .cache import Edit
from .payload import RosterSet
from .subscriptions import Kind, State, Step, Way, step

STATES: Final = {(state.subscription, state.pending_out, state.pending_in): state for state in State}


def state_of(item: Item | None) -> State:
    """Return the state of the subscription with a contact; without an item there is none."""
    if item is None:
        return State.NONE
    return STATES[item.subscription, item.asks, item.request is not None]


def put(roster: Roster, wanted: RosterSet, limit: int) -> Edit:
    """Add a contact, or change name and groups of one.

    :raises ResourceConstraint: the roster is full.
    """
    item = roster.item(wanted.jid)
    _require_room(roster, item, limit)
    item = replace(item or Item(wanted.jid), name=wanted.name, groups=wanted.groups, listed=True)
    return Edit(wanted.jid, item)


def remove(roster: Roster, jid: Jid) -> Edit:
    """Take a contact out.

    :raises ItemNotFound: clients do not see it (RFC 6121, 2.5.3).
    """
    item = roster.item(jid)
    if item is None or not item.listed:
        raise ItemNotFound("there is no such contact")
    return Edit(jid, None)


def cancelled(item: Item) -> list[Kind]:
    """Return what the contact is told when it is taken out of a roster (RFC 6121, 2.5.2).

    Requests that wait are cancelled too, on either side: nobody is left to answer them, or to hear the answer.
    """
    told = []
    if item.is_seen or item.asks:
        told.append(Kind.UNSUBSCRIBE)
    if item.may_see or item.request is not None:
        told.append(Kind.UNSUBSCRIBED)
    return told


def outbound(roster: Roster, contact: Jid, kind: Kind, limit: int) -> tuple[Edit | None, Step]:
    """Decide on a subscription stanza that the account sends.

    :raises ResourceConstraint: it would add a contact to a full roster.
    """
    item = roster.item(contact)
    taken = _step(item, Way.OUT, kind)
    edit = _edit(contact, item, taken, None)
    if edit is not None and edit.item is not None and edit.item.listed:
        _require_room(roster, item, limit)
    return edit, taken


def inbound(roster: Roster, contact: Jid, kind: Kind, request: Request, limit: int) -> tuple[Edit | None, Step]:
    """Decide on a subscription stanza that a contact sent.

    :param request: the stanza, to be kept if it is a request that waits for an answer.
    :param limit: how many requests may wait.
    :raises ResourceConstraint: too many do.
    """
    item = roster.item(contact)
    taken = _step(item, Way.IN, kind)
    begins_to_wait = taken.state.pending_in and not state_of(item).pending_in
    if begins_to_wait and len(roster.requests()) >= limit:
        raise ResourceConstraint("too many subscription requests wait for an answer")
    return _edit(contact, item, taken, request if begins_to_wait else None), taken


def _step(item: Item | None, way: Way, kind: Kind) -> Step:
    return step(way, kind, state_of(item), item is not None and item.approved)


def _edit(contact: Jid, item: Item | None, taken: Step, request: Request | None) -> Edit | None:
    """Return the item as the step leaves it, or None if it leaves it as it is."""
    before = item or Item(contact, listed=False)
    after = replace(
        before,
        subscription=taken.state.subscription,
        asks=taken.state.pending_out,
        approved=before.approved if taken.approved is None else taken.approved,
        listed=before.listed or taken.pushes,
        request=(request or before.request) if taken.state.pending_in else None,
    )
    if after == before:
        return None
    return Edit(contact, after if after.listed or after.request is not None else None)


def _require_room(roster: Roster, item: Item | None, limit: int) -> None:
    if (item is None or not item.listed) and len(roster.listed()) >= limit:
        raise ResourceConstraint(f"a roster holds at most {limit} contacts")
