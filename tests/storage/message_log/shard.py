"""A shard whose answers a test gives."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from xmppd.storage.jobs import ConnectionLost, failure
from xmppd.storage.message_log.batch import Batch


class Ended(Exception):
    """An error of a driver.

    :ivar pgcode: as psycopg2 has it.
    """

    def __init__(self, pgcode: str | None) -> None:
        super().__init__("the connection has ended")
        self.pgcode = pgcode


def lost(pgcode: str | None = None) -> ConnectionLost:
    """Return what a job raises whose connection broke."""
    error = ConnectionLost("shard 0: log.append: the connection has ended")
    error.__cause__ = Ended(pgcode)
    return error


class Shard:
    """A database whose answers the test gives; also how it appends.

    :ivar sent: the batches, each with its number.
    """

    place = "shard 0"

    def __init__(self) -> None:
        self.sent: list[tuple[Batch, int]] = []
        self.landed_batches = 0
        self.forgotten = 0
        self.wrong: object = None  # rows of this kind cannot be written down
        self._asked: list[Deferred[Any]] = []

    # As a database and its lane

    def writer_lane(self) -> "Shard":
        return self

    def submit(self, name: str, call: Callable[..., Any], args: tuple[Any, ...], repeatable: bool) -> Deferred[Any]:
        assert not repeatable
        self.sent.append(args)  # type: ignore[arg-type]
        self._asked.append(Deferred())
        return self._asked[-1]

    # As a way to append

    def prepare(self, batch: Batch, number: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        if any(entry.stanza == self.wrong for entry in batch.entries):
            raise ValueError("it cannot be written down")
        return print, (batch, number)

    def landed(self, batch: Batch) -> None:
        self.landed_batches += 1

    def forget(self) -> None:
        self.forgotten += 1

    # For tests

    @property
    def rows(self) -> list[int]:
        """How many rows each batch had."""
        return [len(batch.entries) for batch, _ in self.sent]

    @property
    def numbers(self) -> list[int]:
        return [number for _, number in self.sent]

    def commit(self) -> None:
        """Answer what is in flight."""
        batch, _ = self.sent[-1]
        width = len(batch.owners)
        self._asked.pop().callback([*[0] * width, *batch.counts, *([None] * len(batch.entries) if batch.asks else [])])

    def fail(self, error: Exception) -> None:
        self._asked.pop().errback(failure(error))
