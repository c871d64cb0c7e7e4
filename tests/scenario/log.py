"""A log that can be made to wait, and to fail."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from xmppd.core.message_log import Done, Entry


class HeldLog:
    """Implements `xmppd.core.message_log.MessageLog` over a real one; while it is held no commit is told of.

    :ivar held: what to call to tell of the commits, the oldest first.
    """

    def __init__(self, log: Any, soon: Callable[[Callable[[], None]], None]) -> None:
        self._log = log
        self._soon = soon
        self._is_held = False
        self._error: Exception | None = None
        self.held: deque[Callable[[], None]] = deque()

    def hold(self) -> None:
        """Let commits happen, and nobody know, from now on."""
        self._is_held = True

    def release(self, number: int | None = None) -> None:
        """Tell of the first so many commits, or of all, and of later ones at once."""
        if number is None:
            self._is_held = False
        for _ in range(len(self.held) if number is None else number):
            self.held.popleft()()

    def fail(self, error: Exception | None) -> None:
        """Let what is appended from now on fail with an error; None lets it succeed again."""
        self._error = error

    def append(self, entries: Sequence[Entry], done: Done) -> None:
        error = self._error
        if error is not None:
            self._soon(lambda: done(error))
            return

        def told(outcome: Exception | None) -> None:
            if self._is_held:
                self.held.append(lambda: done(outcome))
            else:
                done(outcome)

        self._log.append(entries, told)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)
