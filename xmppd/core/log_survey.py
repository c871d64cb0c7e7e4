"""What an administrator asks of the log as a whole: how much there is, how much waits, how fast it is stored.

The storage wing answers. Nothing here is asked on the way of a message.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..protocol.jid import Jid


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of the log something is.

    :ivar rows: how many rows.
    :ivar size: bytes: of the stanzas of an account or a host, of what a shard takes on disk.
    :ivar first: when the first row was committed, in seconds since the epoch; None if there is none.
    :ivar last: when the last one was.
    :ivar is_exact: whether `rows` was counted; an estimate costs the same however large the log is.
    """

    rows: int
    size: int
    first: float | None
    last: float | None
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class ShardFigures:
    """One shard's part of the log, and what this process has written to it since it started.

    :ivar place: how messages call its database.
    :ivar waiting: rows that wait for delivery.
    :ivar queued: rows that wait to be sent to the database.
    :ivar commits: batches that were sent.
    :ivar seconds: what committing them took, in all.
    """

    shard: int
    place: str
    extent: Extent
    waiting: int
    queued: int
    commits: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Rate:
    """What all writers of this process have done since it started.

    :ivar rows: rows that were sent, those that repeated an earlier one among them.
    :ivar repeated: these.
    :ivar batches: in so many batches.
    :ivar seconds: from handing them over to their answers, in all.
    """

    rows: int
    repeated: int
    batches: int
    seconds: float


class LogSurvey(Protocol):
    """The log of every owner, from outside.

    Every question raises `StorageUnavailable` if a shard that it is about does not answer.
    """

    def rate(self) -> Rate:
        """Return what the writers have done."""

    async def shards(self) -> Sequence[ShardFigures]:
        """Return the figures of each shard, in the order of the configuration."""

    async def of_owner(self, owner: Jid) -> Extent:
        """Return how much an owner has, counted."""

    async def of_host(self, host: str) -> Extent:
        """Return how much the owners of a host have; an estimate by some of them if they are many."""

    async def waiting(self, host: str | None = None) -> int:
        """Return how many rows wait for delivery, of a host's owners or of all."""

    async def most_waiting(self, limit: int, host: str | None = None) -> Sequence[tuple[Jid, int]]:
        """Return the owners for whom most rows wait, with how many: the one with most of them first."""

    def owners(self, host: str) -> AsyncIterator[Jid]:
        """Yield all owners of a host that have a log, in no order that means anything."""

    async def count(self, owner: Jid, before: int) -> int:
        """Return how many rows of an owner are below an id."""

    async def behind(self, owner: Jid, rows: int, before: int) -> int:
        """Return the id below which an owner has so many rows, or `before` if it has no more of them below that."""
