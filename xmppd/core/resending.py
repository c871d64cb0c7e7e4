"""Which messages may be repetitions of earlier ones, and where the earlier ones would be (architecture section 4).

A client that loses its connection sends again what was not acknowledged, soon after it is back. Looking for earlier
rows of the same key costs something with each message. So it is done only where there can be any: in the first minutes
of a connection whose account had another session, here, that sent messages shortly before it ended; or, after a start
of the node, for anybody, as nobody knows who was connected before.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from .clock import Clock
from .message_log import id_at, time_of
from .session import Session

BEGINNING: Final = 120.0
"""Seconds from the start of a connection in which its client repeats what it sent before."""

UNACKNOWLEDGED: Final = 300.0
"""Seconds before the end of a session in which it sent what its client may not have heard of any more."""

LATE: Final = 60.0
"""Seconds behind the end of a session in which what it sent may still be committed."""

REMEMBERED: Final = 50_000
"""Accounts of which the ends of sessions are known; the oldest are forgotten."""


class Range(NamedTuple):
    """Ids among which an earlier row may be: `since` is the first, `before` the first behind the last."""

    since: int
    before: int


NOWHERE: Final = Range(0, 0)


class Resending:
    """The ends of sessions, as far as they matter.

    :ivar left: where the rows are that were committed before this node started, shortly before the last one was.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends: OrderedDict[str, Range] = OrderedDict()
        self.left = NOWHERE

    def begins(self, newest: int) -> None:
        """Take note that the node starts over logs whose newest row is `newest`; 0 if there is none."""
        if newest:
            self.left = Range(id_at(time_of(newest) - UNACKNOWLEDGED), newest + 1)

    def ended(self, session: Session) -> None:
        """Take note of the end of a session, or of its connection."""
        now = self._clock.seconds()
        if now - session.gate.kept_at > UNACKNOWLEDGED:
            return
        before = self._ends.pop(session.account, NOWHERE)
        since = id_at(now - UNACKNOWLEDGED)
        if before.before > since:
            since = before.since
        self._ends[session.account] = Range(since, id_at(now + LATE))
        if len(self._ends) > REMEMBERED:
            self._ends.popitem(last=False)

    def range(self, session: Session) -> Range:
        """Return where an earlier row of a message may be that a session sends now."""
        if self._clock.seconds() - session.wire.connected_at > BEGINNING:
            return NOWHERE
        known = self._ends.get(session.account)
        if known is None:
            return self.left
        left = self.left
        return Range(min(known.since, left.since), known.before) if left.before > known.since else known
