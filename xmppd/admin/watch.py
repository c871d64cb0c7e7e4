"""`watch`: stanzas as they pass, without what people say to each other unless it is asked for."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

from ..core.clock import Clock
from ..core.commands import Row, argument, command
from ..protocol.jid import Jid

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from ..core.hooks import Decision, Hooks
    from ..protocol.stanza import Stanza

MOST_WAITING: Final = 1000
"""Rows kept for a watcher that reads too slowly; what comes behind them is counted and dropped."""


class Kind(StrEnum):
    """The kinds of stanza (RFC 6120, 8)."""

    MESSAGE = "message"
    PRESENCE = "presence"
    IQ = "iq"


class Direction(StrEnum):
    """Which way a stanza goes, seen from the server."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a watcher wants to see; None and an empty text match everything.

    :ivar jid: a domain, an account or a full address that sends or is sent to.
    """

    jid: Jid | None = None
    kind: Kind | None = None
    direction: Direction | None = None

    def passes(self, stanza: "Stanza", direction: Direction, session: Jid) -> bool:
        """Say whether a stanza that a session sends or is sent is wanted."""
        if self.direction not in (None, direction) or self.kind not in (None, stanza.kind):
            return False
        return self.jid is None or any(covers(self.jid, jid) for jid in (stanza.from_, stanza.to, session) if jid)


def covers(wanted: Jid, jid: Jid) -> bool:
    """Say whether `jid` is what was wanted, or belongs to it: a resource to its account, an account to its domain."""
    return wanted in (jid, jid.bare, jid.domainpart)


class Taps:
    """Several watchers at the one tap that the hooks have, which costs nothing while nobody watches."""

    def __init__(self, hooks: "Hooks") -> None:
        self._hooks = hooks
        self._watchers: list[Callable[[Decision], None]] = []

    def open(self, watcher: "Callable[[Decision], None]") -> None:
        """Let `watcher` see every decision."""
        self._watchers.append(watcher)
        self._hooks.tap = self._pass_on

    def close(self, watcher: "Callable[[Decision], None]") -> None:
        """Show `watcher` nothing any more."""
        self._watchers.remove(watcher)
        if not self._watchers:
            self._hooks.tap = None

    def _pass_on(self, event: "Decision") -> None:
        for watcher in tuple(self._watchers):
            watcher(event)


@dataclass(slots=True)
class Watcher:
    """The rows of one watcher, from the tap to whoever reads them."""

    clock: Clock
    filter: Filter
    bodies: bool
    rows: deque[Row] = field(default_factory=deque)
    dropped: int = 0
    waiting: "Deferred[None] | None" = None

    def see(self, event: "Decision") -> None:
        """Take an event of the pipeline; only the two ends of a session's stream are shown."""
        from ..core.events import Delivering, StanzaReceived

        if isinstance(event, StanzaReceived):
            self._take(event.stanza, Direction.IN, event.session.jid)
        elif isinstance(event, Delivering):
            self._take(event.stanza, Direction.OUT, event.session.jid)

    def _take(self, stanza: "Stanza", direction: Direction, session: Jid) -> None:
        if not self.filter.passes(stanza, direction, session):
            return
        if len(self.rows) >= MOST_WAITING:
            self.dropped += 1
            return
        self.rows.append(row_of(stanza, direction, session, self.clock.seconds(), self.bodies))
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(None)

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
class WatchCommands:
    """Live stanzas of this node's clients."""

    taps: Taps
    clock: Clock

    @command("watch")
    async def watch(
        self,
        jid: Annotated[Jid | None, argument("Stanzas from or to this domain, account or address only")] = None,
        kind: Annotated[Kind | None, argument("Stanzas of this kind only")] = None,
        direction: Annotated[Direction | None, argument("What clients send (in) or are sent (out) only")] = None,
        bodies: Annotated[bool, argument("Show whole stanzas, with what people wrote")] = False,
    ) -> AsyncIterator[Row]:
        """Show stanzas as they pass, until interrupted.

        Only addresses and the names of the payloads are shown. With --bodies you read what people write to each other:
        make sure that you may. Passwords are never shown.
        """
        watcher = Watcher(self.clock, Filter(jid, kind, direction), bodies)
        self.taps.open(watcher.see)
        try:
            while True:
                yield await watcher.next()
        finally:
            self.taps.close(watcher.see)


def row_of(stanza: "Stanza", direction: Direction, session: Jid, now: float, bodies: bool) -> Row:
    """Return what is shown of a stanza."""
    from .hiding import without_secrets

    row: dict[str, object] = {
        "time": datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S.%f")[:-3],
        "direction": direction,
        "session": session,
        "kind": stanza.kind,
        "type": stanza.type,
        "id": stanza.id,
        "from": stanza.from_,
        "to": stanza.to,
    }
    if bodies:
        return {**row, "xml": without_secrets(stanza).to_bytes().decode("utf-8", "replace")}
    names = [element.local + (f" ({element.namespace})" if _is_telling(element.namespace) else "")
             for element in (*stanza.elements(), *stanza.added)]  # fmt: skip
    return {**row, "payloads": names}


def _is_telling(namespace: str) -> bool:
    return namespace not in ("", "jabber:client", "jabber:server")
