"""The shards of a deployment, behind the interface that modules see."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.sql import Executable
from twisted.internet.defer import Deferred, DeferredList, FirstError, gatherResults

from ..core.log import Log
from ..core.shards import Row, StorageUnavailable
from .database import Database
from .faults import SlotElsewhere
from .slots import SlotMap, read_cached, slot_of, stored_map, write_cached

log = Log("storage")

T = TypeVar("T")


class SqlShards:
    """Databases by owner. Implements `core.shards.Shards`.

    A write that meets a shard without its slot has an old map behind it: the map is read anew and the write tried once
    more.

    :param databases: the shards, in the order of the configuration; the order must not change.
    :param cache: the file in which the slot map is kept for times without shard 0; None keeps it nowhere.
    """

    def __init__(self, databases: Sequence[Database], cache: Path | None = None) -> None:
        self.databases = tuple(databases)
        self.slots = SlotMap(0, ())
        self._cache = cache

    def load_map(self) -> None:
        """Read the slot map from shard 0, or from the cache file while that is away. Blocks: call it at start-up.

        :raises StorageUnavailable: neither has it.
        :raises ValueError: it names a shard that the configuration lacks, or is damaged.
        """
        try:
            with self.databases[0].blocking() as connection:
                found = stored_map(connection)
        except StorageUnavailable:
            found = self._cached()
            if found is None:
                raise
            log.warn("The slot map comes from {file}: shard 0 is away", file=self._cache)
        if found is None:
            raise StorageUnavailable("shard 0 has no slot map: the shards have not been migrated")
        self._adopt(found)

    async def fetch(
        self, owner: str, name: str, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        """Run one SELECT on the owner's shard; return all its rows."""
        database = self.databases[self.slots.shards[slot_of(owner)]]
        return await database.fetch(name, statement, parameters or {})

    async def write(
        self, owner: str, name: str, statement: Executable, rows: Sequence[Mapping[str, Any]] = ({},)
    ) -> int:
        """Run one statement for each of `rows`, all or none, on the owner's shard; return how many rows it touched."""
        if not rows:
            return 0
        return await self._on_slot(owner, lambda at, slot: at.write(name, statement, rows, slot))

    async def write_each(self, name: str, statement: Executable, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run one statement for each row with its owner, all or none of each shard's, on all shards at once."""
        left = await self._write_each(name, statement, [(slot_of(owner), row) for owner, row in rows])
        if left:
            await self.refresh_map()
            if await self._write_each(name, statement, left):
                raise StorageUnavailable("a slot is being moved")

    async def _write_each(
        self, name: str, statement: Executable, rows: Sequence[tuple[int, Mapping[str, Any]]]
    ) -> list[tuple[int, Mapping[str, Any]]]:
        """Write rows with their slots; return those that the map gives to a shard which does not have them."""
        by_shard: dict[int, list[tuple[int, Mapping[str, Any]]]] = {}
        for item in rows:
            by_shard.setdefault(self.slots.shards[item[0]], []).append(item)
        asked = [
            self.databases[shard].write_each(
                name, statement, [row for _, row in some], list({slot for slot, _ in some})
            )
            for shard, some in by_shard.items()
        ]
        outcomes: list[Any] = await DeferredList(asked, consumeErrors=True)
        left: list[tuple[int, Mapping[str, Any]]] = []
        for (is_done, outcome), some in zip(outcomes, by_shard.values(), strict=True):
            if not is_done and outcome.check(SlotElsewhere):
                left += some
        for is_done, outcome in outcomes:
            if not is_done and not outcome.check(SlotElsewhere):
                outcome.raiseException()
        return left

    async def transaction(self, owner: str, name: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in a storage thread inside one transaction of the owner's shard."""
        return await self._on_slot(owner, lambda at, slot: at.transaction(name, work, slot))

    async def fetch_all(
        self, name: str, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        """Run one SELECT on every shard at the same time; return the rows of all of them, shard by shard."""
        asked = [database.fetch(name, statement, parameters or {}) for database in self.databases]
        try:
            answers = await gatherResults(asked, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        return [row for rows in answers for row in rows]

    async def close(self) -> None:
        """Refuse new jobs, wait for those in the queues, close every connection."""
        await gatherResults([database.close() for database in self.databases])

    async def refresh_map(self) -> None:
        """Read the slot map from shard 0 anew, as a shard has refused a write."""
        found = await self.databases[0].transaction("slots.refresh", stored_map, None)
        if found is not None and found.version > self.slots.version:
            self._adopt(found)

    async def _on_slot(self, owner: str, ask: Callable[[Database, int], Deferred[T]]) -> T:
        slot = slot_of(owner)
        try:
            return await ask(self.databases[self.slots.shards[slot]], slot)
        except SlotElsewhere:
            await self.refresh_map()
        try:
            return await ask(self.databases[self.slots.shards[slot]], slot)
        except SlotElsewhere as error:
            raise StorageUnavailable(f"slot {slot} is being moved") from error

    def _adopt(self, found: SlotMap) -> None:
        """Use a map from now on, and keep it for a boot without shard 0."""
        if max(found.shards) >= len(self.databases):
            raise ValueError(f"slot map {found.version} names shard {max(found.shards)}, which is not configured")
        self.slots = found
        if self._cache is not None and self._cached() != found:
            write_cached(self._cache, found)

    def _cached(self) -> SlotMap | None:
        return None if self._cache is None else read_cached(self._cache)
