"""A message that is kept: stored, then delivered, then acknowledged (architecture section 4).

The recipient's row is committed first, in one statement with the sender's copy if both live on one shard; then the
message goes to the recipient's resources; then the sender's copy is committed, if it is not yet; then the stanza is
settled. Nobody waits meanwhile: the sender's `Gate` keeps what comes behind in order.
"""

from collections.abc import Awaitable, Callable, Coroutine
from hashlib import blake2b
from typing import Any, Final

from twisted.internet.defer import Deferred

from ..protocol.errors import StanzaError
from ..protocol.jid import Jid
from ..protocol.stanza import Stanza
from ..protocol.stanza_id import ORIGIN_ID, appended, stanza_id, stanza_id_bytes
from .clock import Clock
from .drive import drive_alone, waited
from .events import MessageSent
from .gate import Lane
from .hooks import Hooks, Pending
from .inbox import Inboxes
from .message_log import KINDS, RECEIVED, SENT, Entry, MessageLog
from .resending import Resending
from .session import Session

KEY_SIZE: Final = 16

Distribute = Callable[[Jid, Stanza, int], Pending]
Refuse = Callable[[Session | None, Stanza, StanzaError], Awaitable[None]]


class KeptMessage:
    """One message on its way through the log; a step in the lane of who sent it.

    :ivar account: the local account that it is for; None if it is for somebody else.
    :ivar session: the local session that sent it; None if somebody else did.
    :ivar received: the recipient's row; None if it has none.
    :ivar copy: the sender's row; None if there is none.
    :ivar number: what its gate calls it; 0 if there is no gate.
    """

    __slots__ = ("_way", "account", "copy", "error", "is_ready", "lane", "number", "received", "session", "stanza")

    def __init__(
        self,
        way: "KeptMessages",
        stanza: Stanza,
        account: Jid | None,
        session: Session | None,
        received: Entry | None,
        copy: Entry | None,
    ) -> None:
        self._way = way
        self.stanza = stanza
        self.account = account
        self.session = session
        self.received = received
        self.copy = copy
        self.error: Exception | None = None
        self.is_ready = False
        self.lane: Lane | None = None
        self.number = 0

    def committed(self, error: Exception | None) -> None:
        """Go on: the rows are there, or cannot be."""
        self.error = error
        self.is_ready = True
        self._way.noted(self)
        if self.lane is not None:
            self.lane.advance()
        else:
            self._way.alone(self._way.go_on, self)

    def run(self) -> Coroutine[Any, Any, None] | None:
        """Deliver it, and settle it when that is possible."""
        return self._way.go_on(self)

    def copied(self, error: Exception | None) -> None:
        """Settle: the sender's copy is there, or cannot be."""
        self.error = error
        if error is None and self.copy is not None:
            self._way.note(self.copy)
        self._way.alone(self._way.settle, self)


class KeptMessages:
    """What becomes of messages that have rows, and of those that must wait for such.

    :ivar resending: which messages may be repetitions.
    :param distribute: takes a message to the resources of a local account.
    :param refuse: answers a message's sender with an error.
    """

    def __init__(
        self, log: MessageLog, inboxes: Inboxes, hooks: Hooks, clock: Clock, distribute: Distribute, refuse: Refuse
    ) -> None:
        self._log = log
        self._inboxes = inboxes
        self._hooks = hooks
        self._clock = clock
        self.resending = Resending(log, clock)
        self._distribute = distribute
        self._refuse = refuse

    def keep(self, stanza: Stanza, account: Jid | None, session: Session | None, keep: int, copy: int) -> None:
        """Take a message that needs rows, or has to queue behind one that does.

        :param account: the local account that it is for; None if it was sent already, and only the copy is missing.
        :param keep: the flags of the recipient's row; 0 for none.
        :param copy: those of the sender's copy.
        """
        received = sent = None
        if keep or copy:
            received, sent = self._entries(stanza, account, session, keep, copy)
        message = KeptMessage(self, stanza, account, session, received, sent)
        if session is not None:
            self._queue(message, session)
        if received is not None:
            together = sent is not None and self._log.together(received.owner, sent.owner)
            self._log.append((received, sent) if together and sent is not None else (received,), message.committed)
        else:
            message.is_ready = True
            if message.lane is not None:
                message.lane.advance()
            else:
                self.alone(self.go_on, message)

    def room(self, session: Session) -> "Deferred[None] | None":
        """Return None if a session may send more, else what fires when it may (architecture rule 8)."""
        return session.gate.room() or self._log.room(session.account)

    def _queue(self, message: KeptMessage, session: Session) -> None:
        gate = session.gate
        entry = message.received or message.copy
        message.number = gate.begin(len(message.stanza.to_bytes() if entry is None else entry.stanza))
        to = message.stanza.to
        assert to is not None, "a message on its way has an addressee"
        message.lane = gate.open_lane(to.bare)
        message.lane.push(message)

    def _entries(
        self, stanza: Stanza, account: Jid | None, session: Session | None, keep: int, copy: int
    ) -> tuple[Entry | None, Entry | None]:
        assert stanza.to is not None, "a message on its way has an addressee"
        data = stanza.to_bytes()
        kind = KINDS[stanza.type]
        origin_id = stanza.element.attribute_of(ORIGIN_ID, "id")
        key, since = None, 0
        if session is not None:
            key = key_of(stanza, origin_id)
            since = self.resending.since(session, stanza.to.bare, key)
            session.gate.kept_at = self._clock.seconds()
        called = origin_id or stanza.id
        received = sent = None
        if account is not None and keep:
            received = Entry(account, stanza.from_, RECEIVED, kind, keep, data, called, key, since)
        if session is not None and copy and session.account != account:
            sent = Entry(session.account, stanza.to, SENT, kind, copy, data, called, key, since)
        return received, sent

    # Behind the commit

    def noted(self, message: KeptMessage) -> None:
        """Tell the readers of what was committed."""
        if message.error is None:
            for entry in (message.received, message.copy):
                if entry is not None and entry.id:
                    self._inboxes.note(entry)

    def note(self, entry: Entry) -> None:
        """Tell the readers of one row."""
        self._inboxes.note(entry)

    def go_on(self, message: KeptMessage) -> Coroutine[Any, Any, None] | None:
        """Deliver; then see to the sender's copy. Returns what is to be driven for it, as the steps of the road do."""
        if message.error is not None:
            return self._give_up(message, message.error)
        try:
            pending = self._deliver(message)
        except Exception as error:
            return self._give_up(message, error)
        return self._see_to_copy(message) if pending is None else self._go_on_behind(message, pending)

    async def _go_on_behind(self, message: KeptMessage, pending: Awaitable[None]) -> None:
        try:
            await pending
        except Exception as error:
            await self._give_up(message, error)
        else:
            await waited(self._see_to_copy(message))

    def _see_to_copy(self, message: KeptMessage) -> Coroutine[Any, Any, None] | None:
        copy = message.copy
        if copy is None or copy.id:
            return self.settle(message)
        self._log.append((copy,), message.copied)
        return None

    def _deliver(self, message: KeptMessage) -> Pending:
        account, received = message.account, message.received
        if account is None:
            return None
        if received is None:
            return self._distribute(account, message.stanza, 0)
        if not received.is_repeated:
            return self._distribute(account, with_id(message.stanza, received), received.id)
        self._inboxes.deliver_again(account, (received.id,))
        return None

    def settle(self, message: KeptMessage) -> Coroutine[Any, Any, None] | None:
        """Tell the sender's side that all is done."""
        if message.error is not None:
            return self._give_up(message, message.error)
        copy, session = message.copy, message.session
        if session is None:
            return None
        if (copy is None or not copy.is_repeated) and self._hooks.wants(MessageSent):
            pending = self._hooks.tell(MessageSent(session, message.stanza, 0 if copy is None else copy.id))
            if pending is not None:
                return self._settle_behind(session, message, pending)
        session.gate.settle(message.number)
        return None

    async def _settle_behind(self, session: Session, message: KeptMessage, pending: Awaitable[None]) -> None:
        await pending
        session.gate.settle(message.number)

    async def _give_up(self, message: KeptMessage, error: Exception) -> None:
        """Settle by an error."""
        if not isinstance(error, StanzaError):
            error = self._hooks.faults.answer("log", "append", error)
        try:
            await self._refuse(message.session, message.stanza, error)
        finally:
            if message.session is not None:
                message.session.gate.settle(message.number)

    def alone(self, step: Callable[[KeptMessage], Pending], message: KeptMessage) -> None:
        """Do a step of a message that has no lane, or has left it."""
        drive_alone(_done(step, message), self.failed)

    def failed(self, error: BaseException) -> None:
        """Tell of a fault in here."""
        assert isinstance(error, Exception), "whatever else is raised ends the process"
        self._hooks.faults.tell("log", "delivery", error)


async def _done(step: Callable[[KeptMessage], Pending], message: KeptMessage) -> None:
    await waited(step(message))


def with_id(stanza: Stanza, row: Entry) -> Stanza:
    """Return a stanza with the `<stanza-id/>` of its row."""
    owner, id = row.owner, row.id
    return stanza.with_mark(stanza_id(owner, id), appended(row.stanza, stanza_id_bytes(owner, id)))


def key_of(stanza: Stanza, origin_id: str | None) -> bytes | None:
    """Return what a message has in common with its repetition; None if it can have none, as it has no id.

    An `<origin-id/>` is its sender's for good; a plain id need not be: resource and content must be the same, too.

    :param origin_id: that of its `<origin-id/>` (XEP-0359); None if it has none.
    """
    if origin_id:
        parts = "\0".join((stanza.from_.bare, stanza.to or "", origin_id))
        return blake2b(parts.encode(), digest_size=KEY_SIZE, person=b"origin").digest()
    if stanza.id is None:
        return None
    hash = blake2b(f"{stanza.from_}\0{stanza.to}\0{stanza.id}\0".encode(), digest_size=KEY_SIZE)
    hash.update(stanza.content())
    return hash.digest()
