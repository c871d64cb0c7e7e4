"""The readers of an account's log on this node: what is delivered, who still has to read, what must be read again.

An `Inbox` exists for an account while it has sessions here that read. It knows everything up to a row (`upto`): what of
it is not delivered is in `open`. A session that becomes reachable first reads what waits and whatever has come since
then, page by page, and buffers nothing; when there is nothing left that it has not seen it goes *live*: from then on
each row is handed to it when it is committed. A row that does not follow on what is known (`previous` is another one)
makes the live sessions read again from there: the log is the truth, what is told is a hint. While the log cannot be
read who has to read it waits, and is not live.

A row is delivered when a resource acknowledged it (XEP-0198), or when it was written to a session without that. How far
an account is, is written every second (`MessageLog.delivered`); a crash may repeat a message, with the same id.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from twisted.internet.defer import Deferred

from ..protocol.jid import Jid
from ..protocol.stanza_id import appended, delay_bytes, stanza_id_bytes
from .clock import Clock
from .drive import drive_alone
from .fault_log import FaultLog
from .message_log import ARCHIVE, RECEIVED, WAIT, Entry, MessageLog, Position, Row, StorageUnavailable, time_of
from .one_inbox import Inbox
from .session import Session
from .sessions import Sessions

PAGE: Final = 50
"""Rows that are read at once."""

WRITTEN_AFTER: Final = 1.0
"""Seconds until what was delivered is written."""

RETRY: Final = 5.0
"""Seconds until a log that could not be read is read again."""

SWEEP: Final = 30.0
"""Seconds between two looks whether the logs have rows that nobody told of."""

NEVER: Final = (1 << 63) - 1
"""An id above all others."""


class Inboxes:
    """The inboxes of all accounts that have sessions here."""

    def __init__(self, log: MessageLog, sessions: Sessions, clock: Clock, faults: FaultLog) -> None:
        self._log = log
        self._sessions = sessions
        self._clock = clock
        self._faults = faults
        self._inboxes: dict[str, Inbox] = {}
        self._changed: dict[str, Inbox] = {}
        self._sweeping = False

    def __len__(self) -> int:
        return len(self._inboxes)

    def waiting(self) -> int:
        """Return how many rows are known to wait for their delivery."""
        return sum([len(inbox.open) for inbox in self._inboxes.values()])

    # What is committed

    def note(self, entry: Entry) -> None:
        """Take note of a row that was committed; what reads its owner's log here must see it."""
        inbox = self._inboxes.get(entry.owner)
        if inbox is None or entry.is_repeated:
            return
        id = entry.id
        if id <= inbox.upto:
            return  # it was read before this was told
        if id > inbox.newest:
            inbox.newest = id
        if inbox.loading is None and entry.previous <= inbox.upto:
            inbox.upto = id
            if entry.direction == RECEIVED and entry.flags & WAIT:
                inbox.add(id, entry.flags)
            if entry.owner not in self._changed:
                self._change(inbox)
        else:
            self._fill(inbox)

    def delivered(self, account: Jid, id: int) -> None:
        """Take note that a resource has a row."""
        inbox = self._inboxes.get(account)
        if inbox is None:
            inbox = self._open(account)
        inbox.close(id)
        if account not in self._changed:
            self._change(inbox)

    def is_open(self, account: Jid, id: int) -> bool:
        """Whether a row is known not to be delivered yet."""
        inbox = self._inboxes.get(account)
        return inbox is not None and id in inbox.open

    # Who reads

    async def read(self, session: Session) -> None:
        """Let a session that became reachable read what waits, and then go live.

        Returns when it has, or does not want to any more; at once if it reads already. While the log cannot be read it
        is tried again and again: what can be committed then it will find there.
        """
        if session.is_catching_up:
            return
        session.is_catching_up = True
        inbox = self._inboxes.get(session.account) or self._open(session.account)
        try:
            position = inbox.upto
            if inbox.loading is not None:
                position = await _shared(inbox.loading)  # others who waited for it may have read on since
            if self._is_read(inbox):
                await self._catch_up(session, inbox, position)
        finally:
            session.is_catching_up = False

    def ended(self, session: Session) -> None:
        """Take note that a session is over: others get what it has not acknowledged, or was yet to read."""
        account = session.account
        inbox = self._inboxes.get(account)
        if inbox is None:
            return
        if not self._sessions.of(account):
            self._write(inbox)
            self._changed.pop(account, None)
            del self._inboxes[account]
        elif inbox.open and self._live(account):
            self.deliver_again(account, inbox.open - self._in_flight(account))

    def deliver_again(self, account: Jid, ids: Iterable[int]) -> None:
        """Let the live sessions of an account have rows again that are not delivered; not those that have them."""
        inbox = self._inboxes.get(account)
        left = [] if inbox is None else [id for id in ids if id in inbox.open]
        if inbox is not None and left and self._live(account):
            drive_alone(self._hand_again(inbox, left), self._failed)

    async def _hand_again(self, inbox: Inbox, ids: list[int]) -> None:
        for some in _chunks(sorted(ids)):
            left = [row for row in await self._find(inbox, some) if row.id in inbox.open]
            for session in self._live(inbox.account):
                await self._hand(session, inbox, left)

    def _pause(self) -> "Deferred[None]":
        over: Deferred[None] = Deferred()
        self._clock.callLater(RETRY, over.callback, None)
        return over

    def _live(self, account: Jid) -> list[Session]:
        return [
            session
            for session in self._sessions.of(account)
            if session.presence is not None and session.priority >= 0 and not session.is_catching_up
        ]

    def _is_reachable(self, session: Session) -> bool:
        return session.presence is not None and session.priority >= 0 and session in self._sessions.of(session.account)

    # Reading

    def _open(self, account: Jid) -> Inbox:
        """Begin to read an account's log; how far it is will be known later."""
        inbox = self._inboxes[account] = Inbox(account)
        inbox.loading = Deferred()
        drive_alone(self._load(inbox), self._failed)
        return inbox

    async def _load(self, inbox: Inbox) -> None:
        loading = inbox.loading
        assert loading is not None, "an inbox is loaded once"
        try:
            while (position := await self._try_to_ask(inbox)) is None:
                await self._pause()
            inbox.upto = position.delivered
            inbox.open |= position.open
            inbox.newest = max(inbox.newest, position.last)
            inbox.open -= inbox.ahead  # delivered while we asked
            inbox.ahead = {id for id in inbox.ahead if id > inbox.upto}
        except Exception:
            if self._inboxes.get(inbox.account) is inbox:
                del self._inboxes[inbox.account]
            raise
        finally:
            inbox.loading = None
            loading.callback(inbox.upto)
        if inbox.upto < inbox.newest:
            self._fill(inbox)

    async def _try_to_ask(self, inbox: Inbox) -> Position | None:
        """Return how far an account is, anything if nobody reads it any more; None if the log cannot be read."""
        if not self._is_read(inbox):
            return Position()
        try:
            return await self._log.position(inbox.account)
        except StorageUnavailable as error:
            self._failed(error)
            return None

    async def _waiting(self, inbox: Inbox, after: int, ids: Iterable[int]) -> list[Row] | None:
        """Return a page of rows; while the log cannot be read, try again. None once nobody reads the account."""
        while self._is_read(inbox):
            try:
                return await self._log.waiting(inbox.account, after, ids, PAGE)
            except StorageUnavailable as error:
                self._failed(error)
                await self._pause()
        return None

    def _is_read(self, inbox: Inbox) -> bool:
        """Whether an inbox is still the account's: there are sessions."""
        return self._inboxes.get(inbox.account) is inbox

    async def _catch_up(self, session: Session, inbox: Inbox, position: int) -> None:
        """Hand over what waits, page by page, until there is nothing above `position` that the session has not seen."""
        while True:
            left = {id for id in inbox.open if id <= position} - self._in_flight(inbox.account) - _had(session)
            if left:  # at first what waits, later what another session has left
                rows = await self._find(inbox, sorted(left)[:PAGE])
            elif position < inbox.newest:
                position, rows = await self._read_on(inbox, position)
            else:
                session.position = position
                return
            if not self._is_read(inbox) or not await self._hand(session, inbox, rows):
                return

    async def _read_on(self, inbox: Inbox, after: int) -> tuple[int, list[Row]]:
        """Return the next page of what waits, and up to where all is known with it."""
        newest = inbox.newest
        rows = await self._waiting(inbox, after, ())
        if rows is None:
            return after, []
        upto = rows[-1].id if len(rows) == PAGE else max(newest, rows[-1].id if rows else 0)
        return upto, self._know(inbox, rows, upto)

    async def _find(self, inbox: Inbox, ids: Sequence[int]) -> list[Row]:
        """Return rows that are not delivered, at most a page; those that are not there any more wait no longer."""
        rows = await self._waiting(inbox, NEVER, ids)
        if rows is None:
            return []
        inbox.transient.update([row.id for row in rows if not row.flags & ARCHIVE and row.id in inbox.open])
        gone = inbox.open.intersection(ids).difference([row.id for row in rows])
        if gone:
            inbox.open -= gone
            self._change(inbox)
        return rows

    def _know(self, inbox: Inbox, rows: Sequence[Row], upto: int) -> list[Row]:
        """Take note that everything up to a row was read; return what was not delivered ahead of that."""
        left = [row for row in rows if row.id not in inbox.ahead]
        for row in rows:
            if row.id > inbox.upto:
                inbox.add(row.id, row.flags)
        if upto > inbox.upto:
            inbox.upto = upto
            inbox.newest = max(inbox.newest, upto)
            self._change(inbox)
        return left

    def _in_flight(self, account: Jid) -> set[int]:
        """Return what sessions that are connected have, and have yet to acknowledge."""
        return {id for session in self._sessions.of(account) if session.wire.is_connected for id in _had(session)}

    async def _hand(self, session: Session, inbox: Inbox, rows: Sequence[Row]) -> bool:
        """Write rows to a session, no faster than it reads; return whether it is still there and wants them."""
        account, had = inbox.account, _had(session)
        for row in rows:
            if row.id in had:
                continue
            if not self._is_reachable(session):
                return False
            if row.id <= session.fetches_upto and row.flags & ARCHIVE:
                self.delivered(account, row.id)
                continue
            wire = session.wire
            if not wire.write_stanza(late(account, row), row.id):
                return False
            if not wire.acknowledges:
                self.delivered(account, row.id)
            while (room := session.wire.room()) is not None:
                await room
        return True

    def _fill(self, inbox: Inbox) -> None:
        """Let the live sessions read what nobody told of; if there are none, learn what waits for others."""
        if inbox.loading is not None:
            return
        for session in self._live(inbox.account):
            drive_alone(self.read(session), self._failed)
        if not inbox.is_learning and not any(other.is_catching_up for other in self._sessions.of(inbox.account)):
            drive_alone(self._learn(inbox), self._failed)

    async def _learn(self, inbox: Inbox) -> None:
        """Find out what waits, for an account none of whose sessions wants it: what others get counts from there on."""
        inbox.is_learning = True
        try:
            while inbox.upto < inbox.newest and self._is_read(inbox):
                await self._read_on(inbox, inbox.upto)
        finally:
            inbox.is_learning = False

    def _failed(self, error: BaseException) -> None:
        assert isinstance(error, Exception), "whatever else is raised ends the process"
        self._faults.tell("inbox", "reading", error)

    # Writing

    def _change(self, inbox: Inbox) -> None:
        if not self._changed:
            self._clock.callLater(WRITTEN_AFTER, self.write)
        self._changed[inbox.account] = inbox

    def write(self) -> None:
        """Have the log take down how far all accounts are."""
        changed, self._changed = self._changed, {}
        for inbox in changed.values():
            self._write(inbox)

    def _write(self, inbox: Inbox) -> None:
        if inbox.loading is None:
            gone, inbox.gone = inbox.gone, []
            self._log.delivered(inbox.account, inbox.upto, frozenset(inbox.open), gone)

    # Looking after

    def start(self) -> None:
        """Begin to look every now and then whether anything was missed."""
        self._sweeping = True
        self._clock.callLater(SWEEP, self._sweep)

    def stop(self) -> None:
        """Look no more; write how far all accounts are."""
        self._sweeping = False
        self.write()

    def _sweep(self) -> None:
        if self._sweeping:
            self._clock.callLater(SWEEP, self._sweep)
            drive_alone(self.sweep(), self._failed)

    async def sweep(self) -> None:
        """Compare the last row of each log that is read here with what is known of it."""
        inboxes = [inbox for inbox in self._inboxes.values() if inbox.loading is None]
        if not inboxes:
            return
        heads = await self._log.heads([inbox.account for inbox in inboxes])
        for inbox in inboxes:
            last = heads.get(inbox.account, 0)
            if last > inbox.newest:
                inbox.newest = last
                self._fill(inbox)


def late(account: Jid, row: Row) -> bytes:
    """Return a row as it is delivered late: with its id, and since when it has waited (XEP-0160, XEP-0203)."""
    host = account.domainpart
    return appended(row.stanza, stanza_id_bytes(account, row.id), delay_bytes(host, time_of(row.id)))


def _shared(result: "Deferred[int]") -> "Deferred[int]":
    """Return what fires with the same result, for one of many who wait for it."""
    mine: Deferred[int] = Deferred()

    def tell(value: int) -> int:
        mine.callback(value)
        return value

    result.addCallback(tell)
    return mine


def _had(session: Session) -> set[int]:
    """Return the rows that a session has, or will have, without having acknowledged them."""
    held = () if session.valve is None else session.valve.rows()
    return {*session.wire.unacknowledged(), *held}


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]
