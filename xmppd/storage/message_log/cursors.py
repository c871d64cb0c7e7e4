"""Cursors: how far an owner's messages are delivered, gathered in memory and written once a second.

A cursor describes a set of ids, {all up to `delivered`} without `open`. Two nodes may know different parts of it; what
is stored is the union of their sets, so neither can take back what the other has delivered.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from twisted.internet.defer import Deferred

from ...protocol.jid import Jid
from ..link import Link
from ..sqlite import SqliteLink
from ..workers import Lane
from .keys import Keys
from .postgres_append import ask, digests, numbers
from .sqlite_append import hold_slots

OPEN_LIMIT: Final = 256
"""Open ids that a cursor may have."""

CHUNK: Final = 500
"""Cursors written by one statement."""

STORED: Final = "SELECT delivered, open FROM log_cursor WHERE owner = ?"
STORE: Final = (
    "INSERT INTO log_cursor (owner, delivered, open) VALUES (?, ?, ?)"
    " ON CONFLICT (owner) DO UPDATE SET delivered = excluded.delivered, open = excluded.open"
)
PURGE: Final = "DELETE FROM log WHERE owner = ? AND id = ? AND flags & 1 = 0"


class Cursor(NamedTuple):
    """The ids up to `delivered`, without those in `open`."""

    delivered: int = 0
    open: frozenset[int] = frozenset()

    def united(self, other: "Cursor") -> "Cursor":
        """Return the union of two sets; less than that if it would have too many open ids."""
        delivered = max(self.delivered, other.delivered)
        if not self.open and not other.open:
            return Cursor(delivered)
        left = {id for id in self.open if id > other.delivered or id in other.open}
        left.update([id for id in other.open if id > self.delivered or id in self.open])
        if len(left) > OPEN_LIMIT:
            return Cursor(min(left) - 1)
        return Cursor(delivered, frozenset(left))


@dataclass(slots=True)
class Delivered:
    """What is to be written for one owner.

    :ivar purge: ids of delivered rows that no archive shows.
    """

    cursor: Cursor
    purge: set[int] = field(default_factory=set)

    def add(self, cursor: Cursor, purge: Iterable[int]) -> None:
        """Add to what is to be written."""
        self.cursor = self.cursor.united(cursor)
        self.purge.update(purge)


Gathered = dict[Jid, Delivered]


class Cursors:
    """Writes cursors to one kind of database."""

    def __init__(self, keys: Keys, is_sqlite: bool) -> None:
        self._keys = keys
        self._is_sqlite = is_sqlite

    def write(self, lane: Lane, gathered: Mapping[Jid, Delivered]) -> list[Deferred[int]]:
        """Merge what was gathered for owners of one shard; each answer is how many rows were purged."""
        owners = sorted(gathered, key=lambda owner: self._keys[owner].digest)
        parts = [owners[start : start + CHUNK] for start in range(0, len(owners), CHUNK)]
        return [self._write(lane, [(owner, gathered[owner]) for owner in part]) for part in parts]

    def _write(self, lane: Lane, part: Sequence[tuple[Jid, Delivered]]) -> Deferred[int]:
        keys = [self._keys[owner] for owner, _ in part]
        slots = sorted({key.slot for key in keys})
        rows = [(key.digest, news.cursor, sorted(news.purge)) for key, (_, news) in zip(keys, part, strict=True)]
        if self._is_sqlite:
            return lane.submit("log.delivered", merge, (slots, rows), False)
        return lane.submit("log.delivered", ask, (merging(slots, rows),), False)


News = tuple[bytes, Cursor, list[int]]


def merge(link: SqliteLink, slots: Sequence[int], rows: Sequence[News]) -> int:
    """Merge cursors in SQLite's open transaction, and purge; return how many rows were purged."""
    raw: sqlite3.Connection = link.raw
    hold_slots(raw, slots)
    removed = 0
    with link.undoing():
        for digest, cursor, purge in rows:
            found = raw.execute(STORED, (digest,)).fetchone()
            united = cursor.united(Cursor() if found is None else Cursor(found[0], frozenset(json.loads(found[1]))))
            raw.execute(STORE, (digest, united.delivered, json.dumps(sorted(united.open))))
            if purge:
                removed += raw.executemany(PURGE, [(digest, id) for id in purge]).rowcount
    return removed


def merging(slots: Sequence[int], rows: Sequence[News]) -> str:
    """Return the statement that merges cursors on PostgreSQL, and purges; its value is how many rows were purged."""
    opens = ",".join('"{' + ",".join(map(str, cursor.open)) + '}"' for _, cursor, _ in rows)
    purged = [(digest, id) for digest, _, purge in rows for id in purge]
    arguments = (
        numbers(slots),
        digests(digest for digest, _, _ in rows),
        numbers(cursor.delivered for _, cursor, _ in rows),
        f"'{{{opens}}}'",
        digests(digest for digest, _ in purged) if purged else "NULL",
        numbers(id for _, id in purged) if purged else "NULL",
    )
    return f"SELECT xmppd_log_delivered({','.join(arguments)})"


def stored_cursor(link: Link, digest: bytes) -> tuple[int, Cursor]:
    """Return an owner's last id and its stored cursor; it is a read of its own."""
    is_sqlite = isinstance(link, SqliteLink)
    cursor = link.raw.cursor()
    try:
        if is_sqlite:
            cursor.execute(POSITION, {"owner": digest})
        else:
            cursor.execute(POSITION.replace(":owner", f"'\\x{digest.hex()}'"))
        last, delivered, left = cursor.fetchone()
    finally:
        cursor.close()
    if left is None:
        return last or 0, Cursor()
    return last or 0, Cursor(delivered, frozenset(json.loads(left) if is_sqlite else left))


POSITION: Final = (
    "SELECT (SELECT last_id FROM log_head WHERE owner = :owner), c.delivered, c.open"
    " FROM (SELECT 1 AS one) AS always LEFT JOIN log_cursor AS c ON c.owner = :owner"
)
