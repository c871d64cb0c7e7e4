"""An account store that can be made to wait, and to fail."""

from collections import deque
from typing import Any

from twisted.internet.defer import Deferred


class HeldAccounts:
    """Implements `xmppd.core.accounts.Accounts` over a real store; while it is held every call waits.

    :ivar waiting: the calls that wait, the oldest first.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self._is_held = False
        self.waiting: deque[Deferred[None]] = deque()

    def hold(self) -> None:
        """Let every call wait from now on."""
        self._is_held = True

    def release(self) -> None:
        """Let the calls go on, and later ones not wait."""
        self._is_held = False
        while self.waiting:
            self.waiting.popleft().callback(None)

    def fail(self, error: Exception) -> None:
        """Let the calls that wait fail, and later ones not wait."""
        self._is_held = False
        while self.waiting:
            self.waiting.popleft().errback(error)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def call(*args: Any, **options: Any) -> Any:
            if self._is_held:
                waiting: Deferred[None] = Deferred()
                self.waiting.append(waiting)
                await waiting
            return await method(*args, **options)

        return call
