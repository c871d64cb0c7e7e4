"""The roster store: items and the version that counts their changes.

A change names the version that it was decided on. If another node has changed the roster since, nothing is written
and `StaleRoster` is raised: whoever decides reads the roster anew and decides again. So what is in the tables is
right whatever a node remembers.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from sys import intern
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from xmppd.core.shards import Row, Shards
from xmppd.protocol.jid import Jid

from .api import Item, Request, Roster
from .tables import digest_of, items, rosters

_OWN: Final = items.c.owner == bindparam("account")
_ONE: Final = (_OWN, items.c.digest == bindparam("key"))

LOAD: Final = (
    select(
        rosters.c.version, items.c.jid, items.c.name, items.c.groups, items.c.subscription, items.c.asks,
        items.c.approved, items.c.listed, items.c.request, items.c.received,
    )
    .select_from(rosters.outerjoin(items, items.c.owner == rosters.c.owner))
    .where(rosters.c.owner == bindparam("account"))
)  # fmt: skip
BEGIN: Final = insert(rosters)
ADVANCE: Final = (
    update(rosters)
    .where(rosters.c.owner == bindparam("account"), rosters.c.version == bindparam("before"))
    .values(version=bindparam("after"))
)
ADD: Final = insert(items)
DROP: Final = delete(items).where(*_ONE)
CLEAR: Final = delete(items).where(_OWN)
FORGET: Final = delete(rosters).where(rosters.c.owner == bindparam("account"))


class StaleRoster(Exception):
    """The roster was changed since the version that the change was decided on; nothing was written."""


class RosterStore:
    """The `rosters` and `roster_items` tables."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def load(self, owner: Jid) -> Roster:
        """Return the roster of an account; one that was never changed is empty."""
        rows = await self._shards.fetch(owner, "rosters.load", LOAD, {"account": owner})
        if not rows:
            return Roster(owner)
        found = [_item(row[1:]) for row in rows if row[1] is not None]
        return Roster(owner, rows[0][0], {item.jid: item for item in found})

    async def put(self, owner: Jid, before: int, after: int, jid: Jid, item: Item | None) -> None:
        """Replace, add or (None) remove the item of `jid`, and advance the version from `before` to `after`.

        :raises StaleRoster: the version is not `before` any more.
        """
        row = None if item is None else _row(owner, item)
        key = {"account": owner, "key": digest_of(jid)}

        def work(connection: Connection) -> None:
            _advance(connection, owner, before, after)
            connection.execute(DROP, key)
            if row is not None:
                connection.execute(ADD, row)

        try:
            await self._shards.transaction(owner, "rosters.put", work)
        except IntegrityError as error:  # another node has begun the same roster
            raise StaleRoster(owner) from error

    async def remove(self, owner: Jid) -> None:
        """Forget everything of an account."""

        def work(connection: Connection) -> None:
            connection.execute(CLEAR, {"account": owner})
            connection.execute(FORGET, {"account": owner})

        await self._shards.transaction(owner, "rosters.remove", work)


def _advance(connection: Connection, owner: Jid, before: int, after: int) -> None:
    if not before:
        connection.execute(BEGIN, {"owner": owner, "version": after})
    elif not connection.execute(ADVANCE, {"account": owner, "before": before, "after": after}).rowcount:
        raise StaleRoster(owner)


def _row(owner: Jid, item: Item) -> Mapping[str, Any]:
    return {
        "owner": owner,
        "digest": digest_of(item.jid),
        "jid": item.jid,
        "name": item.name,
        "groups": json.dumps(item.groups, ensure_ascii=False, separators=(",", ":")),
        "subscription": item.subscription,
        "asks": item.asks,
        "approved": item.approved,
        "listed": item.listed,
        "request": None if item.request is None else item.request.data,
        "received": None if item.request is None else item.request.received,
    }


@lru_cache(maxsize=1024)
def _groups(text: str) -> tuple[str, ...]:
    """Return the groups that a row names; contacts in the same ones share them in memory."""
    return tuple(json.loads(text))


def _item(row: Row) -> Item:
    jid, name, groups, subscription, asks, approved, listed, request, received = row
    return Item(
        Jid.parse(jid),
        name,
        _groups(groups),
        intern(subscription),
        bool(asks),
        bool(approved),
        bool(listed),
        None if request is None else Request(bytes(request), received),
    )
