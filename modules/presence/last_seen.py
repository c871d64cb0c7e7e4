"""When an account was last seen, and what it said then (for XEP-0012 and for answers to probes).

A client that logs out does not wait for this, and a node that closes thousands of streams does not ask the database
thousands of times at once: what is to be noted waits for a second, and is then written a few accounts at a time. Who
asks is told what waits already.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from twisted.internet.defer import Deferred, gatherResults

from xmppd.core.accounts import Accounts
from xmppd.core.clock import Clock
from xmppd.core.drive import drive_alone
from xmppd.core.fault_log import FaultLog
from xmppd.core.log import Log
from xmppd.protocol.jid import Jid

from .api import Departure

DELAY: Final = 1.0  # seconds
TOGETHER: Final = 50

log = Log("presence")


class LastSeen:
    """How accounts were left, what waits to be noted of it included. Implements `api.Departures`."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock
        self._waiting: dict[Jid, Departure] = {}
        self._being_written: dict[Jid, Departure] = {}
        self._call: Any = None
        self._faults = FaultLog(log, clock)

    def note(self, account: Jid, status: str) -> None:
        """Note that the account is seen now for the last time, with `status` as its last words."""
        self._waiting[account] = Departure(self._clock.seconds(), status)
        if self._call is None:
            self._call = self._clock.callLater(DELAY, self._write_soon)

    async def last(self, account: Jid) -> Departure | None:
        """Return how an account was left last; None if it never was, or does not exist."""
        unwritten = self._waiting.get(account) or self._being_written.get(account)
        if unwritten is not None:
            return unwritten
        known = await self._accounts.get(account)
        return None if known is None or known.last_seen is None else Departure(known.last_seen, known.last_status)

    async def stop(self) -> None:
        """Write what waits."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        await self._write()

    def _write_soon(self) -> None:
        self._call = None
        drive_alone(self._write(), _tell)

    async def _write(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self._being_written.update(waiting)
        left = iter(waiting.items())
        while some := list(islice(left, TOGETHER)):
            await self._write_some(some)

    async def _write_some(self, some: Iterable[tuple[Jid, Departure]]) -> None:
        written = [Deferred.fromCoroutine(self._write_one(account, left)) for account, left in some]
        await gatherResults(written)

    async def _write_one(self, account: Jid, left: Departure) -> None:
        """Write one note. It is worth a line in the log if that fails, not more: nobody waits for it."""
        try:
            await self._accounts.set_last_seen(account, left.when, left.status)
        except Exception as error:
            self._faults.tell("presence.last_seen", "a note", error)
        finally:
            if self._being_written.get(account) is left:
                del self._being_written[account]


def _tell(error: BaseException) -> None:
    log.failure("notes of who was last seen are lost", error)
