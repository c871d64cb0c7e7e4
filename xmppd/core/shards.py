"""Sharded storage, as modules see it.

Everything is keyed by its owner's bare JID: the owner decides the shard (architecture: BLAKE2b, 1024 slots, slot
map). A module declares its tables with SQLAlchemy Core and asks through `Shards`; it never sees a connection pool or
a thread. Each transaction has a name, which logs and metrics use.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.sql import Executable

T = TypeVar("T")
Row = Sequence[Any]


class StorageUnavailable(Exception):
    """The owner's shard cannot be reached or does not answer in time."""


class Shards(Protocol):
    """N databases of one schema, found by owner."""

    async def fetch(
        self, owner: str, name: str, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        """Run one compiled-once SELECT on the owner's shard; return all its rows."""

    async def write(
        self, owner: str, name: str, statement: Executable, rows: Sequence[Mapping[str, Any]] = ({},)
    ) -> int:
        """Run one statement for each mapping in one transaction on the owner's shard; return how many rows it touched.

        :raises sqlalchemy.exc.IntegrityError: a constraint was broken; nothing was written.
        """

    async def write_each(self, name: str, statement: Executable, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run one statement for each row with its owner; on each shard for all of its rows or for none.

        For what is written lazily for many owners at once: it costs a fraction of as many calls of `write`.

        :raises StorageUnavailable: a shard cannot be reached; the rows of others are written.
        """

    async def transaction(self, owner: str, name: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in a storage thread inside one transaction of the owner's shard; return what it returns.

        An exception rolls back and is raised here. `work` must be quick and must touch rows of `owner` only.
        """

    async def fetch_all(
        self, name: str, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        """Run one SELECT on every shard; return the rows of all of them, shard by shard."""
