"""Sessions as rows: what is left of a node's sessions when the node is gone (architecture section 6).

Contacts and rooms believe that a resource is there until somebody tells them otherwise. A node that dies tells nobody;
so who was shown what is kept, and whoever finds it says that those resources are unavailable now.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from ..protocol.jid import Jid

MOST_DIRECTED: Final = 500
"""Addresses of one session that are kept; whoever shows itself to more is remembered by some of them for longer."""


class SessionRow(NamedTuple):
    """One session.

    :ivar jid: its full JID.
    :ivar node: the node that has it.
    :ivar generation: its place among the sessions that have had the same full JID: a later one has a higher number.
    :ivar bound_at: when it began, in seconds since the epoch.
    :ivar presence: its last available presence, as bytes; None while it is unavailable.
    :ivar directed: the addresses that it has shown itself to beside its contacts.
    """

    jid: Jid
    node: str
    generation: int
    bound_at: float
    presence: bytes | None = None
    directed: tuple[Jid, ...] = ()


class SessionRows(Protocol):
    """The sessions of all nodes. What has a lower generation than what is there changes nothing."""

    async def put(self, rows: Sequence[SessionRow]) -> None:
        """Keep sessions, each in place of what is known of it or of an earlier one of the same full JID."""

    async def remove(self, sessions: Sequence[tuple[Jid, int]]) -> None:
        """Forget sessions that are over, by full JID and generation."""

    async def page(self, node: str, before: int, after: Jid | None, limit: int) -> Sequence[SessionRow]:
        """Return sessions of a node with generations below `before`, those behind `after` in an order that stays."""

    async def highest(self, node: str) -> int:
        """Return the highest generation of a node's sessions; 0 if it has none."""
