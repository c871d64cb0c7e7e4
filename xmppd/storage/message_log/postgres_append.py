"""How PostgreSQL appends a batch: one call of `xmppd_log_append` (migration 0005), which is one transaction.

The statement is put together from digits and hexadecimal digits alone, so nothing in it needs quoting; it is cheaper
than handing the driver lists. It may be sent again, with its number: a batch that has landed is answered and not done.
"""

from collections.abc import Callable, Iterable
from itertools import accumulate, chain
from typing import Any, Final

from ...core.message_log import StorageUnavailable
from ...protocol.jid import Jid
from ..faults import SlotElsewhere, driver_error, is_elsewhere
from ..link import Link
from .batch import Batch
from .keys import Keys

Call = Callable[..., list[int | None]]

MISSING_HEAD: Final = "XM002"
BUSY: Final = ("40001", "40P01", "55P03")
"""SQLSTATEs of what may do better at the next try: serialization failure, deadlock, lock_timeout."""

KNOWN: Final = 100_000
"""Owners that are remembered to have a head."""


class Busy(StorageUnavailable):
    """A lock did not come free; nothing was written."""


class MissingHead(Exception):
    """An owner that was believed to have a head has none; nothing was written."""


class PostgresAppend:
    """Appends batches to a PostgreSQL database.

    Heads that may be missing are inserted before any existing one is locked, both in the order of owners. So a batch
    never waits for another one that waits for it.

    :param writer: the number of this writer, which no other has.
    """

    def __init__(self, keys: Keys, writer: int) -> None:
        self._keys = keys
        self._writer = writer
        self._known: set[Jid] = set()

    def prepare(self, batch: Batch, number: int) -> tuple[Call, tuple[Any, ...]]:
        """Return what the writer's thread shall call with its link, and further arguments."""
        arguments = (
            str(self._writer),
            str(number),
            *self._owners(batch),
            *self._fresh(batch),
            *self._rows(batch),
        )
        return ask, (f"SELECT xmppd_log_append({','.join(arguments)})",)

    def landed(self, batch: Batch) -> None:
        """Hear that a batch is committed."""
        if len(self._known) > KNOWN:
            self._known.clear()
        self._known.update(batch.owners)

    def forget(self) -> None:
        """Forget who has a head."""
        self._known.clear()

    def _owners(self, batch: Batch) -> tuple[str, ...]:
        keys = batch.keys
        return numbers(sorted({key.slot for key in keys})), digests(key.digest for key in keys), numbers(batch.counts)

    def _fresh(self, batch: Batch) -> tuple[str, ...]:
        known = self._known
        fresh = [place for place, owner in enumerate(batch.owners) if owner not in known]
        if not fresh:
            return "NULL", "NULL", "NULL"
        jids = digests(batch.owners[place].encode() for place in fresh)
        return numbers([place + 1 for place in fresh]), numbers([batch.keys[place].slot for place in fresh]), jids

    def _rows(self, batch: Batch) -> Iterable[str]:
        entries, keys = batch.entries, self._keys
        owners = [batch.keys[place].digest for place in batch.whose]
        peers = [keys[entry.peer.bare].digest for entry in entries]
        called = [None if entry.origin_id is None else entry.origin_id.encode() for entry in entries]
        parts = [
            (owner, peer_key, entry.key or b"", entry.peer.encode(), origin_id or b"", entry.stanza)
            for entry, owner, peer_key, origin_id in zip(entries, owners, peers, called, strict=True)
        ]
        yield numbers([place + 1 for place in batch.whose])
        yield numbers(batch.ranks)
        yield numbers([entry.direction for entry in entries])
        yield numbers([entry.kind for entry in entries])
        yield numbers([entry.flags for entry in entries])
        yield numbers(accumulate([sum(map(len, part)) for part in parts[:-1]], initial=1))
        yield numbers([None if entry.key is None else len(entry.key) for entry in entries])
        yield numbers([len(part[3]) for part in parts])
        yield numbers([None if origin_id is None else len(origin_id) for origin_id in called])
        yield numbers([len(entry.stanza) for entry in entries])
        yield numbers([entry.since or None for entry in entries]) if batch.asks else "NULL"
        yield f"'\\x{b''.join(chain.from_iterable(parts)).hex()}'"


def numbers(values: Iterable[int | None]) -> str:
    """Return an array of integers as a literal; None is null."""
    return f"'{{{str(list(values))[1:-1].replace('None', 'NULL')}}}'"  # Python writes a list faster than we join it


def digests(values: Iterable[bytes]) -> str:
    """Return an array of bytea as a literal."""
    listed = ['"\\\\x' + value.hex() + '"' for value in values]
    return f"'{{{','.join(listed)}}}'"


def ask(link: Link, text: str) -> Any:
    """Run a statement that returns one value; it is a transaction of its own.

    :raises SlotElsewhere: an owner lives on another shard.
    :raises MissingHead: see there.
    :raises Busy: see there.
    """
    cursor = link.raw.cursor()
    try:
        cursor.execute(text)
        return cursor.fetchone()[0]
    except Exception as error:
        told = _explained(error)
        if told is None:
            raise
        raise told from error
    finally:
        cursor.close()


def _explained(error: Exception) -> Exception | None:
    """Return what a driver's error means to the writer, or None if it is as any other."""
    if is_elsewhere(error):
        return SlotElsewhere("a slot of a batch")
    state = getattr(driver_error(error), "pgcode", None)
    if state == MISSING_HEAD:
        return MissingHead("a head is missing")
    if state in BUSY:
        return Busy(str(error).partition("\n")[0])
    return None
