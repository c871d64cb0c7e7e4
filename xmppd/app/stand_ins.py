"""What a rehearsal has in place of what would leave it: databases, clocks, commands and other servers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.sql import Executable

from ..core.administration import Administration, Authority, Receiver
from ..core.clock import Clock
from ..core.commands import Caller, Command, Done, Registry, Result
from ..core.message_log import Done as Committed
from ..core.message_log import Entry, MessageLog, Position, Query, id_at
from ..core.message_log import Row as LogRow
from ..core.shards import Row, Shards
from ..core.trace import Trace
from ..protocol.jid import Jid
from ..protocol.stanza import Stanza

T = TypeVar("T")


class Elsewhere:
    """The way to other servers, which is not gone."""

    async def send(self, stanza: Stanza) -> None:
        """Send nothing: the router has noted where it goes."""


class Borrowed(Registry):
    """The commands of the live node; modules that are rehearsed bring none."""

    def __init__(self, live: Registry) -> None:
        super().__init__()
        self._live = live

    def register(self, owner: str, source: object) -> None:
        """Add nothing."""

    def unregister(self, owner: str) -> None:
        """Forget nothing."""

    def find(self, words: Sequence[str]) -> Command:
        """Return the command of these words."""
        return self._live.find(words)

    def at(self, node: str) -> Command | None:
        """Return the command of an ad-hoc node."""
        return self._live.at(node)

    def list(self) -> Sequence[Command]:
        """Return all commands."""
        return self._live.list()


class Unmoved(Administration):
    """Checks who may run a command, and does not run it."""

    def __init__(self, registry: Registry, authority: Authority, trace: Trace) -> None:
        super().__init__(registry, authority)
        self._trace = trace

    async def run(
        self, caller: Caller, command: Command, given: Mapping[str, object], each: Receiver | None = None
    ) -> Result:
        """Note that the command would be run."""
        await self.authority.check(caller, command, command.convert(given))
        self._trace.note(f"runs the command {command.name} for {caller}; here it is not run", command.owner)
        return Done("(not run)")


class NeverCalled:
    """A call that does not come."""

    def cancel(self) -> None:
        """Do not make the call."""

    def active(self) -> bool:
        """Say whether the call is still to come."""
        return True


class Still:
    """A clock that tells the time and calls nobody."""

    def __init__(self, real: Clock) -> None:
        self._real = real

    def seconds(self) -> float:
        """Return the time."""
        return self._real.seconds()

    def callLater(self, delay: float, callable: Callable[..., object], *args: Any, **kw: Any) -> NeverCalled:
        """Call nothing."""
        return NeverCalled()


class Undo(Exception):
    """Raised in a transaction to undo it.

    :ivar result: what the transaction would have returned.
    """

    def __init__(self, result: Any) -> None:
        super().__init__("a rehearsal keeps nothing")
        self.result = result


class Undone:
    """Databases that are read as they are, and in which nothing stays. Implements `core.shards.Shards`."""

    def __init__(self, real: Shards, trace: Trace) -> None:
        self._real = real
        self._trace = trace

    async def fetch(
        self, owner: str, name: str, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        """Run one SELECT."""
        return await self._real.fetch(owner, name, statement, parameters)

    async def fetch_all(
        self, name: str, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        """Run one SELECT on every shard."""
        return await self._real.fetch_all(name, statement, parameters)

    async def write(
        self, owner: str, name: str, statement: Executable, rows: Sequence[Mapping[str, Any]] = ({},)
    ) -> int:
        """Run one statement for each mapping, and undo it."""
        return await self.transaction(
            owner, name, lambda connection: sum(connection.execute(statement, dict(row)).rowcount for row in rows)
        )

    async def write_each(self, name: str, statement: Executable, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run one statement for each row, and undo it."""
        for owner, row in rows:
            await self.write(owner, name, statement, [row])

    async def transaction(self, owner: str, name: str, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, and undo it."""

        def undone(connection: Connection) -> T:
            raise Undo(work(connection))

        try:
            return await self._real.transaction(owner, f"rehearsal of {name}", undone)
        except Undo as undo:
            self._trace.note(f"stores {name} for {owner}", "storage")
            result: T = undo.result
            return result


class Unwritten(MessageLog):
    """The log, which is read as it is, and to which nothing is added."""

    def __init__(self, real: MessageLog, trace: Trace, clock: Clock, soon: Callable[[Callable[[], None]], Any]) -> None:
        self._real = real
        self._trace = trace
        self._clock = clock
        self._soon = soon

    def together(self, one: Jid, other: Jid) -> bool:
        """Whether two owners are on one shard."""
        return self._real.together(one, other)

    def append(self, entries: Sequence[Entry], done: Committed) -> None:
        """Number the rows as if they were committed."""
        for entry in entries:
            entry.id = id_at(self._clock.seconds())
            self._trace.note(f"appends a row to the log of {entry.owner}", "log")
        self._soon(lambda: done(None))

    def room(self, owner: Jid) -> None:
        """There is always room."""

    async def position(self, owner: Jid) -> Position:
        """Return how far an owner's messages are delivered."""
        return await self._real.position(owner)

    def delivered(self, owner: Jid, upto: int, open: Iterable[int], purge: Sequence[int] = ()) -> None:
        """Note nothing: nobody got anything."""

    async def flush(self) -> None:
        """There is nothing to write."""

    async def waiting(self, owner: Jid, after: int, open: Iterable[int], limit: int) -> list[LogRow]:
        """Return what waits."""
        return await self._real.waiting(owner, after, open, limit)

    async def count_waiting(self, owner: Jid) -> int:
        """Return how much waits."""
        return await self._real.count_waiting(owner)

    async def page(self, query: Query) -> list[LogRow]:
        """Return rows of an archive."""
        return await self._real.page(query)

    async def count(self, query: Query) -> int:
        """Return how many rows a query is about."""
        return await self._real.count(query)

    async def ends(self, owner: Jid) -> tuple[int, int] | None:
        """Return the first and the last id of an archive."""
        return await self._real.ends(owner)

    async def missing(self, owner: Jid, ids: Sequence[int]) -> set[int]:
        """Return the ids that an archive does not have."""
        return await self._real.missing(owner, ids)

    async def heads(self, owners: Sequence[Jid]) -> dict[Jid, int]:
        """Return the last ids of logs."""
        return await self._real.heads(owners)

    async def find(self, owner: Jid, peer: Jid, origin_id: str, since: int = 0) -> list[LogRow]:
        """Return the rows of one message."""
        return await self._real.find(owner, peer, origin_id, since)

    async def keys(self, owner: Jid, peer: Jid, since: int, before: int, limit: int) -> list[bytes]:
        """Return the keys of rows."""
        return await self._real.keys(owner, peer, since, before, limit)

    async def newest(self) -> int:
        """Return the id of the last row."""
        return await self._real.newest()

    async def trace(self, origin_id: str, since: int) -> list[tuple[str, LogRow]]:
        """Return the rows of one message, of all owners."""
        return await self._real.trace(origin_id, since)

    async def replace(self, owner: Jid, id: int, stanza: bytes, flags: int) -> bool:
        """Note that a row would be replaced."""
        self._trace.note(f"replaces a row in the log of {owner}", "log")
        return True

    async def purge(self, owner: Jid, before: int | None = None) -> int:
        """Note that rows would be removed."""
        self._trace.note(f"removes rows from the log of {owner}", "log")
        return 0

    async def forget(self, owner: Jid) -> None:
        """Note that a log would be removed."""
        self._trace.note(f"removes the log of {owner}", "log")
