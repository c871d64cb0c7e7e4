"""What sets and subscription stanzas do to a roster."""

from dataclasses import replace

import pytest

from xmppd.modules.roster.api import Item, Request, Roster
from xmppd.modules.roster.cache import Edit
from xmppd.modules.roster.decisions import STATES, cancelled, inbound, outbound, put, remove, state_of
from xmppd.modules.roster.payload import RosterSet
from xmppd.modules.roster.subscriptions import Kind, State, Way, step
from xmppd.protocol.errors import ItemNotFound, ResourceConstraint
from xmppd.protocol.jid import Jid

JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")
REQUEST = Request(b"<presence type='subscribe'/>", 1.0)
OLDER = Request(b"<presence type='subscribe' id='older'/>", 0.0)
MANY = 10


def item_in(state: State, **other: object) -> Item:
    """Return an item in that state."""
    request = OLDER if state.pending_in else None
    item = Item(ROMEO, subscription=state.subscription, asks=state.pending_out, request=request)
    return replace(item, **other)  # type: ignore[arg-type]


def roster_of(*items: Item) -> Roster:
    return Roster(JULIET, 1, {item.jid: item for item in items})


def crowd(count: int, **other: object) -> list[Item]:
    """Return so many other contacts."""
    jids = [Jid.parse(f"guest{number}@capulet.example") for number in range(count)]
    return [replace(Item(jid), **other) for jid in jids]  # type: ignore[arg-type]


@pytest.mark.parametrize("state", State)
def test_state_of(state: State) -> None:
    """An item and the machine's state are two ways to say one thing."""
    assert state_of(item_in(state)) is state
    assert len(STATES) == len(State)


def test_stranger() -> None:
    """Who is not in the roster is in state None."""
    assert state_of(None) is State.NONE


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("way", Way)
def test_item_follows_the_table(way: Way, kind: Kind, state: State) -> None:
    """A listed contact's item says what the table says, and keeps name and groups."""
    item = item_in(state, name="Romeo", groups=("Friends",))
    if way is Way.OUT:
        edit, taken = outbound(roster_of(item), ROMEO, kind, MANY)
    else:
        edit, taken = inbound(roster_of(item), ROMEO, kind, REQUEST, MANY)
    expected = step(way, kind, state)
    assert taken == expected
    after = item if edit is None else edit.item
    assert after is not None
    assert state_of(after) is expected.state
    assert (after.name, after.groups, after.listed) == ("Romeo", ("Friends",), True)
    assert after.approved is (expected.approved or False)
    assert (edit is None) is (after == item)


def test_first_request_counts() -> None:
    """3.1.3: a request that is repeated while it waits is the one that waits."""
    edit, _ = inbound(roster_of(item_in(State.NONE_IN)), ROMEO, Kind.SUBSCRIBE, REQUEST, MANY)
    assert edit is None
    edit, _ = inbound(roster_of(), ROMEO, Kind.SUBSCRIBE, REQUEST, MANY)
    assert edit == Edit(ROMEO, Item(ROMEO, listed=False, request=REQUEST))


@pytest.mark.parametrize("kind", [Kind.UNSUBSCRIBE, Kind.SUBSCRIBED, Kind.UNSUBSCRIBED])
def test_stranger_has_nothing_to_say(kind: Kind) -> None:
    """A.3: from a stranger only a request means anything."""
    edit, taken = inbound(roster_of(), ROMEO, kind, REQUEST, MANY)
    assert edit is None
    assert not taken.passes


@pytest.mark.parametrize("way", Way)
def test_request_leaves_no_trace(way: Way) -> None:
    """An item that only held a request goes when the request is taken back, or denied."""
    roster = roster_of(item_in(State.NONE_IN, listed=False))
    if way is Way.OUT:
        edit, _ = outbound(roster, ROMEO, Kind.UNSUBSCRIBED, MANY)
    else:
        edit, _ = inbound(roster, ROMEO, Kind.UNSUBSCRIBE, REQUEST, MANY)
    assert edit == Edit(ROMEO, None)


def test_approval_lists_the_contact() -> None:
    """3.1.5: who was approved is in the roster, and its request is answered."""
    edit, _ = outbound(roster_of(item_in(State.NONE_IN, listed=False)), ROMEO, Kind.SUBSCRIBED, MANY)
    assert edit == Edit(ROMEO, Item(ROMEO, subscription="from"))


def test_pre_approval_lists_the_contact() -> None:
    """3.4.2: a contact that is approved beforehand enters the roster, and stays when that is taken back."""
    edit, _ = outbound(roster_of(), ROMEO, Kind.SUBSCRIBED, MANY)
    assert edit == Edit(ROMEO, Item(ROMEO, approved=True))
    edit, _ = outbound(roster_of(Item(ROMEO, approved=True)), ROMEO, Kind.UNSUBSCRIBED, MANY)
    assert edit == Edit(ROMEO, Item(ROMEO))


def test_pre_approval_outlives_its_use() -> None:
    """3.4.2: it holds until it is taken back."""
    edit, _ = inbound(roster_of(Item(ROMEO, approved=True)), ROMEO, Kind.SUBSCRIBE, REQUEST, MANY)
    assert edit == Edit(ROMEO, Item(ROMEO, subscription="from", approved=True))


# Sets


def test_put() -> None:
    """2.3 and 2.4: a set adds a contact, or changes what the user may change."""
    wanted = RosterSet(ROMEO, False, "Romeo", ("Friends",))
    assert put(roster_of(), wanted, MANY) == Edit(ROMEO, Item(ROMEO, "Romeo", ("Friends",)))
    known = item_in(State.FROM_OUT, name="Montague", groups=("Enemies",), approved=True)
    expected = replace(known, name="Romeo", groups=("Friends",))
    assert put(roster_of(known), wanted, MANY) == Edit(ROMEO, expected)


def test_put_of_who_waits() -> None:
    """A contact that only waited enters the roster, and goes on waiting."""
    edit = put(roster_of(item_in(State.NONE_IN, listed=False)), RosterSet(ROMEO, False), MANY)
    assert edit == Edit(ROMEO, item_in(State.NONE_IN))


def test_remove() -> None:
    """2.5: a contact goes, whatever its state."""
    assert remove(roster_of(item_in(State.BOTH)), ROMEO) == Edit(ROMEO, None)


@pytest.mark.parametrize("items", [[], [item_in(State.NONE_IN, listed=False)]])
def test_remove_what_clients_do_not_see(items: list[Item]) -> None:
    """2.5.3: a client cannot remove what is not in its roster."""
    with pytest.raises(ItemNotFound):
        remove(roster_of(*items), ROMEO)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (State.NONE, []),
        (State.NONE_OUT, [Kind.UNSUBSCRIBE]),
        (State.NONE_IN, [Kind.UNSUBSCRIBED]),
        (State.NONE_OUT_IN, [Kind.UNSUBSCRIBE, Kind.UNSUBSCRIBED]),
        (State.TO, [Kind.UNSUBSCRIBE]),
        (State.TO_IN, [Kind.UNSUBSCRIBE, Kind.UNSUBSCRIBED]),
        (State.FROM, [Kind.UNSUBSCRIBED]),
        (State.FROM_OUT, [Kind.UNSUBSCRIBE, Kind.UNSUBSCRIBED]),
        (State.BOTH, [Kind.UNSUBSCRIBE, Kind.UNSUBSCRIBED]),
    ],
)
def test_cancelled(state: State, told: list[Kind]) -> None:
    """2.5.2: what a contact is told that is removed."""
    assert cancelled(item_in(state)) == told


# Limits


def test_full_roster() -> None:
    """A full roster takes no new contact, by whichever way; those that are in it may change."""
    full = roster_of(*crowd(MANY))
    waiting = roster_of(*crowd(MANY), item_in(State.NONE_IN, listed=False))
    with pytest.raises(ResourceConstraint):
        put(full, RosterSet(ROMEO, False), MANY)
    for kind in (Kind.SUBSCRIBE, Kind.SUBSCRIBED):
        with pytest.raises(ResourceConstraint):
            outbound(full, ROMEO, kind, MANY)
    with pytest.raises(ResourceConstraint):
        outbound(waiting, ROMEO, Kind.SUBSCRIBED, MANY)
    put(full, RosterSet(next(iter(full)).jid, False, "Guest"), MANY)
    outbound(full, next(iter(full)).jid, Kind.SUBSCRIBE, MANY)
    outbound(waiting, ROMEO, Kind.UNSUBSCRIBED, MANY)


def test_too_many_requests() -> None:
    """Strangers cannot fill a roster with requests, and requests do not fill it for the user."""
    waiting = roster_of(*crowd(MANY, listed=False, request=OLDER))
    with pytest.raises(ResourceConstraint):
        inbound(waiting, ROMEO, Kind.SUBSCRIBE, REQUEST, MANY)
    inbound(waiting, next(iter(waiting)).jid, Kind.SUBSCRIBE, REQUEST, MANY)
    put(waiting, RosterSet(ROMEO, False), MANY)
