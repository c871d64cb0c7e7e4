"""How often batches go while few messages come: what one commit costs is shared only if several messages wait for it.

While much comes nothing has to be done: what comes while a batch is in flight is the next one. At some hundred messages
a second a commit is over before the next message is there, so each pays for one of its own. Then batches begin no more
often than every `GAP`. Who comes after a longer pause waits for nothing; nor does anybody whose waiting brings no
company: a client that sends when it has heard of its last message, say.
"""

from typing import Final

GAP: Final = 0.005
"""Seconds between the beginnings of two small batches: a message waits for half of it, if others come."""

ENOUGH: Final = 64
"""Rows of a batch that is not small."""

IN_VAIN: Final = 2
"""Waits without company, one behind the other, until there are none for a while."""

FORGIVING: Final = 16
"""Batches until waiting is tried again."""


class Pace:
    """When the next batch may go.

    :param gap: seconds between the beginnings of two small batches; with 0 nothing ever waits.
    """

    __slots__ = ("_at_once", "_gap", "_in_vain", "_rows", "_since")

    def __init__(self, gap: float) -> None:
        self._gap = gap
        self._since = float("-inf")  # the last batch
        self._rows = 0  # of the last batch
        self._in_vain = 0
        self._at_once = 0  # batches that go without waiting

    def delay(self, now: float, rows: int) -> float:
        """Return for how many seconds so many rows should wait for others; not above 0 if they should go."""
        if self._at_once or rows >= ENOUGH or self._rows >= ENOUGH:
            return 0.0
        return self._gap + min(self._since - now, 0.0)  # what was queued elsewhere may be older

    def sent(self, now: float, rows: int, items: int, has_waited: bool) -> None:
        """Take note that a batch goes.

        :param has_waited: it was delayed.
        """
        self._since, self._rows = now, rows
        if not has_waited:
            self._at_once -= self._at_once > 0
        elif items > 1:
            self._in_vain = 0
        else:
            self._in_vain += 1
            if self._in_vain >= IN_VAIN:
                self._in_vain, self._at_once = 0, FORGIVING
