"""Sessions as rows: what a node that dies would have told, the node that comes after it tells (RFC 6121, 4.5.3).

A row follows what its session shows of itself: it is written when the session has been there for a second, at most once
a second, and removed when the session is over. Nobody waits for it. What a crash leaves behind is read when the node
starts again: those sessions end then, for contacts, rooms and everybody else, as if they had ended in good order.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar, Final

from xmppd.config.server import Config
from xmppd.core.clock import Clock
from xmppd.core.drive import drive_alone
from xmppd.core.events import OutboundPresence, SessionBound, SessionEnded
from xmppd.core.fault_log import FaultLog
from xmppd.core.hooks import Hooks, Phase, notice, on
from xmppd.core.log import Log
from xmppd.core.metrics import Metrics, counter
from xmppd.core.module import Module
from xmppd.core.session import Session
from xmppd.core.session_rows import MOST_DIRECTED, SessionRow, SessionRows
from xmppd.core.sessions import Sessions
from xmppd.modules.presence.api import ResourceAvailable, ResourceUnavailable
from xmppd.protocol.errors import StreamError
from xmppd.protocol.jid import Jid
from xmppd.protocol.written import read_written

DELAY: Final = 1.0  # seconds
RETRY: Final = 10.0  # seconds until what could not be written is tried again
TOGETHER: Final = 200  # rows
CRASHED: Final = "the server was not stopped in good order"

log = Log("session_rows")


class SessionRowMetrics(Metrics):
    """What was written of sessions."""

    written: int = counter("Rows of sessions written.")
    removed: int = counter("Rows of sessions removed.")
    left: int = counter("Sessions that an earlier process of this node has left behind.")


class Known:
    """What is known of one session.

    :ivar generation: its generation.
    :ivar bound_at: when it began.
    :ivar is_written: whether it may have a row.
    :ivar is_over: whether it has ended.
    """

    __slots__ = ("bound_at", "generation", "is_over", "is_written")

    def __init__(self, generation: int, bound_at: float) -> None:
        self.generation = generation
        self.bound_at = bound_at
        self.is_written = False
        self.is_over = False


@dataclass(slots=True)
class SessionRowsModule(Module):
    """Keeps what sessions have shown of themselves."""

    name: ClassVar = "session_rows"

    clock: Clock
    hooks: Hooks
    metrics: SessionRowMetrics
    rows: SessionRows
    server: Config
    sessions: Sessions
    _known: dict[Session, Known] = field(default_factory=dict, init=False)
    _changed: dict[Session, None] = field(default_factory=dict, init=False)
    _first: int = field(default=0, init=False)
    _last: int = field(default=0, init=False)
    _call: Any = field(default=None, init=False)
    _is_writing: bool = field(default=False, init=False)
    _has_looked: bool = field(default=False, init=False)
    _faults: FaultLog = field(init=False)

    def __post_init__(self) -> None:
        self._faults = FaultLog(log, self.clock)

    @property
    def _node(self) -> str:
        return self.server.server.node

    async def start(self) -> None:
        """Find where generations go on; what was left behind is seen to when everybody is there who must know."""
        highest = await self.rows.highest(self._node)
        self._first = self._last = max(highest + 1, int(self.clock.seconds() * 1_000_000))
        self._run(DELAY)

    async def stop(self) -> None:
        """Remove the rows of all sessions: nobody follows them any more."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        for session in list(self._known):
            self._end(session)
        await self._write()

    # What happens to sessions

    @notice(SessionBound)
    async def begin(self, event: SessionBound) -> None:
        """Give a session its generation."""
        self._begin(event.session)

    def _begin(self, session: Session) -> None:
        self._last += 1
        self._known[session] = Known(self._last, self.clock.seconds())
        self._change(session)

    @notice(ResourceAvailable)
    async def follow(self, event: ResourceAvailable) -> None:
        """Keep what its contacts see."""
        self._change(event.session)

    @notice(ResourceUnavailable)
    async def follow_leaving(self, event: ResourceUnavailable) -> None:
        """Keep that they see nothing any more."""
        self._change(event.session)

    @on(OutboundPresence, Phase.RECORD)
    async def follow_directed(self, event: OutboundPresence) -> None:
        """Keep whom it shows itself to."""
        if event.stanza.to is not None:
            self._change(event.sender)

    @notice(SessionEnded)
    async def end(self, event: SessionEnded) -> None:
        """Forget it; one that was not written yet never is."""
        self._end(event.session)

    def _end(self, session: Session) -> None:
        known = self._known.get(session)
        if known is None:
            return
        known.is_over = True
        if known.is_written:
            self._change(session)
        else:
            self._changed.pop(session, None)
            del self._known[session]

    # Writing

    def _change(self, session: Session) -> None:
        if session in self._known:
            self._changed[session] = None
            if self._call is None and not self._is_writing:
                self._run(DELAY)

    def _run(self, delay: float) -> None:
        self._call = self.clock.callLater(delay, self._tick)

    def _tick(self) -> None:
        self._call = None
        drive_alone(self._see_to_all(), lambda error: log.failure("rows of sessions were not written", error))

    async def _see_to_all(self) -> None:
        if not self._has_looked:
            for session in self.sessions:  # those that were there before this module
                if session not in self._known:
                    self._begin(session)
        self._is_writing = True
        try:
            is_done = await self._write()
            is_done = await self._look_once() and is_done
        finally:
            self._is_writing = False
        if not is_done:
            self._run(RETRY)
        elif self._changed:
            self._run(DELAY)

    async def _write(self) -> bool:
        """Write what has changed; return False if some of it has to be tried again."""
        changed, self._changed = self._changed, {}
        left = iter(changed)
        is_done = True
        while chunk := list(islice(left, TOGETHER)):
            some = [(session, self._known[session]) for session in chunk if session in self._known]
            is_done = await self._put([item for item in some if not item[1].is_over]) and is_done
            is_done = await self._remove([item for item in some if item[1].is_over]) and is_done
        return is_done

    async def _put(self, some: Sequence[tuple[Session, Known]]) -> bool:
        for _, known in some:
            known.is_written = True
        if not await self._is_taken(self.rows.put, [self._row(session, known) for session, known in some]):
            self._changed.update({session: None for session, _ in some})
            return False
        self.metrics.written += len(some)
        return True

    async def _remove(self, some: Sequence[tuple[Session, Known]]) -> bool:
        if not await self._is_taken(self.rows.remove, [(session.jid, known.generation) for session, known in some]):
            self._changed.update({session: None for session, _ in some})
            return False
        self.metrics.removed += len(some)
        for session, _ in some:
            del self._known[session]
        return True

    async def _is_taken(self, write: Callable[[Any], Awaitable[None]], what: Sequence[Any]) -> bool:
        try:
            if what:
                await write(what)
        except Exception as error:
            self._faults.tell("session_rows", "sessions", error)
            return False
        return True

    def _row(self, session: Session, known: Known) -> SessionRow:
        presence = None if session.presence is None else session.presence.to_bytes()
        directed = tuple(islice(session.directed or (), MOST_DIRECTED))
        return SessionRow(session.jid, self._node, known.generation, known.bound_at, presence, directed)

    # What a crash has left behind

    async def _look_once(self) -> bool:
        """End the sessions that an earlier process has left, once; return False if that has to be tried again."""
        if self._has_looked:
            return True
        try:
            await self._look()
        except Exception as error:
            self._faults.tell("session_rows", "what was left behind", error)
            return False
        self._has_looked = True
        return True

    async def _look(self) -> None:
        after: Jid | None = None
        while found := await self.rows.page(self._node, self._first, after, TOGETHER):
            await self._end_left(found)
            after = found[-1].jid
        if self.metrics.left:
            log.info("{count} sessions that a crash had left behind are ended", count=self.metrics.left)

    async def _end_left(self, rows: Sequence[SessionRow]) -> None:
        """Let everybody know that sessions are over, then forget them: if we die meanwhile, they hear it again."""
        for row in rows:
            if row.presence is not None or row.directed:
                await self.hooks.notify(SessionEnded(restored(row), CRASHED))
        await self.rows.remove([(row.jid, row.generation) for row in rows])
        self.metrics.left += len(rows)


class Nowhere:
    """The wire of a session whose process is gone."""

    peer_address: Final = ""
    secure: Final = False
    connected_at: Final = 0.0
    last_heard: Final = 0.0
    is_connected: Final = False
    acknowledges: Final = False

    def write_stanza(self, data: bytes, row: int = 0) -> bool:
        """Take nothing."""
        return False

    def unacknowledged(self) -> Collection[int]:
        """Return nothing: what was not acknowledged waits in the log."""
        return ()

    def room(self) -> None:
        """Let nobody wait."""

    def close(self, error: StreamError | None = None) -> None:
        """Do nothing: it is closed."""


def restored(row: SessionRow) -> Session:
    """Return a session as it was, as far as others knew it; it is in no registry, and takes nothing."""
    session = Session(row.jid, Nowhere())
    session.presence = None if row.presence is None else read_written(row.presence)
    session.directed = set(row.directed) if row.directed else None
    return session
