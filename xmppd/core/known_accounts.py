"""Which accounts are known to exist, so that a message to somebody who is away does not ask the database each time."""

from collections import OrderedDict
from typing import Final

from ..protocol.jid import Jid
from .clock import Clock

KEPT_FOR: Final = 60.0
"""Seconds; for as long a node may not notice that another one has removed an account."""

REMEMBERED: Final = 20_000


class KnownAccounts:
    """Accounts that were there a moment ago."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[Jid, float] = OrderedDict()

    def __contains__(self, jid: Jid) -> bool:
        until = self._until.get(jid)
        return until is not None and until > self._clock.seconds()

    def add(self, jid: Jid) -> None:
        """Take note that an account is there."""
        self._until[jid] = self._clock.seconds() + KEPT_FOR
        self._until.move_to_end(jid)
        if len(self._until) > REMEMBERED:
            self._until.popitem(last=False)

    def discard(self, jid: Jid) -> None:
        """Take note that it is gone, or about to be."""
        self._until.pop(jid, None)
