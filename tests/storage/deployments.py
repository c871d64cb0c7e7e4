"""Deployments for contract tests: the same questions to SQLite in memory, to a file and to PostgreSQL's shards."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from xmppd.storage.database import Database
from xmppd.storage.jobs import Limits
from xmppd.storage.shards import SqlShards

T = TypeVar("T")

INLINE = Limits(threads=0)
HANG = 60  # seconds; only a test that would never end comes near it


class Loop:
    """An event loop without a reactor: what threads hand over is called where `run` waits."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[..., object], tuple[Any, ...]]] = SimpleQueue()

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """What a `Database` gets as `call_in_loop`."""
        self._calls.put((function, args))

    @property
    def is_idle(self) -> bool:
        """Whether nobody asks for a call."""
        return self._calls.empty()

    def turn(self) -> None:
        """Wait for one call and make it."""
        function, args = self._calls.get(timeout=HANG)
        function(*args)

    def run(self, awaited: Coroutine[Any, Any, T] | Deferred[T]) -> T:
        """Run until the result is there; return or raise it."""
        deferred = awaited if isinstance(awaited, Deferred) else Deferred.fromCoroutine(awaited)
        results: list[Any] = []
        failures: list[Any] = []
        deferred.addCallbacks(results.append, failures.append)
        while not results and not failures:
            self.turn()
        if failures:
            failures[0].raiseException()
        return results[0]


@dataclass(slots=True)
class Deployment:
    """Shards that are migrated and know their slots."""

    loop: Loop
    shards: SqlShards

    @property
    def databases(self) -> Sequence[Database]:
        return self.shards.databases

    def run(self, awaited: Coroutine[Any, Any, T] | Deferred[T]) -> T:
        return self.loop.run(awaited)

    def owner_on(self, shard: int) -> str:
        """Return a bare JID that lives on a shard."""
        from xmppd.storage.slots import slot_of

        names = (f"romeo{number}@montague.example" for number in range(10_000))
        return next(name for name in names if self.shards.slots.shards[slot_of(name)] == shard)


def open_deployment(urls: Sequence[str], limits: Limits) -> Deployment:
    """Open shards, migrate them if need be, and load their map."""
    from xmppd.storage.migrate import migrate

    loop = Loop()
    shards = SqlShards([Database(url, loop.call, limits) for url in urls])
    migrate(shards.databases)
    shards.load_map()
    return Deployment(loop, shards)
