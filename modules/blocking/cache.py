"""Block lists in memory: every stanza asks for one, so that must not cost a question to a database.

The least recently used lists go when there are too many. Changes to one list, and its reading, take turns, so that what
is kept is what was written last. No other cache stands between this one and the database.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from xmppd.core.turns import Turns
from xmppd.protocol.jid import Jid

from .api import Blocklist
from .store import BlocklistStore, Change

OVERHEAD: Final = 2  # a list's own cost, in addresses


class CachedBlocklists:
    """The block lists of all local accounts. Implements `api.Blocklists`.

    :param size: how many addresses are kept in memory, of all lists together.
    """

    def __init__(self, store: BlocklistStore, size: Callable[[], int]) -> None:
        self._store = store
        self._size = size
        self._kept: OrderedDict[Jid, Blocklist] = OrderedDict()
        self._addresses = 0
        self._turns = Turns()

    def known(self, owner: Jid) -> Blocklist | None:
        """Return the list of a local account if it is in memory, where nearly all are that anybody asks for."""
        found = self._kept.get(owner)
        if found is not None:
            self._kept.move_to_end(owner)
        return found

    async def get(self, owner: Jid) -> Blocklist:
        """Return the list of a local account (a bare JID)."""
        found = self.known(owner)
        if found is not None:
            return found
        async with self._turns.of(owner):
            found = self._kept.get(owner)
            return found if found is not None else self._keep(await self._store.load(owner))

    async def block(self, owner: Jid, jids: Sequence[Jid], limit: int) -> Change:
        """Add addresses.

        :raises TooMany: there would be more than `limit`.
        """
        async with self._turns.of(owner):
            return await self._changed(owner, lambda: self._store.block(owner, jids, limit))

    async def unblock(self, owner: Jid, jids: Sequence[Jid] | None) -> Change:
        """Take addresses out; all of them if None are named."""
        async with self._turns.of(owner):
            if jids is None:
                return await self._changed(owner, lambda: self._store.clear(owner))
            return await self._changed(owner, lambda: self._store.unblock(owner, jids))

    async def remove(self, owner: Jid) -> None:
        """Forget everything of an account."""
        async with self._turns.of(owner):
            await self._store.clear(owner)
            self.forget(owner)

    def forget(self, owner: Jid) -> None:
        """Read an account's list again when it is asked for next: somebody else may have changed it."""
        found = self._kept.pop(owner, None)
        if found is not None:
            self._addresses -= len(found) + OVERHEAD

    def counts(self) -> tuple[int, int]:
        """Return how many lists are in memory, and how many addresses they have."""
        return len(self._kept), self._addresses - OVERHEAD * len(self._kept)

    async def _changed(self, owner: Jid, change: Callable[[], Awaitable[Change]]) -> Change:
        try:
            changed = await change()
        except BaseException:  # it may be in the database all the same
            self.forget(owner)
            raise
        self._keep(changed.after)
        return changed

    def _keep(self, blocklist: Blocklist) -> Blocklist:
        self.forget(blocklist.owner)
        self._kept[blocklist.owner] = blocklist
        self._addresses += len(blocklist) + OVERHEAD
        while self._addresses > self._size() and len(self._kept) > 1:
            self.forget(next(iter(self._kept)))
        return blocklist
