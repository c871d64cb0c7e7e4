"""The writer of one shard: what is appended gathers while a batch is in flight, and then goes as the next one.

One batch is in flight at a time, and small ones keep a `Pace`. What comes of it:

* it is committed: every waiter is told by one call in the loop, in the order of the calls;
* a row is wrong: the batch is halved until the wrong item is alone, and only that one fails;
* a lock did not come free: it is sent again;
* the connection broke: nobody knows whether it landed. It is *doubtful* and sent again under its number, which does
  nothing if it has. Meanwhile what comes new is refused at once if the shard is known to be down;
* the shard does not hold an owner: its items go where a newer slot map says;
* the shard is out of order in any other way: all its items fail.

Nobody waits for longer than `PATIENCE`: an item that was not sent by then never is, and one that was is told that
nobody knows.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ...core.clock import Clock
from ...core.log import Log
from ...core.message_log import Done, Entry, StorageUnavailable
from ..database import Database
from ..faults import SlotElsewhere, driver_error
from ..jobs import ConnectionLost
from .batch import Batch, Item
from .keys import Keys
from .measures import LogMetrics
from .pace import Pace
from .postgres_append import Busy, MissingHead
from .waiting import Bounds as Bounds
from .waiting import Waiting

log = Log("storage")

PATIENCE: Final = 9.0
"""Seconds that an item may wait. Looked at every second, so that nobody waits for longer than ten."""

RETRY: Final = 0.25
"""Seconds until a batch is sent again."""

ENDINGS: Final = ("57P", "08")
"""How SQLSTATEs begin that come with the end of a connection, and leave open what became of the statement."""


class Append(Protocol):
    """How a kind of database appends a batch."""

    def prepare(self, batch: Batch, number: int) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return what a thread shall call with its link, and further arguments."""

    def landed(self, batch: Batch) -> None:
        """Hear that a batch is committed."""

    def forget(self) -> None:
        """Forget what is believed of the database."""


@dataclass(slots=True)
class Flight:
    """A batch that was sent.

    :ivar number: of the batch; it keeps it when it is sent again.
    :ivar sent: when, at first; in seconds.
    :ivar is_doubtful: it may have landed though nobody has heard of it.
    """

    items: list[Item]
    batch: Batch
    number: int
    sent: float
    is_doubtful: bool = False


class Writer:
    """Appends to one shard. All of it runs in the loop; only the batch itself is committed elsewhere.

    :param refresh: has the slot map read anew.
    :param route: queues an item where its owners live by the map.
    :param gap: seconds between small batches.
    """

    def __init__(
        self,
        database: Database,
        append: Append,
        keys: Keys,
        clock: Clock,
        call_soon: Callable[..., object],
        refresh: Callable[[], Deferred[None]],
        route: Callable[[Item], object],
        metrics: LogMetrics,
        bounds: Bounds,
        gap: float = 0.0,
    ) -> None:
        self.lane = database.writer_lane()
        self.place = database.place
        self._append = append
        self._keys = keys
        self._clock = clock
        self._call_soon = call_soon
        self._refresh = refresh
        self._route = route
        self._metrics = metrics
        self._waiting = Waiting(bounds, call_soon)
        self._pace = Pace(gap)
        self._pause: Any = None  # the timer of what waits for others
        self._split: deque[list[Item]] = deque()  # what was in a batch with a wrong row; it goes first
        self._number = 0
        self._flight: Flight | None = None
        self._is_due = False
        self._retry: Any = None
        self._closed = False

    @property
    def rows(self) -> int:
        """How many rows wait to be sent."""
        return self._waiting.rows

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._waiting or self._split) or self._flight is not None

    def append(self, entries: Sequence[Entry], done: Done) -> None:
        """Queue entries; `done` is told what becomes of them."""
        self.add(Item(entries, done, self._clock.seconds()))

    def add(self, item: Item) -> None:
        """Queue an item, or refuse it."""
        if self._closed:
            self._refuse(item, "is closed")
        elif not self._waiting.admits(item):
            self._refuse(item, "too much waits to be stored")
        elif item.entries and self._flight is not None and self._flight.is_doubtful:
            self._refuse(item, "is down: it does not answer")
        else:
            self._waiting.add(item)
            if self._flight is None and not self._is_due:
                self._send_in_time(item.since)

    def room(self) -> Deferred[None] | None:
        """Return None if less than half of what may wait does, else what fires when that is so."""
        return self._waiting.room()

    def settled(self) -> Deferred[None]:
        """Return what fires when all that was queued so far has been told what became of it."""
        waiter: Deferred[None] = Deferred()
        self._waiting.add(Item((), lambda error: waiter.callback(None), self._clock.seconds()))
        self._send_soon()
        return waiter

    def give_up_late(self) -> None:
        """Tell those who have waited for too long; to be called every second."""
        late = self._clock.seconds() - PATIENCE
        told = [] if self._flight is None else [item for item in self._flight.items if item.since <= late]
        self._tell([*told, *self._waiting.take_late(late)], StorageUnavailable(f"{self.place}: storing takes too long"))
        if self._retry is not None and self._flight is not None and not _is_awaited(self._flight):
            self._retry.cancel()
            self._retry = None
            self._go_on()

    async def close(self) -> None:
        """Take no more, and wait until what is queued is committed or refused."""
        self._closed = True
        await self.settled()

    # Sending

    def _send_in_time(self, now: float) -> None:
        """Send at the end of this turn, or a little later if more is likely to come."""
        delay = self._pace.delay(now, self._waiting.rows)
        if delay <= 0:
            self._send_soon()
        elif self._pause is None:
            self._pause = self._clock.callLater(delay, self._send)

    def _send_soon(self) -> None:
        """Send at the end of this turn, so that all that it brings goes together."""
        if not self._is_due and self._flight is None:
            self._is_due = True
            self._call_soon(self._send)

    def _send(self) -> None:
        self._is_due = False
        if self._flight is not None:  # the pause was over before the end of a turn that had ended it
            return
        pause, self._pause = self._pause, None
        if pause is not None and pause.active():
            pause.cancel()
        items = self._split.popleft() if self._split else self._waiting.take_batch()
        if not items:
            return
        self._number += 1
        flight = Flight(items, Batch(items, self._keys), self._number, self._clock.seconds())
        self._flight = flight
        if flight.batch.entries:
            self._pace.sent(flight.sent, len(flight.batch.entries), len(items), pause is not None)
            self._submit(flight)
        else:
            self._land(flight)

    def _submit(self, flight: Flight) -> None:
        self._retry = None
        try:
            call, arguments = self._append.prepare(flight.batch, flight.number)
        except Exception as error:  # a value that cannot be written down, of whatever row
            self._reject(flight, error)
            return
        sent = self.lane.submit("log.append", call, arguments, False)
        sent.addCallbacks(self._hear, self._fail, callbackArgs=(flight,), errbackArgs=(flight,)).addErrback(_report)

    # What comes of it

    def _hear(self, numbers: Sequence[int | None], flight: Flight) -> None:
        batch = flight.batch
        batch.accept(numbers)
        self._append.landed(batch)
        repeated = sum([entry.is_repeated for entry in batch.entries]) if batch.asks else 0
        self._metrics.note_commit(len(batch.entries), repeated, self._clock.seconds() - flight.sent)
        self._land(flight)

    def _land(self, flight: Flight) -> None:
        """Tell everybody, while what they append still gathers; then go on."""
        for item in flight.items:
            done, item.done = item.done, None
            if done is not None:
                try:
                    done(None)
                except Exception as error:  # the next one must hear of its own
                    log.failure("who was told that a message is stored failed", error)
        self._go_on()

    def _go_on(self) -> None:
        self._flight = None
        if self._split or self._closed:
            self._send_soon()
        elif self._waiting:
            self._send_in_time(self._clock.seconds())

    def _fail(self, failure: Failure, flight: Flight) -> None:
        error = failure.value
        if isinstance(error, SlotElsewhere):
            self._move(flight)
        elif isinstance(error, MissingHead):
            self._append.forget()
            self._submit(flight)
        elif isinstance(error, Busy) or _is_doubtful(error):
            flight.is_doubtful |= not isinstance(error, Busy)
            self._try_again(flight)
        elif not isinstance(error, StorageUnavailable):
            self._reject(flight, error)
        elif flight.is_doubtful:  # it is known to be down now, which tells nothing of the batch
            self._tell(self._waiting.take_all(), error)
            self._try_again(flight)
        else:
            self._end(flight, error)

    def _try_again(self, flight: Flight) -> None:
        """Send the batch again after a while, unless nobody waits for it any longer."""
        self._metrics.sent_again += 1
        if self._closed:
            self._end(flight, StorageUnavailable(f"{self.place} is closed"))
        elif _is_awaited(flight):
            self._retry = self._clock.callLater(RETRY, self._submit, flight)
        else:
            self._go_on()

    def _reject(self, flight: Flight, error: BaseException | None) -> None:
        """Halve a batch that has a wrong row."""
        items = flight.items
        if len(items) == 1:
            self._end(flight, error)
            return
        middle = len(items) // 2
        self._split.extendleft((items[middle:], items[:middle]))
        self._go_on()

    def _move(self, flight: Flight) -> None:
        """Have everything queued where a newer map says; what is still refused then is alone to blame."""
        if any(item.has_moved for item in flight.items):
            self._reject(flight, StorageUnavailable(f"{self.place}: a slot is being moved"))
        else:
            self._refresh().addErrback(_report).addCallback(self._route_all, flight).addErrback(_report)

    def _route_all(self, found: None, flight: Flight) -> None:
        for item in flight.items:
            item.has_moved = True
        items = [*flight.items, *(item for part in self._split for item in part), *self._waiting.take_all()]
        self._split.clear()
        for item in items:
            if item.entries:
                self._route(item)
            else:
                self.add(item)
        self._go_on()

    def _end(self, flight: Flight, error: BaseException | None) -> None:
        self._tell(flight.items, error)
        self._go_on()

    def _refuse(self, item: Item, why: str) -> None:
        self._call_soon(self._tell, [item], StorageUnavailable(f"{self.place}: {why}"))

    def _tell(self, items: Sequence[Item], error: BaseException | None) -> None:
        """Tell those who wait for items that they are not stored, or that nobody knows."""
        for item in items:
            done, item.done = item.done, None
            if done is None:
                continue
            self._metrics.refused += bool(item.entries)
            try:
                done(error if isinstance(error, Exception) else StorageUnavailable(str(error)))
            except Exception as failed:  # as above
                log.failure("who was told that a message is not stored failed", failed)


def _is_awaited(flight: Flight) -> bool:
    """Say whether anybody still waits for a batch."""
    return any(item.done is not None for item in flight.items)


def _is_doubtful(error: BaseException | None) -> bool:
    """Say whether an error leaves open whether the statement was carried out."""
    if not isinstance(error, ConnectionLost):
        return False
    cause = driver_error(error.__cause__) if error.__cause__ is not None else None
    if hasattr(cause, "sqlite_errorcode"):
        return False
    state: str | None = getattr(cause, "pgcode", None)
    return state is None or state.startswith(ENDINGS)


def _report(failure: Failure) -> None:
    log.failure("the writer of the log failed", failure.value)
