"""How far sessions were that are over: whoever comes too late to resume one can still be told (Resumption)."""

from typing import TYPE_CHECKING, Final, NamedTuple

from ...protocol.jid import Jid
from ..clock import Clock

if TYPE_CHECKING:
    from ..gate import Gate
    from .managed import Managed

KEPT_FOR: Final = 600.0  # seconds
MOST: Final = 10_000


class _Past(NamedTuple):
    """A session that is over; what it had begun may be settled only now."""

    account: Jid
    gate: "Gate"
    base: int
    until: float


class Memory:
    """The sessions that were not ended by their clients, for ten minutes, and no more than ten thousand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._past: dict[str, _Past] = {}

    def __len__(self) -> int:
        return len(self._past)

    def keep(self, managed: "Managed") -> None:
        """Remember a session that is over."""
        if managed.id is None:
            return
        now = self._clock.seconds()
        self._forget_old(now)
        self._past[managed.id] = _Past(managed.session.account, managed.session.gate, managed.base, now + KEPT_FOR)

    def handled(self, account: Jid, id: str) -> int | None:
        """Return how many stanzas were handled in a session of an account; None if that is not known (any more)."""
        self._forget_old(self._clock.seconds())
        past = self._past.get(id)
        if past is None or past.account != account:
            return None
        return max(0, past.gate.settled - past.base)

    def _forget_old(self, now: float) -> None:
        past = self._past
        while past:
            oldest = next(iter(past))
            if len(past) < MOST and past[oldest].until > now:
                return
            del past[oldest]
