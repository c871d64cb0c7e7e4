"""Which shard has what: owners fall into 1024 slots, and a map gives each slot to one shard.

The map is kept in shard 0's database, versioned, and cached in a file of the data folder, so that a node boots while
shard 0 is away. A map may be old: therefore every shard also knows which slots it holds (`slot_here`) and refuses
writes to others.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection, delete, func, insert, select

from .tables import slot_here, slot_map

SLOTS: Final = 1024
OPEN: Final = "open"

NEWEST = select(slot_map).where(slot_map.c.version == select(func.max(slot_map.c.version)).scalar_subquery())
ADD_RANGES = insert(slot_map)
ADD_HERE = insert(slot_here)
FORGET_HERE = delete(slot_here)


def slot_of(owner: str) -> int:
    """Return the slot of a bare JID, 0 to 1023."""
    return int.from_bytes(blake2b(owner.encode(), digest_size=8).digest()) % SLOTS


@dataclass(frozen=True, slots=True)
class Range:
    """Neighbouring slots on one shard; both ends belong to it."""

    first: int
    last: int
    shard: int


@dataclass(frozen=True, slots=True)
class SlotMap:
    """One version of the map.

    :ivar shards: the index of the shard that has the slot, for each slot.
    """

    version: int
    shards: tuple[int, ...]

    @classmethod
    def even(cls, count: int) -> Self:
        """Return the first map of a deployment of `count` shards: runs of equal length."""
        return cls(1, tuple(slot * count // SLOTS for slot in range(SLOTS)))

    @classmethod
    def of_ranges(cls, version: int, ranges: Iterable[Range]) -> Self:
        """Return the map that `ranges` describe.

        :raises ValueError: they do not cover every slot exactly once.
        """
        shards: list[int] = []
        for part in sorted(ranges, key=lambda part: part.first):
            if part.first != len(shards) or part.last < part.first or part.shard < 0:
                raise ValueError(f"slot map {version}: slots {part.first} to {part.last} are out of place")
            shards += [part.shard] * (part.last - part.first + 1)
        if len(shards) != SLOTS:
            raise ValueError(f"slot map {version}: {len(shards)} slots instead of {SLOTS}")
        return cls(version, tuple(shards))

    def ranges(self) -> list[Range]:
        """Return the map as ranges, in order."""
        runs = [list(run) for _, run in groupby(range(SLOTS), self.shards.__getitem__)]
        return [Range(run[0], run[-1], self.shards[run[0]]) for run in runs]

    def slots_of(self, shard: int) -> list[int]:
        """Return the slots of one shard, in order."""
        return [slot for slot, holder in enumerate(self.shards) if holder == shard]


def stored_map(connection: Connection) -> SlotMap | None:
    """Return the newest map of shard 0, or None if the deployment is fresh."""
    rows = [tuple(row) for row in connection.execute(NEWEST)]
    if not rows:
        return None
    return SlotMap.of_ranges(rows[0][0], (Range(*row[1:]) for row in rows))


def store_map(connection: Connection, slots: SlotMap) -> None:
    """Add a version to shard 0."""
    rows = [
        {"version": slots.version, "first_slot": part.first, "last_slot": part.last, "shard": part.shard}
        for part in slots.ranges()
    ]
    connection.execute(ADD_RANGES, rows)


def open_slots(connection: Connection, slots: SlotMap, shard: int) -> None:
    """Let the shard behind `connection` hold exactly the slots that the map gives it."""
    connection.execute(FORGET_HERE)
    rows = [{"slot": slot, "epoch": 1, "state": OPEN} for slot in slots.slots_of(shard)]
    if rows:
        connection.execute(ADD_HERE, rows)


def read_cached(path: Path) -> SlotMap | None:
    """Return the map of a cache file, or None if there is none.

    :raises ValueError: the file is no slot map.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        kept = json.loads(text)
        return SlotMap.of_ranges(kept["version"], [Range(*part) for part in kept["ranges"]])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no slot map: {error}") from error


def write_cached(path: Path, slots: SlotMap) -> None:
    """Replace the cache file; a crash leaves the old one or the new one, never half of one."""
    kept = {"version": slots.version, "ranges": [[part.first, part.last, part.shard] for part in slots.ranges()]}
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(kept, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
