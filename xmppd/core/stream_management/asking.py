"""When clients are asked for acknowledgements that a busy stream would have asked for by itself.

One clock call a second serves all streams, and none if nothing is due: a stream is asked at most once a second, however
many stanzas it gets one by one. Who does not answer for long is not there any more.
"""

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from ..clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from .managed import Managed

TICK: Final = 1.0  # seconds


class Asker:
    """The streams that are to be asked, and those that were.

    :param patience: returns for how many seconds an answer may be missing.
    :param lost: is told of a session whose client did not answer.
    """

    def __init__(self, clock: Clock, patience: "Callable[[], float]", lost: "Callable[[Managed], None]") -> None:
        self._clock = clock
        self._patience = patience
        self._lost = lost
        self._due: list[Managed] = []
        self._asked: deque[tuple[float, Managed]] = deque()
        self._call: Any = None

    def later(self, managed: "Managed") -> None:
        """Ask at the next tick."""
        self._due.append(managed)
        self._run()

    def asked(self, managed: "Managed") -> None:
        """Wait for an answer."""
        managed.asked_at = now = self._clock.seconds()
        self._asked.append((now, managed))
        self._run()

    def stop(self) -> None:
        """Ask nobody any more."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self._due.clear()
        self._asked.clear()

    def _run(self) -> None:
        if self._call is None:
            self._call = self._clock.callLater(TICK, self._tick)

    def _tick(self) -> None:
        self._call = None
        due, self._due = self._due, []
        for managed in due:
            managed.ask()
        now, asked = self._clock.seconds(), self._asked
        while asked and (asked[0][0] + self._patience() <= now or not self._waits(*asked[0])):
            when, managed = asked.popleft()
            if self._waits(when, managed) and not self._heard_since(when, managed):
                self._lost(managed)
        if asked:
            self._run()

    def _waits(self, when: float, managed: "Managed") -> bool:
        """Whether that request still waits for its answer."""
        return managed.asked_at == when and managed.outgoing.is_asked and managed.hibernation is None

    def _heard_since(self, when: float, managed: "Managed") -> bool:
        """Whether anything came behind it: then somebody is there, and busy."""
        return managed.driver.last_heard > when
