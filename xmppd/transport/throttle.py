"""A log line that an attacker can cause is written now and then, with the number of those left out."""

from ..core.clock import Clock


class Throttle:
    """Admits one line each `interval` seconds and counts the others."""

    __slots__ = ("_clock", "_interval", "_left_out", "_next")

    def __init__(self, clock: Clock, interval: float = 10.0) -> None:
        self._clock = clock
        self._interval = interval
        self._left_out = 0
        self._next: float | None = None

    def admit(self) -> int | None:
        """Return how many lines were left out since the last one, or None if this one is to be left out too."""
        now = self._clock.seconds()
        if self._next is not None and now < self._next:
            self._left_out += 1
            return None
        left_out, self._left_out = self._left_out, 0
        self._next = now + self._interval
        return left_out
