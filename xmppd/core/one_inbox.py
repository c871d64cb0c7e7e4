"""What is known on this node of one account's log: up to where, and what of it is not delivered."""

from twisted.internet.defer import Deferred

from ..protocol.jid import Jid
from .message_log import ARCHIVE


class Inbox:
    """One account's log, as its sessions on this node read it.

    :ivar upto: all rows up to here are known.
    :ivar newest: the last row that was heard of.
    :ivar open: the known rows that are not delivered.
    :ivar ahead: rows above `upto` that were delivered already.
    :ivar transient: rows that the archive does not show.
    :ivar gone: such rows that are delivered, and to be removed.
    :ivar loading: fires with `upto` when that is known; None from then on.
    :ivar is_learning: whether somebody finds out what is above `upto`, though no session reads it.
    """

    __slots__ = ("account", "ahead", "gone", "is_learning", "loading", "newest", "open", "transient", "upto")

    def __init__(self, account: Jid) -> None:
        self.account = account
        self.upto = 0
        self.newest = 0
        self.open: set[int] = set()
        self.ahead: set[int] = set()
        self.transient: set[int] = set()
        self.gone: list[int] = []
        self.loading: Deferred[int] | None = None
        self.is_learning = False

    def add(self, id: int, flags: int) -> None:
        """Note a received row that is to be delivered."""
        if not flags & ARCHIVE:
            self.transient.add(id)
        if id in self.ahead:
            self.ahead.discard(id)
            self._remove_transient(id)
        else:
            self.open.add(id)

    def close(self, id: int) -> None:
        """Note that a row is delivered."""
        if id in self.open:
            self.open.discard(id)
            if self.transient:
                self._remove_transient(id)
        elif id > self.upto:
            self.ahead.add(id)

    def _remove_transient(self, id: int) -> None:
        if id in self.transient:
            self.transient.discard(id)
            self.gone.append(id)
