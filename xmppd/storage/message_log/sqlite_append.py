"""How SQLite appends a batch: inside the transaction that its writer has open, and undone alone if a row is wrong.

Rows go in by statements of many rows each, since each call of the driver gives the interpreter's lock away. The driver
takes `str`, `int` and `bytearray` as they are. For anything else, `bytes` and `Jid` among them, it first looks for an
adapter, which costs four times what binding does: so those are not given to it.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

from ...core.message_log import id_at
from ..faults import SlotElsewhere
from ..sqlite import SqliteLink
from .batch import Batch
from .keys import Keys

WallClock = Callable[[], float]
Call = Callable[..., list[int | None]]

WIDTHS: Final = (64, 32, 16, 8, 4, 2, 1)
"""How many rows one statement may take: a few widths, so that each is compiled once, and any number is few of them."""

COLUMNS: Final = 10
ROW: Final = "(?,?,?,?,?,?,?,?,?,?)"
INSERT: Final = (
    "INSERT OR FAIL INTO log (owner, id, peer_key, peer, direction, kind, flags, origin_id, key, stanza) VALUES "
)
"""All is undone if it fails; so it need not undo its own part, which would cost a copy of each page that it changes."""

HEAD_COLUMNS: Final = 5
HEAD: Final = "(?,?,?,?,?)"
MOVE: Final = "INSERT OR FAIL INTO log_head (owner, jid, slot, last_id, before_id) VALUES "
MOVED: Final = " ON CONFLICT (owner) DO UPDATE SET last_id = excluded.last_id, before_id = excluded.before_id"
LAST: Final = "SELECT owner, last_id FROM log_head WHERE owner IN "
HELD: Final = "SELECT count(*) FROM slot_here WHERE state = 'open' AND slot IN "
EARLIER: Final = "SELECT id FROM log WHERE owner = ? AND id >= ? AND key = ? ORDER BY id LIMIT 1"


class SqliteAppend:
    """Appends batches to an SQLite database.

    :param wall_clock: seconds since the epoch, by which rows are numbered; called in the writer's thread.
    """

    def __init__(self, keys: Keys, wall_clock: WallClock) -> None:
        self._keys = keys
        self._wall_clock = wall_clock

    def prepare(self, batch: Batch, number: int) -> tuple[Call, tuple[Any, ...]]:
        """Return what the writer's thread shall call with its link, and further arguments."""
        peers = [self._keys[entry.peer.bare].digest for entry in batch.entries]
        return append, (batch, peers, self._wall_clock)

    def landed(self, batch: Batch) -> None:
        """Hear that a batch is committed."""

    def forget(self) -> None:
        """Forget what was believed of heads; nothing is, here."""


def append(link: SqliteLink, batch: Batch, peers: Sequence[bytes], wall_clock: WallClock) -> list[int | None]:
    """Insert the rows of a batch in the open transaction; return the numbers that `Batch.accept` wants.

    :raises SlotElsewhere: an owner lives on another shard.
    """
    raw: sqlite3.Connection = link.raw
    hold_slots(raw, [key.slot for key in batch.keys])
    with link.undoing():
        before = _last_ids(raw, batch)
        earlier = _earlier(raw, batch) if batch.asks else []
        after, ids = _number(batch, before, earlier, id_at(wall_clock()))
        _insert(raw, batch, peers, ids)
        _move(raw, batch, before, after)
    return [*before, *after, *earlier]


def hold_slots(raw: sqlite3.Connection, slots: Sequence[int]) -> None:
    """Make sure that slots are here; the transaction keeps them so."""
    wanted = set(slots)
    if sum(count for (count,) in select_many(raw, HELD, list(wanted))) != len(wanted):
        raise SlotElsewhere("a slot of a batch")


def select_many(raw: sqlite3.Connection, statement: str, values: Sequence[Any]) -> list[Any]:
    """Return the rows of a statement that ends in `IN`, for many values; a value may be asked for twice."""
    rows: list[Any] = []
    for start in range(0, len(values), WIDTHS[0]):
        part = values[start : start + WIDTHS[0]]
        width = next(width for width in reversed(WIDTHS) if width >= len(part))
        filled = [*part, *[part[0]] * (width - len(part))]
        rows += raw.execute(f"{statement}({','.join('?' * width)})", filled).fetchall()
    return rows


def insert_many(
    raw: sqlite3.Connection, statement: str, form: str, columns: int, values: Sequence[Any], behind: str = ""
) -> None:
    """Run a statement that ends in `VALUES` for many rows.

    :param columns: how many of the values are a row, one row behind the other.
    """
    start = 0
    for width in WIDTHS:
        while len(values) - start >= width * columns:
            text = statement + ",".join([form] * width) + behind
            raw.execute(text, values[start : start + width * columns])
            start += width * columns


def _last_ids(raw: sqlite3.Connection, batch: Batch) -> list[int]:
    found = dict(select_many(raw, LAST, [bytearray(key.digest) for key in batch.keys]))
    return [found.get(key.digest, 0) for key in batch.keys]


def _earlier(raw: sqlite3.Connection, batch: Batch) -> list[int | None]:
    """Return for each row the id of the earlier one that it repeats, or None."""
    found: list[int | None] = []
    for entry, place in zip(batch.entries, batch.whose, strict=True):
        row = None
        if entry.since and entry.key is not None:
            row = raw.execute(EARLIER, (batch.keys[place].digest, entry.since, entry.key)).fetchone()
        found.append(None if row is None else row[0])
    return found


def _number(
    batch: Batch, before: Sequence[int], earlier: Sequence[int | None], now: int
) -> tuple[list[int], list[int | None]]:
    """Return the last id of each owner afterwards, and the id of each row; None for those that are not inserted."""
    first = [max(last + 1, now) for last in before]
    after, ids = list(before), list[int | None]()
    for row, (place, rank) in enumerate(zip(batch.whose, batch.ranks, strict=True)):
        if earlier and earlier[row] is not None:
            ids.append(None)
        else:
            after[place] = first[place] + rank
            ids.append(after[place])
    return after, ids


def _insert(raw: sqlite3.Connection, batch: Batch, peers: Sequence[bytes], ids: Sequence[int | None]) -> None:
    digests = [bytearray(key.digest) for key in batch.keys]
    values: list[Any] = []
    for entry, place, peer_key, id in zip(batch.entries, batch.whose, peers, ids, strict=True):
        if id is not None:
            values += (
                digests[place],
                id,
                bytearray(peer_key),
                str(entry.peer),
                entry.direction,
                entry.kind,
                entry.flags,
                entry.origin_id,
                None if entry.key is None else bytearray(entry.key),
                bytearray(entry.stanza),
            )
    insert_many(raw, INSERT, ROW, COLUMNS, values)


def _move(raw: sqlite3.Connection, batch: Batch, before: Sequence[int], after: Sequence[int]) -> None:
    """Set the heads of owners that have new rows."""
    values: list[Any] = []
    for key, owner, last, first in zip(batch.keys, batch.owners, after, before, strict=True):
        if last != first:
            values += (bytearray(key.digest), str(owner), key.slot, last, first)
    insert_many(raw, MOVE, HEAD, HEAD_COLUMNS, values, MOVED)
