"""Faults of handlers and answerers: what is logged of them, and what whoever asked is told.

What fails for one stanza fails for each of a flood, so the same fault is told once in a period, and then how often it
came. A database that is out of order is no fault of a handler's: it has one line, whoever needed it, and who asked may
ask again later.
"""

from typing import Final

from ..protocol.errors import InternalServerError, ResourceConstraint, StanzaError
from .clock import Clock
from .line_limit import LineLimit
from .log import Log
from .shards import StorageUnavailable

PERIOD: Final = 60.0
"""Seconds in which the same fault is told once."""

SORRY: Final = "what this needs cannot be reached at present; try again later"


class FaultLog:
    """Tells of faults.

    :param log: that of the area which calls the handlers.
    :param clock: None bounds nothing.
    """

    def __init__(self, log: Log, clock: Clock | None = None) -> None:
        self._log = log
        self._clock = clock
        self._limits: dict[tuple[str, ...], LineLimit] = {}

    def answer(self, handler: str, event: str, error: Exception) -> StanzaError:
        """Tell of a fault; return the error that a stanza is answered with for it."""
        self.tell(handler, event, error)
        return ResourceConstraint(SORRY) if isinstance(error, StorageUnavailable) else InternalServerError()

    def tell(self, handler: str, event: str, error: Exception) -> None:
        """Tell that a handler failed with `error`, unless that was told lately."""
        if isinstance(error, StorageUnavailable):
            left_out = self._admit("storage")
            if left_out is not None:
                text = "{handler} in {event} has no storage: {reason}{more}"
                self._log.warn(text, handler=handler, event=event, reason=str(error), more=_more(left_out))
            return
        left_out = self._admit(handler, event, type(error).__qualname__)
        if left_out is not None:
            text = "{handler} failed in {event}{more}"
            self._log.failure(text, error, handler=handler, event=event, more=_more(left_out))

    def _admit(self, *fault: str) -> int | None:
        """Return None if a fault is not to be told now, else how often it came since it was told."""
        if self._clock is None:
            return 0
        limit = self._limits.get(fault)
        if limit is None:
            limit = self._limits[fault] = LineLimit(self._clock, most=1, period=PERIOD)
        return limit.admit()


def _more(left_out: int) -> str:
    return f" ({left_out} times more before)" if left_out else ""
