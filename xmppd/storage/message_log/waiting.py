"""What waits to be sent to a shard: bounded, in order, and cut into batches."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from .batch import Item


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be in one batch, and how much may wait.

    :ivar batch: rows of a batch.
    :ivar batch_bytes: of a batch's stanzas, but for a single item that is larger.
    :ivar rows: rows that may wait.
    :ivar bytes: of the stanzas that may wait.
    """

    batch: int = 200
    batch_bytes: int = 4 * 2**20
    rows: int = 20_000
    bytes: int = 64 * 2**20


class Waiting:
    """Items in the order in which they came. Its truth is whether there are any.

    :param call_soon: asks the loop for a call.
    :ivar rows: of all items.
    """

    def __init__(self, bounds: Bounds, call_soon: Callable[..., object]) -> None:
        self.rows = 0
        self._bounds = bounds
        self._call_soon = call_soon
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._roomless: list[Deferred[None]] = []

    def __bool__(self) -> bool:
        return bool(self._items)

    def admits(self, item: Item) -> bool:
        """Say whether there is room for an item; one without rows needs none."""
        rows, bounds = len(item.entries), self._bounds
        return not rows or (self.rows + rows <= bounds.rows and self._bytes + item.size <= bounds.bytes)

    def add(self, item: Item) -> None:
        """Put an item behind all others."""
        self._items.append(item)
        self.rows += len(item.entries)
        self._bytes += item.size

    def take_batch(self) -> list[Item]:
        """Take the items of the next batch: it ends before one that asks for repetitions of what is in it."""
        items: list[Item] = []
        rows = size = 0
        bounds = self._bounds
        while self._items:
            item = self._items[0]
            rows, size = rows + len(item.entries), size + item.size
            if items and (rows > bounds.batch or size > bounds.batch_bytes or (item.asks and _repeats(item, items))):
                break
            items.append(self._take())
        return items

    def take_late(self, since: float) -> list[Item]:
        """Take the items that were queued at a time or before it."""
        items: list[Item] = []
        while self._items and self._items[0].since <= since:
            items.append(self._take())
        return items

    def take_all(self) -> list[Item]:
        """Take everything."""
        items: list[Item] = []
        while self._items:
            items.append(self._take())
        return items

    def room(self) -> Deferred[None] | None:
        """Return None if less than half of what may wait does, else what fires when that is so."""
        if self._has_room():
            return None
        waiter: Deferred[None] = Deferred()
        self._roomless.append(waiter)
        return waiter

    def _has_room(self) -> bool:
        return self.rows <= self._bounds.rows // 2 and self._bytes <= self._bounds.bytes // 2

    def _take(self) -> Item:
        item = self._items.popleft()
        self.rows -= len(item.entries)
        self._bytes -= item.size
        if self._roomless and self._has_room():
            self._call_soon(self._make_room)
        return item

    def _make_room(self) -> None:
        roomless, self._roomless = self._roomless, []
        for waiter in roomless:
            waiter.callback(None)


def _repeats(item: Item, items: Sequence[Item]) -> bool:
    """Say whether an item asks for repetitions of what is in the same batch."""
    asked = {(entry.owner, entry.key) for entry in item.entries if entry.since and entry.key is not None}
    return any((entry.owner, entry.key) in asked for earlier in items for entry in earlier.entries)
