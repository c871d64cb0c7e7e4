"""Turns: whoever changes what belongs to one owner waits for those who came before."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twisted.internet.defer import DeferredLock

from ..protocol.jid import Jid


class _Turn:
    """The lock of one owner, and how many hold it or wait for it."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = DeferredLock()
        self.users = 0


class Turns:
    """One queue for each owner; an owner whom nobody waits for costs nothing.

    Inside a turn nothing may wait for another owner's.
    """

    def __init__(self) -> None:
        self._turns: dict[Jid, _Turn] = {}

    def __contains__(self, owner: Jid) -> bool:
        """Whether somebody has the owner's turn, or waits for it."""
        return owner in self._turns

    @asynccontextmanager
    async def of(self, owner: Jid) -> AsyncIterator[None]:
        """Wait for the turn, and have it until the block ends."""
        turn = self._turns.get(owner)
        if turn is None:
            turn = self._turns[owner] = _Turn()
        turn.users += 1
        try:
            await turn.lock.acquire()
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[owner]
