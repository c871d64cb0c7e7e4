"""The block lists in the database: what is written there holds, whatever a node remembers."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from xmppd.core.shards import Shards
from xmppd.protocol.jid import Jid

from .api import Blocklist
from .tables import blocked, digest_of

TRIES: Final = 3  # of a change that meets the same one of another node

_OWN: Final = blocked.c.owner == bindparam("account")
LOAD: Final = select(blocked.c.jid).where(_OWN)
ADD: Final = insert(blocked)
DROP: Final = delete(blocked).where(_OWN, blocked.c.digest == bindparam("key"))
CLEAR: Final = delete(blocked).where(_OWN)


class Change(NamedTuple):
    """A list, and what became of it."""

    before: Blocklist
    after: Blocklist


class TooMany(Exception):
    """The list would be too long; nothing was written."""


class BlocklistStore:
    """The `blocked` table."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def load(self, owner: Jid) -> Blocklist:
        """Return the list of an account."""
        rows = await self._shards.fetch(owner, "blocking.load", LOAD, {"account": owner})
        return Blocklist(owner, [row[0] for row in rows])

    async def block(self, owner: Jid, jids: Sequence[Jid], limit: int) -> Change:
        """Add addresses, all or none; those that are there stay.

        :raises TooMany: there would be more than `limit`.
        """

        def work(connection: Connection) -> Change:
            before = _read(connection, owner)
            new = [jid for jid in dict.fromkeys(jids) if jid not in before]
            if new and len(before) + len(new) > limit:
                raise TooMany
            for jid in new:
                connection.execute(ADD, {"owner": owner, "digest": digest_of(jid), "jid": jid})
            return _change(owner, before, before.union(new))

        return await self._tried(owner, "blocking.block", work)

    async def unblock(self, owner: Jid, jids: Sequence[Jid]) -> Change:
        """Take addresses out; those that are not there are no matter."""

        def work(connection: Connection) -> Change:
            before = _read(connection, owner)
            gone = [jid for jid in dict.fromkeys(jids) if jid in before]
            for jid in gone:
                connection.execute(DROP, {"account": owner, "key": digest_of(jid)})
            return _change(owner, before, before.difference(gone))

        return await self._shards.transaction(owner, "blocking.unblock", work)

    async def clear(self, owner: Jid) -> Change:
        """Take all addresses out."""

        def work(connection: Connection) -> Change:
            before = _read(connection, owner)
            connection.execute(CLEAR, {"account": owner})
            return _change(owner, before, set())

        return await self._shards.transaction(owner, "blocking.clear", work)

    async def _tried(self, owner: Jid, name: str, work: Callable[[Connection], Change]) -> Change:
        """Run a transaction; again, if another node has added the same address meanwhile."""
        for _ in range(TRIES - 1):
            try:
                return await self._shards.transaction(owner, name, work)
            except IntegrityError:
                continue
        return await self._shards.transaction(owner, name, work)


def _read(connection: Connection, owner: Jid) -> set[str]:
    return {row[0] for row in connection.execute(LOAD, {"account": owner})}


def _change(owner: Jid, before: set[str], after: set[str]) -> Change:
    return Change(Blocklist(owner, before), Blocklist(owner, after))
