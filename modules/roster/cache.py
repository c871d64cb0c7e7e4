"""Rosters in memory, and changes to them one at a time.

Presence is sent to whoever a roster names, so a roster that is in use must cost no question to a database. The least
recently used ones go when the items of all of them are too many. What is kept are snapshots: a change replaces one.

Changes to one roster take turns (`turn`), so that each is decided on what the one before it left, and so that what a
change makes known (pushes, deliveries) is sent in the order of the changes. Inside a turn nothing may wait for
another account's turn, which is why a turn ends before anything is routed. A roster is not dropped from memory during
its owner's turn.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple

from xmppd.core.clock import Clock
from xmppd.core.turns import Turns
from xmppd.protocol.jid import Jid

from .api import Item, Roster
from .store import RosterStore, StaleRoster

OVERHEAD: Final = 4  # a roster's own cost, in items
TRIES: Final = 10  # of a change that other nodes overtake


class Edit(NamedTuple):
    """A decision on one item.

    :ivar item: the item as it shall be; None takes it out of the roster.
    """

    jid: Jid
    item: Item | None


class Change(NamedTuple):
    """What became of a decision; `edit` is None if there was nothing to change, and then `after` is `before`."""

    before: Roster
    after: Roster
    edit: Edit | None


class CachedRosters:
    """The rosters of all local accounts. Implements `api.Rosters`.

    :param size: how many items are kept in memory, of all rosters together.
    """

    def __init__(self, store: RosterStore, clock: Clock, size: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._size = size
        self._kept: OrderedDict[Jid, Roster] = OrderedDict()
        self._items = 0
        self._turns = Turns()

    async def get(self, owner: Jid) -> Roster:
        """Return the roster of a local account (a bare JID)."""
        roster = self._kept.get(owner)
        if roster is not None:
            self._kept.move_to_end(owner)
            return roster
        async with self.turn(owner):
            return await self._load(owner)

    def turn(self, owner: Jid) -> AbstractAsyncContextManager[None]:
        """Wait for the turn to change the roster of `owner`."""
        return self._turns.of(owner)

    async def change(self, owner: Jid, decide: Callable[[Roster], Edit | None]) -> Change:
        """Let `decide` look at the roster and store what it decides; call it in the owner's turn.

        `decide` must be pure: it is asked again if another node has changed the roster meanwhile. What it raises is
        raised.
        """
        for _ in range(TRIES):
            before = await self._load(owner)
            edit = decide(before)
            if edit is None:
                return Change(before, before, None)
            version = max(before.version + 1, int(self._clock.seconds()))
            try:
                await self._store.put(owner, before.version, version, edit.jid, edit.item)
            except StaleRoster:
                self._drop(owner)
                continue
            except BaseException:  # it may be in the database all the same
                self._drop(owner)
                raise
            after = before.changed(version, edit.jid, edit.item)
            self._keep(after)
            return Change(before, after, edit)
        raise StaleRoster(owner)

    async def remove(self, owner: Jid) -> None:
        """Forget everything of an account; call it in the owner's turn."""
        await self._store.remove(owner)
        self._drop(owner)

    def counts(self) -> tuple[int, int]:
        """Return how many rosters are in memory, and how many items they have."""
        return len(self._kept), self._items - OVERHEAD * len(self._kept)

    async def _load(self, owner: Jid) -> Roster:
        """Return the roster, from the database if need be; called in the owner's turn."""
        roster = self._kept.get(owner)
        if roster is None:
            roster = await self._store.load(owner)
            self._keep(roster)
        return roster

    def _keep(self, roster: Roster) -> None:
        self._drop(roster.owner)
        self._kept[roster.owner] = roster
        self._items += len(roster) + OVERHEAD
        if self._items > self._size():
            self._shrink()

    def _shrink(self) -> None:
        """Drop the rosters that were not used for longest, but those that are being changed."""
        for owner in list(self._kept):
            if self._items <= self._size():
                return
            if owner not in self._turns:
                self._drop(owner)

    def _drop(self, owner: Jid) -> None:
        roster = self._kept.pop(owner, None)
        if roster is not None:
            self._items -= len(roster) + OVERHEAD
