"""A log that keeps nothing, for a node that has none."""

from collections.abc import Iterable, Sequence

from ..protocol.jid import Jid
from .message_log import Done, Entry, MessageLog, Position, Query, Row


class NoLog(MessageLog):
    """Nothing is kept, and nothing was."""

    def __init__(self) -> None:
        self._last = 1 << 50

    def together(self, one: Jid, other: Jid) -> bool:
        """Yes."""
        return True

    def append(self, entries: Sequence[Entry], done: Done) -> None:
        """Number the rows, and forget them."""
        for entry in entries:
            self._last += 1
            entry.previous, entry.id = self._last - 1, self._last
        done(None)

    async def position(self, owner: Jid) -> Position:
        """Nothing."""
        return Position()

    def delivered(self, owner: Jid, upto: int, open: Iterable[int], purge: Sequence[int] = ()) -> None:
        """Nothing."""

    async def flush(self) -> None:
        """Nothing."""

    async def waiting(self, owner: Jid, after: int, open: Iterable[int], limit: int) -> list[Row]:
        """Nothing."""
        return []

    async def count_waiting(self, owner: Jid) -> int:
        """Nothing."""
        return 0

    async def page(self, query: Query) -> list[Row]:
        """Nothing."""
        return []

    async def count(self, query: Query) -> int:
        """Nothing."""
        return 0

    async def ends(self, owner: Jid) -> tuple[int, int] | None:
        """Nothing."""
        return None

    async def missing(self, owner: Jid, ids: Sequence[int]) -> set[int]:
        """All."""
        return set(ids)

    async def heads(self, owners: Sequence[Jid]) -> dict[Jid, int]:
        """Nothing."""
        return {}

    async def find(self, owner: Jid, peer: Jid, origin_id: str, since: int = 0) -> list[Row]:
        """Nothing."""
        return []

    async def trace(self, origin_id: str, since: int) -> list[tuple[str, Row]]:
        """Nothing."""
        return []

    async def replace(self, owner: Jid, id: int, stanza: bytes, flags: int) -> bool:
        """Nothing."""
        return False

    async def purge(self, owner: Jid, before: int | None = None) -> int:
        """Nothing."""
        return 0

    async def forget(self, owner: Jid) -> None:
        """Nothing."""
