"""Which messages may be repetitions of earlier ones, and where the earlier ones would be (architecture section 4).

A client that loses its connection sends again what was not acknowledged, soon after it is back. Looking for an earlier
row of the same key costs something with each message. So it is done only where there can be one: in the first minutes
of a connection whose account had another session, here, that sent messages shortly before it ended; or, after a start
of the node, for anybody, as nobody knows who was connected before. Then the first message to each address waits until
the keys of what was sent to it in that time are read; only what has one of them is looked for when it is appended.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from ..protocol.jid import Jid
from .clock import Clock
from .message_log import MessageLog, StorageUnavailable, id_at, time_of
from .session import Session, SessionKey

BEGINNING: Final = 120.0
"""Seconds from the start of a connection in which its client repeats what it sent before."""

UNACKNOWLEDGED: Final = 300.0
"""Seconds before the end of a session in which it sent what its client may not have heard of any more."""

LATE: Final = 60.0
"""Seconds behind the end of a session in which what it sent may still be committed."""

REMEMBERED: Final = 50_000
"""Accounts of which the ends of sessions are known; the oldest are forgotten."""


MOST_KEYS: Final = 2000
"""Messages to one address among which repetitions are looked for; no client has more under way."""

UNKNOWN_DOWNTIME: Final = 3600.0
"""Seconds that are looked through where not even the log can tell when the last node went down."""


class Range(NamedTuple):
    """Ids among which an earlier row may be: `since` is the first, `before` the first behind the last."""

    since: int
    before: int


NOWHERE: Final = Range(0, 0)
KEYS: Final = SessionKey[dict[Jid, frozenset[bytes]] | None]("resent keys", None)
"""The keys of what was sent shortly before a session began, by the bare JID that it was sent to."""


class Resending:
    """The ends of sessions, as far as they matter.

    :ivar left: where the rows are that were committed before this node started, shortly before the last one was.
    """

    def __init__(self, log: MessageLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._ends: OrderedDict[str, Range] = OrderedDict()
        self.left = NOWHERE

    async def begin(self) -> None:
        """Find out when the last node was here; to be called when this one starts."""
        now = self._clock.seconds()
        try:
            newest = await self._log.newest()
        except StorageUnavailable:
            self.left = Range(id_at(now - UNKNOWN_DOWNTIME), id_at(now))
            return
        if newest:
            self.left = Range(id_at(time_of(newest) - UNACKNOWLEDGED), newest + 1)

    def ended(self, session: Session) -> None:
        """Take note of the end of a session, or of its connection."""
        now = self._clock.seconds()
        if now - session.gate.kept_at > UNACKNOWLEDGED:
            return
        before = self._ends.pop(session.account, NOWHERE)
        since = id_at(now - UNACKNOWLEDGED)
        is_young = now - session.wire.connected_at < BEGINNING  # it may have repeated what an earlier one had sent
        if before.before > since or (is_young and before.since):
            since = before.since
        self._ends[session.account] = Range(since, id_at(now + LATE))
        if len(self._ends) > REMEMBERED:
            self._ends.popitem(last=False)

    # What a session sends

    def must_learn(self, session: Session, peer: Jid) -> bool:
        """Whether `learn` has to be called before a session's message to a bare JID is appended."""
        if self._clock.seconds() - session.wire.connected_at > BEGINNING:
            return False
        known = session[KEYS]
        return (known is None or peer not in known) and self._range(session).before > 0

    async def learn(self, session: Session, owner: Jid, peer: Jid) -> None:
        """Read which messages to a bare JID may come again.

        :param owner: whose log has them: the addressee's, or the sender's own if that one has none here.
        """
        found = self._range(session)
        other = session.account if owner == peer else peer
        keys = await self._log.keys(owner, other, found.since, found.before, MOST_KEYS)
        known = session[KEYS]
        if known is None:
            known = session[KEYS] = {}
        known[peer] = frozenset(keys)

    def since(self, session: Session, peer: Jid, key: bytes | None) -> int:
        """Return from which id on an earlier row of a message is to be looked for; 0 if there is none."""
        known = session[KEYS]
        if known is None or key not in known.get(peer, ()):
            return 0
        if self._clock.seconds() - session.wire.connected_at > BEGINNING:
            session[KEYS] = None
            return 0
        return self._range(session).since

    def _range(self, session: Session) -> Range:
        """Return where an earlier row of a message may be that a session sends now."""
        known = self._ends.get(session.account)
        if known is None:
            return self.left
        left = self.left
        return Range(min(known.since, left.since), known.before) if left.before > known.since else known
