"""Lines of the log that strangers can cause: so many in a period, and then the number of those that were left out."""

from .clock import Clock


class LineLimit:
    """Bounds one kind of line.

    :param most: how many lines one period may have.
    :param period: in seconds.
    """

    __slots__ = ("_admitted", "_begun", "_clock", "_left_out", "_most", "_period")

    def __init__(self, clock: Clock, most: int = 100, period: float = 10.0) -> None:
        self._clock = clock
        self._most = most
        self._period = period
        self._begun = clock.seconds()
        self._admitted = 0
        self._left_out = 0

    def admit(self) -> int | None:
        """Return None if a line is to be left out, else how many were left out in front of it."""
        now = self._clock.seconds()
        if not 0 <= now - self._begun < self._period:
            self._begun, self._admitted = now, 0
        if self._admitted >= self._most:
            self._left_out += 1
            return None
        self._admitted += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
