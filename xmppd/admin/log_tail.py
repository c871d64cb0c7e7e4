"""`log tail`: rows of the log as they are committed, without what people said."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

from ..core.commands import Row, argument, command
from ..core.seam import Seam
from ..protocol.jid import Jid
from .watch import covers

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from ..core.message_log import Entry

MOST_WAITING: Final = 1000
"""Rows kept for somebody who reads too slowly; what comes behind them is counted and dropped."""


class Direction(StrEnum):
    """Which way a message went, as the owner of its row sees it."""

    RECEIVED = "received"
    SENT = "sent"


DIRECTIONS: Final = tuple(Direction)
KINDS: Final = ("chat", "normal", "groupchat")


@dataclass(slots=True)
class Tail:
    """The rows that one watcher is shown.

    :ivar jid: a domain or an account that owns a row, or is the other party; None for everybody.
    """

    jid: Jid | None = None
    direction: Direction | None = None
    rows: deque[Row] = field(default_factory=deque)
    dropped: int = 0
    waiting: "Deferred[None] | None" = None

    def see(self, entry: "Entry") -> None:
        """Take a row that was committed."""
        if entry.is_repeated or not self._passes(entry):
            return
        if len(self.rows) >= MOST_WAITING:
            self.dropped += 1
            return
        self.rows.append(row_of(entry))
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(None)

    def _passes(self, entry: "Entry") -> bool:
        if self.direction is not None and DIRECTIONS[entry.direction] is not self.direction:
            return False
        return self.jid is None or covers(self.jid, entry.owner) or covers(self.jid, entry.peer)

    async def next(self) -> Row:
        """Return the next row, when there is one; or how many were lost since."""
        from twisted.internet.defer import Deferred

        if not self.rows and self.dropped:
            lost, self.dropped = self.dropped, 0
            return {"dropped": lost}
        if not self.rows:
            self.waiting = Deferred()
            await self.waiting
        return self.rows.popleft()


@dataclass(slots=True)
class LogTailCommands:
    """What this node commits to the log.

    :ivar commits: `Inboxes.note`, which hears of every row that is committed.
    """

    commits: Seam

    @command("log tail")
    async def tail(
        self,
        jid: Annotated[Jid | None, argument("Messages of or with this domain, account or address only")] = None,
        direction: Annotated[Direction | None, argument("What owners have received or sent only")] = None,
        count: Annotated[int | None, argument("End after so many")] = None,
    ) -> AsyncIterator[Row]:
        """Show messages of this node as they are stored, until interrupted; never what they say.

        One that is sent from one account here to another is stored for each of them.
        """
        tail = Tail(jid, direction)
        self.commits.open(tail.see)
        shown = 0
        try:
            while count is None or shown < count:
                yield await tail.next()
                shown += 1
        finally:
            self.commits.close(tail.see)


def row_of(entry: "Entry") -> Row:
    """Return what is shown of a row: its time, whose it is, with whom, which way, what kind, its id and its bytes."""
    from ..core.message_log import time_of

    return {
        "time": datetime.fromtimestamp(time_of(entry.id), UTC).strftime("%H:%M:%S.%f")[:-3],
        "owner": entry.owner,
        "direction": DIRECTIONS[entry.direction],
        "peer": entry.peer,
        "kind": KINDS[entry.kind],
        "id": str(entry.id),  # as the <stanza-id/> has it: no number that every reader of JSON can hold
        "size": len(entry.stanza),
    }
