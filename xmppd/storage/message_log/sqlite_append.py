"""How SQLite appends a batch: inside the transaction that its writer has open, and undone alone if a row is wrong.

Rows go in by statements of many rows each, since each call of the driver gives the interpreter's lock away.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from ...core.message_log import id_at
from ..faults import SlotElsewhere
from ..sqlite import SqliteLink
from .batch import Batch
from .keys import Keys

WallClock = Callable[[], float]
Call = Callable[..., list[int | None]]

WIDTHS: Final = (64, 8, 1)
"""How many rows one statement may take: a few widths, so that each is compiled once."""

ROW: Final = "(?,?,?,?,?,?,?,?,?,?)"
INSERT: Final = "INSERT INTO log (owner, id, peer_key, peer, direction, kind, flags, origin_id, key, stanza) VALUES "
HEAD: Final = "(?,?,?,?,?)"
MOVE: Final = "INSERT INTO log_head (owner, jid, slot, last_id, before_id) VALUES "
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
    with savepoint(link):
        before = _last_ids(raw, batch)
        earlier = _earlier(raw, batch) if batch.asks else []
        after, ids = _number(batch, before, earlier, id_at(wall_clock()))
        _insert(raw, batch, peers, ids)
        moved = [
            (key.digest, owner, key.slot, last, first)
            for key, owner, last, first in zip(batch.keys, batch.owners, after, before, strict=True)
            if last != first
        ]
        insert_many(raw, MOVE, HEAD, moved, MOVED)
    return [*before, *after, *earlier]


@contextmanager
def savepoint(link: SqliteLink) -> Iterator[None]:
    """Undo what is done within, and nothing else, if it fails."""
    raw: sqlite3.Connection = link.raw
    raw.execute("SAVEPOINT log")
    try:
        yield
    except BaseException:
        if link.in_transaction:
            raw.execute("ROLLBACK TO log")
            raw.execute("RELEASE log")
        raise
    raw.execute("RELEASE log")


def hold_slots(raw: sqlite3.Connection, slots: Sequence[int]) -> None:
    """Make sure that slots are here; the transaction keeps them so."""
    wanted = set(slots)
    if sum(count for (count,) in select_many(raw, HELD, list(wanted))) != len(wanted):
        raise SlotElsewhere("a slot of a batch")


def select_many(raw: sqlite3.Connection, statement: str, values: Sequence[Any]) -> list[Any]:
    """Return the rows of a statement that ends in `IN`, for many values."""
    rows: list[Any] = []
    for part, width in _parts(values):
        rows += raw.execute(f"{statement}({','.join('?' * width)})", part).fetchall()
    return rows


def insert_many(
    raw: sqlite3.Connection, statement: str, form: str, rows: Sequence[Sequence[Any]], behind: str = ""
) -> None:
    """Run a statement that ends in `VALUES` for many rows."""
    for part, width in _parts(rows):
        raw.execute(statement + ",".join([form] * width) + behind, [value for row in part for value in row])


def _parts(values: Sequence[Any]) -> Iterator[tuple[Sequence[Any], int]]:
    """Cut what one statement cannot take into as few parts of known widths as possible."""
    start = 0
    for width in WIDTHS:
        while len(values) - start >= width:
            yield values[start : start + width], width
            start += width


def _last_ids(raw: sqlite3.Connection, batch: Batch) -> list[int]:
    found = dict(select_many(raw, LAST, [key.digest for key in batch.keys]))
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
    keys = batch.keys
    rows = [
        (
            keys[place].digest,
            id,
            peer_key,
            entry.peer,
            entry.direction,
            entry.kind,
            entry.flags,
            entry.origin_id,
            entry.key,
            entry.stanza,
        )
        for entry, place, peer_key, id in zip(batch.entries, batch.whose, peers, ids, strict=True)
        if id is not None
    ]
    insert_many(raw, INSERT, ROW, rows)
