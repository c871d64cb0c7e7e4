"""``python -m bench.log_append``: what storing a message costs, by how many are committed together.

A message is two rows, the recipient's and the sender's copy, appended as the server does it: through the queue of the
shard, by a thread, on a disk that is synced. Shown are microseconds of processor time for each message: of this
process, and of all processes of the PostgreSQL server, which has to run on this machine.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from xmppd.core.message_log import ARCHIVE, CHAT, RECEIVED, SENT, WAIT, Entry, Query
from xmppd.protocol.jid import Jid
from xmppd.storage.database import Database
from xmppd.storage.jobs import Limits
from xmppd.storage.message_log import SqlMessageLog
from xmppd.storage.message_log.writer import Bounds
from xmppd.storage.migrate import migrate
from xmppd.storage.shards import SqlShards

from .procs import processes

ACCOUNTS = 2000
TOGETHER = (1, 50, 100)
PAGE = 50
BODY = "x" * 120

Message = tuple[Entry, Entry]


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds for each message."""

    ours: float
    postgres: float


class Subject:
    """A log on one shard, and messages between accounts at random.

    :param server: the process of the PostgreSQL server whose children count; 0 if there is none.
    """

    def __init__(self, url: str) -> None:
        loop = asyncio.get_running_loop()
        database = Database(url, loop.call_soon_threadsafe, Limits(threads=1), call_soon=loop.call_soon)
        self.shards = SqlShards([database])
        migrate(self.shards.databases)
        self.shards.load_map()
        self.log = SqlMessageLog(
            self.shards, Clock(), loop.call_soon, wall_clock=time.time, bounds=Bounds(batch=2 * max(TOGETHER))
        )
        self.server = 0 if database.is_sqlite else _server_of(database)
        self._random = Random(7)  # the same messages in each run
        self._accounts = [Jid(f"user{number}@bench.example") for number in range(ACCOUNTS)]

    async def send(self, messages: Sequence[Message]) -> None:
        """Append messages in one turn, and wait until they are committed."""
        left = len(messages)
        waiting = asyncio.get_running_loop().create_future()

        def done(error: Exception | None) -> None:
            nonlocal left
            if error is not None:
                waiting.set_exception(error)
            left -= 1
            if not left and not waiting.done():
                waiting.set_result(None)

        for message in messages:
            self.log.append(message, done)
        await waiting

    async def cost(self, together: int, count: int) -> Cost:
        """Return what each of so many messages costs."""
        batches = [[self._message() for _ in range(together)] for _ in range(20 + count // together)]
        for messages in batches[:20]:
            await self.send(messages)
        ours, theirs = time.process_time(), _cpu_of(self.server)
        for messages in batches[20:]:
            await self.send(messages)
        share = 1e6 / (count // together * together)
        return Cost((time.process_time() - ours) * share, (_cpu_of(self.server) - theirs) * share)

    async def page_cost(self, count: int) -> Cost:
        """Return what each row of a page costs."""
        owner = self._accounts[0]
        for _ in range(PAGE):
            await _awaited(self._append_to(owner))
        ours, theirs, rows = time.process_time(), _cpu_of(self.server), 0
        for _ in range(count):
            rows += len(await _awaited(Deferred.fromCoroutine(self.log.page(Query(owner, backwards=True, limit=PAGE)))))
        return Cost((time.process_time() - ours) / rows * 1e6, (_cpu_of(self.server) - theirs) / rows * 1e6)

    async def close(self) -> None:
        """Close the log and its database."""
        await _awaited(Deferred.fromCoroutine(self.log.close()))
        await _awaited(Deferred.fromCoroutine(self.shards.close()))

    def _append_to(self, owner: Jid) -> Deferred[None]:
        waiter: Deferred[None] = Deferred()
        self.log.append([self._message(owner)[0]], lambda error: waiter.callback(None))
        return waiter

    def _message(self, owner: Jid | None = None) -> Message:
        sender, recipient = self._random.sample(self._accounts, 2)
        if owner is not None:
            recipient = owner
        full = sender.with_resource("phone")
        id = f"{self._random.getrandbits(64):x}"
        stanza = f"<message from='{full}' to='{recipient}' type='chat' id='{id}'><body>{BODY}</body></message>".encode()
        return (
            Entry(recipient, full, RECEIVED, CHAT, ARCHIVE | WAIT, stanza, id),
            Entry(sender, recipient, SENT, CHAT, ARCHIVE, stanza, id),
        )


async def _awaited(deferred: Deferred[Any]) -> Any:
    waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    deferred.addCallbacks(waiting.set_result, lambda failure: waiting.set_exception(failure.value))
    return await waiting


def _server_of(database: Database) -> int:
    """Return the first process of the server behind a database; it has to be on this machine."""
    with database.blocking() as connection:
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        return processes()[int(backend)].parent


def _cpu_of(server: int) -> float:
    """Return the seconds of processor time of a server and its children; clocks of the kernel tick every 10 ms."""
    if not server:
        return 0.0
    return sum(process.cpu for pid, process in processes().items() if server in (pid, process.parent))


async def measure(urls: dict[str, str], count: int) -> Iterator[tuple[str, str, Cost]]:
    """Return the database, what was done, and what it cost."""
    found = []
    for name, url in urls.items():
        subject = Subject(url)
        found += [(name, f"{size} messages a commit", await subject.cost(size, count)) for size in TOGETHER]
        found.append((name, f"a row of a page of {PAGE}", await subject.page_cost(count // PAGE)))
        await subject.close()
    return iter(found)


def main() -> int:
    """Measure, and show."""
    parse = argparse.ArgumentParser(prog="python -m bench.log_append", description=__doc__)
    parse.add_argument("--postgres", metavar="URL", help="of an empty database of a server on this machine")
    parse.add_argument("--folder", type=Path, help="where SQLite's file shall be; a disk, as memory cannot be synced")
    parse.add_argument("--messages", type=int, default=10_000, help="of each measurement (10000)")
    options = parse.parse_args()
    grid = Table("database", "what", title="Microseconds of processor time", title_justify="left")
    grid.add_column("xmppd", justify="right")
    grid.add_column("PostgreSQL", justify="right")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        urls = {"SQLite": f"sqlite:///{folder}/log.db"}
        if options.postgres:
            urls["PostgreSQL"] = options.postgres
        os.sync()
        for name, what, cost in uvloop.run(measure(urls, options.messages)):
            grid.add_row(name, what, f"{cost.ours:.1f}", f"{cost.postgres:.1f}" if cost.postgres else "")
    Console().print(grid)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
