"""Whether this process can serve, for load balancers: the page /health/ready.

It cannot before its listeners are open, when it stops, and while every shard is down. While some of several shards
answer it can: the accounts of the others have no luck on any node, and those of these would lose theirs. A process
lives (/health/live) whatever its databases do: to start it anew would not help them.

A page cannot wait for a database. It says what is known from the last jobs and has the databases looked at, so that
the next answer is right though nobody else asks them: neither does a node without traffic stay ready for long when
they go down, nor one that is given no traffic stay out when they are back.
"""

from collections.abc import Callable, Sequence

from twisted.python.failure import Failure

from ..core.log import Log
from ..storage.database import Database
from ..transport.http import TEXT

log = Log("server")


class Readiness:
    """Answers whether this process is ready.

    :param is_serving: whether every listener accepts connections.
    """

    def __init__(self, is_serving: Callable[[], bool], databases: Sequence[Database]) -> None:
        self._is_serving = is_serving
        self._databases = databases
        self._looked_at: set[Database] = set()

    def page(self) -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        if not self._is_serving():
            return 503, TEXT, b"starting or stopping\n"
        self._look()
        down = [number for number, database in enumerate(self._databases) if database.down is not None]
        if not down:
            return 200, TEXT, b"ready\n"
        names = ", ".join(map(str, down))
        if len(down) == len(self._databases):
            return 503, TEXT, f"not ready: all shards are down ({names})\n".encode()
        return 200, TEXT, f"ready but for shards that are down: {names}\n".encode()

    def _look(self) -> None:
        """Have every database looked at, unless that is under way, or it was frozen and the look waits still."""
        for database in self._databases:
            if database not in self._looked_at:
                self._looked_at.add(database)
                database.look().addErrback(_tell).addCallback(self._seen, database)

    def _seen(self, _: None, database: Database) -> None:
        self._looked_at.discard(database)


def _tell(failure: Failure) -> None:
    log.failure("a database was not looked at", failure)
