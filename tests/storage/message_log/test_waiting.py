"""What waits for a shard is bounded, in order, and cut into batches."""

from collections.abc import Callable
from typing import Any

import pytest

from xmppd.storage.message_log.batch import Item
from xmppd.storage.message_log.waiting import Bounds, Waiting

from .logs import received, sent

KEY = bytes(16)
BOUNDS = Bounds(batch=4, batch_bytes=1000, rows=12, bytes=4000)


class Subject(Waiting):
    """Items that wait.

    :ivar calls: what the loop was asked for.
    """

    def __init__(self) -> None:
        self.calls: list[Callable[..., Any]] = []
        super().__init__(BOUNDS, self.calls.append)

    def fill(self, count: int, body: str = "hark", since: float = 0.0) -> None:
        """Add so many rows, each an item."""
        for _ in range(count):
            self.add(Item([received(body)], None, since))

    def batches(self) -> list[int]:
        """Return the items of each batch until nothing waits."""
        found = []
        while self:
            found.append(len(self.take_batch()))
        return found


@pytest.fixture
def waiting() -> Subject:
    return Subject()


class TestBatches:
    """What goes together."""

    def test_rows(self, waiting: Subject) -> None:
        """No more than a batch takes."""
        waiting.fill(10)
        assert waiting.batches() == [4, 4, 2]
        assert waiting.rows == 0

    def test_bytes(self, waiting: Subject) -> None:
        """Nor more bytes; a single large item goes alone."""
        waiting.fill(2)
        waiting.fill(1, "x" * 900)
        waiting.fill(1, "x" * 2000)
        waiting.fill(1)
        assert waiting.batches() == [2, 1, 1, 1]

    def test_items_are_not_cut(self, waiting: Subject) -> None:
        """Entries of one item stay together."""
        for _ in range(2):
            waiting.add(Item([received(), sent(), sent()], None, 0.0))
        assert waiting.batches() == [1, 1]

    @pytest.mark.parametrize(
        ("second", "batches"),
        (
            (received(key=KEY, since=1), [1, 1]),
            (received(key=KEY), [2]),
            (sent(key=KEY, since=1), [2]),
            (received(since=1), [2]),
        ),
    )
    def test_repetitions(self, waiting: Subject, second: Any, batches: list[int]) -> None:
        """What asks for repetitions of a row in the batch waits for the next one, which finds it."""
        waiting.add(Item([received(key=KEY)], None, 0.0))
        waiting.add(Item([second], None, 0.0))
        assert batches == waiting.batches()

    def test_late(self, waiting: Subject) -> None:
        """Those that were queued before a time."""
        waiting.fill(2, since=1.0)
        waiting.fill(3, since=2.0)
        assert len(waiting.take_late(1.0)) == 2
        assert waiting.take_late(1.5) == []
        assert len(waiting.take_all()) == 3
        assert waiting.take_batch() == []


class TestBounds:
    """How much may wait."""

    def test_rows(self, waiting: Subject) -> None:
        """So many rows; an item without any needs no room."""
        waiting.fill(11)
        assert waiting.admits(Item([received()], None, 0.0))
        assert not waiting.admits(Item([received(), sent()], None, 0.0))
        waiting.fill(1)
        assert waiting.admits(Item([], None, 0.0))

    def test_bytes(self, waiting: Subject) -> None:
        """So many bytes."""
        waiting.fill(4, "x" * 900)
        assert not waiting.admits(Item([received("x" * 900)], None, 0.0))
        assert waiting.admits(Item([received()], None, 0.0))

    def test_room(self, waiting: Subject) -> None:
        """Who writes much waits until less than half of it is left."""
        waiting.fill(6)
        assert waiting.room() is None
        waiting.fill(4)
        rooms = [waiting.room(), waiting.room()]
        waiting.take_batch()
        for call in waiting.calls:
            call()
        assert all(room is not None and room.called for room in rooms)
        assert waiting.room() is None

    def test_no_room_yet(self, waiting: Subject) -> None:
        """Before that nobody is called."""
        waiting.fill(12)
        room = waiting.room()
        waiting.take_batch()
        assert waiting.calls == []
        assert room is not None
        assert not room.called
