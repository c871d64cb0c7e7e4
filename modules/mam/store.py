"""The store of what accounts want to be archived, and what is remembered of it.

Every message asks, for its sender and for its recipient; most accounts have never said anything. So the answers are
kept in memory, that there is none as well; those that were not needed for longest go first.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from xmppd.core.shards import Shards
from xmppd.protocol.jid import Jid

from .options import Default
from .preferences import Preferences
from .tables import preferences

_OWN: Final = preferences.c.owner == bindparam("account")

LOAD: Final = select(preferences.c.rule, preferences.c.always, preferences.c.never).where(_OWN)
ADD: Final = insert(preferences)
FORGET: Final = delete(preferences).where(_OWN)

UNKNOWN: Final = Preferences(Default.ALWAYS)
"""Stands for an account of which nothing is remembered."""


class PreferenceStore:
    """The `archive_preferences` table."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def load(self, owner: Jid) -> Preferences | None:
        """Return what an account wants; None if it has never said."""
        rows = await self._shards.fetch(owner, "archive_preferences.load", LOAD, {"account": owner})
        if not rows:
            return None
        rule, always, never = rows[0]
        return Preferences(Default(rule), _addresses(always), _addresses(never))

    async def put(self, owner: Jid, wanted: Preferences) -> None:
        """Keep what an account wants from now on."""
        row = {
            "owner": owner,
            "rule": wanted.default.value,
            "always": _text(wanted.always),
            "never": _text(wanted.never),
        }

        def work(connection: Connection) -> None:
            connection.execute(FORGET, {"account": owner})
            connection.execute(ADD, row)

        try:
            await self._shards.transaction(owner, "archive_preferences.put", work)
        except IntegrityError:  # another node has begun the same row; it is there now
            await self._shards.transaction(owner, "archive_preferences.put", work)

    async def forget(self, owner: Jid) -> None:
        """Forget what an account wanted."""
        await self._shards.write(owner, "archive_preferences.forget", FORGET, [{"account": owner}])


class RememberedPreferences:
    """What accounts want, in memory for those that were asked about lately.

    :param size: of how many accounts it is remembered.
    """

    def __init__(self, store: PreferenceStore, size: Callable[[], int]) -> None:
        self._store = store
        self._size = size
        self._known: OrderedDict[Jid, Preferences | None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def is_silent(self, owner: Jid) -> bool:
        """Whether it is remembered that an account has never said what it wants."""
        return self._known.get(owner, UNKNOWN) is None

    async def get(self, owner: Jid) -> Preferences | None:
        """Return what an account wants; None if it has never said."""
        if owner not in self._known:
            loaded = await self._store.load(owner)
            if owner not in self._known:  # or it has said something meanwhile, which is newer
                return self._remember(owner, loaded)
        self._known.move_to_end(owner)
        return self._known[owner]

    async def put(self, owner: Jid, wanted: Preferences) -> None:
        """Keep what an account wants from now on."""
        try:
            await self._store.put(owner, wanted)
        except BaseException:  # it may be in the database all the same
            self._known.pop(owner, None)
            raise
        self._remember(owner, wanted)

    async def forget(self, owner: Jid) -> None:
        """Forget what an account wanted."""
        await self._store.forget(owner)
        self._known.pop(owner, None)

    def _remember(self, owner: Jid, wanted: Preferences | None) -> Preferences | None:
        self._known[owner] = wanted
        while len(self._known) > self._size():
            self._known.popitem(last=False)
        return wanted


def _text(addresses: tuple[Jid, ...]) -> str:
    return json.dumps(addresses, ensure_ascii=False, separators=(",", ":"))


def _addresses(text: str) -> tuple[Jid, ...]:
    return tuple(map(Jid.parse, json.loads(text)))
