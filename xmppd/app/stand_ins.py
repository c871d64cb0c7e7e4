"""What a rehearsal has in place of what would leave it: databases, clocks, commands and other servers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.sql import Executable

from ..core.administration import Administration, Authority, Receiver
from ..core.clock import Clock
from ..core.commands import Caller, Command, Done, Registry, Result
from ..core.shards import Row, Shards
from ..core.trace import Trace
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
