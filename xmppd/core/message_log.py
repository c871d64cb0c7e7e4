"""The log: every stored message is one row in its owner's log (architecture section 4).

Offline delivery, archive, multi-device catch-up and live delivery are readers of it. An owner is a bare JID: an account
or a room. This file declares what the core and the modules may ask; the storage wing answers.

Ids are 64 bits: milliseconds of the database's clock, shifted by `COUNTER_BITS`, plus a counter. They are given inside
the commit, so they grow in commit order for each owner. The id, as decimal text, is the `<stanza-id/>` (XEP-0359).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ..protocol.jid import Jid
from .shards import StorageUnavailable as StorageUnavailable

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

COUNTER_BITS: Final = 20

RECEIVED: Final = 0
SENT: Final = 1
"""Directions, as the owner sees them. Plain numbers, since every message passes here."""

ARCHIVE: Final = 1
WAIT: Final = 2
GONE: Final = 4
"""Flags of a row. ARCHIVE: the archive shows it (XEP-0313). WAIT: it is delivered late if it must be (XEP-0160); a row
without ARCHIVE is purged once it is delivered. GONE: its content was retracted, and a tombstone stands in its place."""

CHAT: Final = 0
NORMAL: Final = 1
GROUPCHAT: Final = 2
KINDS: Final = {"chat": CHAT, "normal": NORMAL, "groupchat": GROUPCHAT}


def id_at(seconds: float) -> int:
    """Return the lowest id that a row of that time can have; `seconds` since the epoch."""
    return int(seconds * 1000) << COUNTER_BITS


def time_of(id: int) -> float:
    """Return when the row was committed, in seconds since the epoch."""
    return (id >> COUNTER_BITS) / 1000


class Entry:
    """A row to append.

    :ivar owner: the bare JID whose log it is.
    :ivar peer: the other party's address, as the stanza has it: the sender of what the owner received, the addressee of
        what it sent.
    :ivar direction: `RECEIVED` or `SENT`.
    :ivar kind: `CHAT`, `NORMAL` or `GROUPCHAT`.
    :ivar flags: `ARCHIVE`, `WAIT` or both.
    :ivar stanza: the whole stanza, as it is written to a client, without our `<stanza-id/>`.
    :ivar origin_id: how its sender calls it: its `<origin-id/>` (XEP-0359), else its id; None if it has neither.
    :ivar key: what a repetition of the same message has in common with it, 16 bytes; None if it can have none.
    :ivar since: the lowest id to look for an earlier row of the same key; 0 if none is looked for.
    :ivar id: the row's id, once it is committed; that of the earlier row if it `is_repeated`.
    :ivar previous: the id of the owner's row before it, whatever node wrote that.
    :ivar is_repeated: whether an earlier row has the same key: then nothing was appended.
    """

    __slots__ = (
        "direction", "flags", "id", "is_repeated", "key", "kind", "origin_id", "owner", "peer", "previous", "since",
        "stanza",
    )  # fmt: skip

    def __init__(
        self,
        owner: Jid,
        peer: Jid,
        direction: int,
        kind: int,
        flags: int,
        stanza: bytes,
        origin_id: str | None = None,
        key: bytes | None = None,
        since: int = 0,
    ) -> None:
        self.owner = owner
        self.peer = peer
        self.direction = direction
        self.kind = kind
        self.flags = flags
        self.stanza = stanza
        self.origin_id = origin_id
        self.key = key
        self.since = since
        self.id = 0
        self.previous = 0
        self.is_repeated = False


Done = Callable[[Exception | None], Any]
"""Told, in the loop, that entries are committed, or why not: `StorageUnavailable`, or what is wrong with them."""


class Row(NamedTuple):
    """A row that was read."""

    id: int
    peer: str
    direction: int
    kind: int
    flags: int
    origin_id: str | None
    stanza: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """How far an owner's messages are delivered.

    :ivar last: the id of the log's last row; 0 if it has none.
    :ivar delivered: rows up to here are delivered, but for those in `open`.
    :ivar open: ids, at most `delivered`, that are not.
    """

    last: int = 0
    delivered: int = 0
    open: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows of an archive (XEP-0313); only rows with `ARCHIVE` are meant.

    :ivar owner: whose log.
    :ivar after: ids above this, exclusively.
    :ivar before: ids below this, exclusively; None for no bound.
    :ivar peer: only messages with this address: a bare JID means all its resources, a full one just itself.
    :ivar ids: only these; None for all.
    :ivar limit: at most so many.
    :ivar backwards: the last ones rather than the first ones; whatever comes is in the order of ids.
    """

    owner: Jid
    after: int = 0
    before: int | None = None
    peer: Jid | None = None
    ids: tuple[int, ...] | None = None
    limit: int = 50
    backwards: bool = False


class MessageLog(Protocol):
    """The log of every owner, found by shard."""

    def together(self, one: Jid, other: Jid) -> bool:
        """Whether two owners' rows are committed by one statement, as they live on one shard."""

    def append(self, entries: Sequence[Entry], done: Done) -> None:
        """Commit `entries`, all or none, and call `done` once, never before this returns.

        Their owners live on one shard. Rows of one owner are numbered in the order of the calls. Nothing is raised
        here: a shard that is down is told to `done`, in a turn of its own; one that is slow within 10 s.
        """

    def room(self, owner: Jid) -> "Deferred[None] | None":
        """Return None if the owner's shard can take more, else what fires when it can.

        Whoever appends for an owner of its own waits for it, so that a queue is never full of one flood.
        """

    async def position(self, owner: Jid) -> Position:
        """Return how far an owner's messages are delivered."""

    def delivered(self, owner: Jid, upto: int, open: Iterable[int], purge: Sequence[int] = ()) -> None:
        """Merge what is delivered into the owner's cursor, some time within the next second.

        The rows up to `upto`, but for those in `open`, are delivered, beside those that were already. `purge` are ids
        of delivered rows that the archive does not show; they are removed. Nobody waits for it: after a crash a message
        may come twice, with the same id.
        """

    async def flush(self) -> None:
        """Write at once what `delivered` has gathered; returns when it is committed, or cannot be."""

    async def waiting(self, owner: Jid, after: int, open: Iterable[int], limit: int) -> list[Row]:
        """Return received rows with `WAIT` above the id `after`, and those in `open`, in the order of ids."""

    async def count_waiting(self, owner: Jid) -> int:
        """Return how many messages wait for delivery."""

    async def page(self, query: Query) -> list[Row]:
        """Return rows of an archive."""

    async def count(self, query: Query) -> int:
        """Return how many rows a query is about, whatever its limit; costs as many steps."""

    async def ends(self, owner: Jid) -> tuple[int, int] | None:
        """Return the first and the last id of an owner's archive, or None if it is empty."""

    async def missing(self, owner: Jid, ids: Sequence[int]) -> set[int]:
        """Return those of `ids` that the owner's archive does not have."""

    async def heads(self, owners: Sequence[Jid]) -> dict[Jid, int]:
        """Return the last id of each owner's log, for those that have one; not those of a shard that is down."""

    async def find(self, owner: Jid, peer: Jid, origin_id: str, since: int = 0) -> list[Row]:
        """Return the rows above the id `since` that were exchanged with a peer's bare JID and have that `origin_id`."""

    async def keys(self, owner: Jid, peer: Jid, since: int, before: int, limit: int) -> list[bytes]:
        """Return the keys of the newest rows from the id `since` up to `before`, without it, exchanged with a peer.

        What was appended for the owner before this was asked is among them if it could be committed.
        """

    async def newest(self) -> int:
        """Return the id of the last row of all owners; 0 if there is none."""

    async def trace(self, origin_id: str, since: int) -> list[tuple[str, Row]]:
        """Return (owner, row) for the rows above `since` of all owners on all shards that have that `origin_id`.

        For an administrator's question; it reads all that was stored since then.
        """

    async def replace(self, owner: Jid, id: int, stanza: bytes, flags: int) -> bool:
        """Put other content and flags in a row's place (a tombstone, XEP-0424); return whether there is such a row."""

    async def purge(self, owner: Jid, before: int | None = None) -> int:
        """Remove an owner's rows below the id `before`, or all, in chunks; return how many."""

    async def forget(self, owner: Jid) -> None:
        """Remove everything of an owner: rows, head and cursor."""
