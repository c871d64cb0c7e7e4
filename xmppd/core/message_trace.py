"""What became of a message: told from the log, from what clients have yet to acknowledge, and from a record.

The log knows when a message was committed and for whom, and its archive what came back: receipts (XEP-0184) and markers
(XEP-0333). The readers of an account know whether it is delivered, and its sessions what they have not acknowledged.
So nothing has to be noted on the way of a message for any of that.

Which session it was handed to, and when that acknowledged it, is known only of what passes while a `Recorder` runs: a
ring of so many events, whose listeners are there only meanwhile (see `seam`). No event holds anything that people said.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from ..protocol.jid import Jid
from ..protocol.stanza import Stanza
from ..protocol.stanza_id import ORIGIN_ID, STANZA_ID
from ..protocol.written import read_written
from .clock import Clock
from .events import Delivering, StanzaReceived
from .hooks import Decision
from .inbox import Inboxes
from .message_log import RECEIVED, WAIT, MessageLog, Query, Row, time_of
from .sessions import Sessions

RING: Final = 10_000
"""Events that a recorder keeps; about 3 MiB."""

PAGE: Final = 100
LOOKED_AT: Final = 1000
"""Messages behind one in a conversation among which a marker is looked for."""

RECEIPTS: Final = "urn:xmpp:receipts"
MARKERS: Final = "urn:xmpp:chat-markers:0"


class What(StrEnum):
    """What can happen to a message, in the order in which it does."""

    RECEIVED = "received"  # from its sender's session
    COMMITTED = "committed"
    HANDED_OVER = "handed over"  # to a session, perhaps to be held back for a while (XEP-0352)
    UNACKNOWLEDGED = "unacknowledged"  # a session has yet to acknowledge it (XEP-0198)
    ACKNOWLEDGED = "acknowledged"
    DELIVERED = "delivered"  # it waits for the account no more
    WAITING = "waiting"
    RECEIPT = "receipt"  # the recipient's client has it (XEP-0184, XEP-0333)
    DISPLAYED = "displayed"  # the recipient has seen it (XEP-0333)


ORDER: Final = {what: place for place, what in enumerate(What)}

MARKS: Final = {
    f"{{{RECEIPTS}}}received": What.RECEIPT,
    f"{{{MARKERS}}}received": What.RECEIPT,
    f"{{{MARKERS}}}displayed": What.DISPLAYED,
    f"{{{MARKERS}}}acknowledged": What.DISPLAYED,
}


class Happening(NamedTuple):
    """One thing that happened to a message.

    :ivar what: what.
    :ivar where: the session or the account.
    :ivar when: in seconds since the epoch; None if nobody noted it.
    :ivar row: the id of the row in that account's log; 0 for none.
    """

    what: What
    where: Jid
    when: float | None = None
    row: int = 0


class Recorder:
    """A ring of what happened to the messages of this node.

    :param size: how many events it keeps.
    """

    def __init__(self, clock: Clock, size: int = RING) -> None:
        self._clock = clock
        self._ring: deque[tuple[str | None, Happening]] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._ring)

    # What it hears

    def see(self, event: Decision) -> None:
        """Take a decision of the pipeline (`Hooks.tap`)."""
        if isinstance(event, StanzaReceived) and event.stanza.kind == "message":
            self._note(What.RECEIVED, event.session.jid, 0, _name_of(event.stanza))
        elif isinstance(event, Delivering) and event.stanza.kind == "message":
            session, stanza = event.session, event.stanza
            self._note(What.HANDED_OVER, session.jid, _row_of(stanza, session.account), _name_of(stanza))

    def delivered(self, account: Jid, id: int) -> None:
        """Take note that a row is delivered (`Inboxes.delivered`)."""
        self._note(What.DELIVERED, account, id)

    def acknowledged(self, managed: Any, stanzas: Sequence[tuple[bytes, int]]) -> None:
        """Take note of what a session has acknowledged (`StreamManagement.acknowledged`)."""
        for _, row in stanzas:
            if row:
                self._note(What.ACKNOWLEDGED, managed.session.jid, row)

    def _note(self, what: What, where: Jid, row: int, name: str | None = None) -> None:
        self._ring.append((name, Happening(what, where, self._clock.seconds(), row)))

    # What it is asked

    def about(self, name: str, rows: frozenset[tuple[str, int]]) -> Iterator[Happening]:
        """Yield what it knows of a message.

        :param name: how its sender calls it.
        :param rows: its rows, as (owner, id).
        """
        for called, happening in self._ring:
            if called == name or (happening.where.bare, happening.row) in rows:
                yield happening


@dataclass(slots=True)
class MessageTrace:
    """Finds out what became of a message.

    :ivar recorder: what was noted; None if nothing is.
    """

    log: MessageLog
    inboxes: Inboxes
    sessions: Sessions
    recorder: Recorder | None = None

    async def find(self, name: str, since: int) -> list[Happening]:
        """Return what happened to the messages whose sender calls them `name`, in the order in which it did.

        :param name: the `<origin-id/>` (XEP-0359), else the id.
        :param since: the lowest id of rows to look at; there may be as many of them as the log has.
        :raises StorageUnavailable: a shard does not answer.
        """
        self.inboxes.write()  # so that the log knows what is delivered up to now
        found: list[Happening] = []
        rows = await self.log.trace(name, since)
        for owner, row in rows:
            found += await self._of_row(Jid(owner), row, name)
        if self.recorder is not None:
            found += self.recorder.about(name, frozenset((owner, row.id) for owner, row in rows))
        return sorted(_once(found), key=_place)

    async def _of_row(self, owner: Jid, row: Row, name: str) -> list[Happening]:
        stanza = read_written(row.stanza)
        committed = Happening(What.COMMITTED, owner, time_of(row.id), row.id)
        found = [Happening(What.RECEIVED, stanza.from_), committed]
        if row.direction == RECEIVED:
            found += await self._delivery(owner, row)
        return found + await self._marks(owner, row, {name, stanza.id or name})

    async def _delivery(self, owner: Jid, row: Row) -> list[Happening]:
        """Return who has yet to acknowledge a row, and whether it waits."""
        found = [
            Happening(What.UNACKNOWLEDGED, session.jid, None, row.id)
            for session in self.sessions.of(owner)
            if row.id in session.wire.unacknowledged()
        ]
        if row.flags & WAIT:
            position = await self.log.position(owner)
            waits = row.id > position.delivered or row.id in position.open
            found.append(Happening(What.WAITING if waits else What.DELIVERED, owner, None, row.id))
        return found

    async def _marks(self, owner: Jid, row: Row, names: set[str]) -> list[Happening]:
        """Return the receipts and markers that the same conversation has for a message, behind it."""
        found: list[Happening] = []
        after = row.id
        for _ in range(LOOKED_AT // PAGE):
            rows = await self.log.page(Query(owner, after=after, peer=Jid(row.peer).bare, limit=PAGE))
            found += [mark for one in rows for mark in marks_in(one, names)]
            if len(rows) < PAGE:
                break
            after = rows[-1].id
        return found


def marks_in(row: Row, names: set[str]) -> Iterator[Happening]:
    """Yield what a stored message says of another one, that is called one of `names`."""
    if RECEIPTS.encode() not in row.stanza and MARKERS.encode() not in row.stanza:
        return  # nearly all of them: not worth to be parsed
    stanza = read_written(row.stanza)
    for child in stanza.elements():
        what = MARKS.get(child.name)
        if what is not None and child.get("id") in names:
            yield Happening(what, stanza.from_, time_of(row.id))


def _name_of(stanza: Stanza) -> str | None:
    """Return how a message's sender calls it."""
    return stanza.element.attribute_of(ORIGIN_ID, "id") or stanza.id


def _row_of(stanza: Stanza, account: Jid) -> int:
    """Return the row that a message on its way to an account's session has in that account's log."""
    for mark in stanza.added:
        if mark.name == STANZA_ID and mark.get("by") == account:
            return int(mark.get("id") or 0)
    return 0


def _once(found: Sequence[Happening]) -> list[Happening]:
    """Return what is told, without what is told twice: both sides' logs have a marker; a record has the time, too."""
    known: dict[tuple[What, Jid, int], Happening] = {}
    for happening in found:
        row = 0 if happening.what in (What.RECEIPT, What.DISPLAYED, What.RECEIVED) else happening.row
        key = (happening.what, happening.where, row)
        earlier = known.get(key)
        if earlier is None or (happening.when is not None and (earlier.when is None or happening.when < earlier.when)):
            known[key] = happening
    return list(known.values())


def _place(happening: Happening) -> tuple[int, float]:
    return ORDER[happening.what], 0.0 if happening.when is None else happening.when
