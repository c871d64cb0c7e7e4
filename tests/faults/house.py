"""The server that comes to harm, on each kind of database."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from tests.e2e.certificates import self_signed
from tests.e2e.node import Node
from tests.e2e.settings import Options

from .people import PASSWORD
from .postgres import Mortal
from .stream import HOST, Stream, context

Rows = list[tuple[object, ...]]

LISTENERS: Final[dict[str, Options]] = {"c2s": {"kind": "c2s", "tls": "direct"}, "http": {"kind": "http"}}
LIMITS: Final[Options] = {"connections_per_address": 1000}
FILE: Final = "xmppd.sqlite"


class Database(Protocol):
    """One shard's database.

    :ivar url: as the configuration has it.
    """

    @property
    def url(self) -> str: ...

    def rows(self, statement: str) -> Rows:
        """Return what a question is answered with, past the server."""


class SqliteFile:
    """A file.

    :param url: as the configuration has it, relative to the data folder.
    :param found: returns where we find the file.
    """

    def __init__(self, url: str, found: Callable[[], Path]) -> None:
        self.url = url
        self._found = found

    def rows(self, statement: str) -> Rows:
        """Return what a question is answered with."""
        connection = sqlite3.connect(self.file)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    @property
    def file(self) -> Path:
        """Where the file is."""
        return self._found()


class PostgresDatabase:
    """A database of a server.

    :ivar server: which may serve several.
    :ivar name: of the database.
    """

    def __init__(self, server: Mortal) -> None:
        self.server = server
        self.name = server.create_database()
        self.url = server.url(self.name)

    def rows(self, statement: str) -> Rows:
        """Return what a question is answered with."""
        return self.server.execute(statement, self.name)


class House:
    """One process and its databases.

    :ivar generation: how many times it was started.
    :ivar is_standing: whether it is ready, as far as we know; never when it is about to be killed.
    """

    def __init__(self, folder: Path, databases: Sequence[Database], launcher: type[Node] = Node) -> None:
        certificate, key = self_signed(folder, HOST)
        self.databases = list(databases)
        self.generation = 0
        self.is_standing = False
        self._trusted = context(certificate)
        self._ready = asyncio.Event()
        self.node = launcher(
            folder,
            {
                f'hosts."{HOST}"': {"certificate": certificate.name, "key": key.name},
                "shards": [{"url": database.url} for database in self.databases],
                "limits": LIMITS,
                "modules.offline": {"messages": 0},
            },
            LISTENERS,
        )

    async def start(self) -> None:
        """Start it; return when it is ready."""
        await asyncio.to_thread(self.node.start)
        self.generation += 1
        self.is_standing = True
        self._ready.set()

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self.is_standing = False
        self._ready.clear()
        await asyncio.to_thread(self.node.running.kill)

    async def stop(self) -> None:
        """Ask it to end; it must end well."""
        self.is_standing = False
        self._ready.clear()
        code = await asyncio.to_thread(self.node.running.stop)
        assert code == 0, self.node.running.stderr

    def ends(self) -> None:
        """Have it gone, whatever it does."""
        if self.node.process is not None and self.node.process.is_running:
            self.node.process.kill()

    async def stands(self) -> None:
        """Wait until it is ready."""
        await self._ready.wait()

    async def enters(self) -> Stream:
        """Return a connection."""
        return await Stream.connects(self.node.place("c2s"), self._trusted)

    async def admits(self, *localparts: str) -> None:
        """Add accounts."""
        for localpart in localparts:
            jid = f"{localpart}@{HOST}"
            await asyncio.to_thread(self.node.admin, "account", "add", jid=jid, password=PASSWORD)

    @property
    def is_sqlite(self) -> bool:
        """Whether its databases are SQLite's."""
        return self.databases[0].url.startswith("sqlite:")

    def rows(self, statement: str) -> Rows:
        """Ask all databases."""
        return [row for database in self.databases for row in database.rows(statement)]


ENGINES: Final = ("sqlite", "postgres", "two shards")
"""SQLite; one PostgreSQL; two databases of one PostgreSQL."""


def databases(engine: str, folder: Path, server: Callable[[], Mortal]) -> Sequence[Database]:
    """Return what a deployment of that kind needs.

    :param server: returns the PostgreSQL to use, if one is needed.
    """
    if engine == "sqlite":
        return [SqliteFile(f"sqlite:///{FILE}", lambda: folder / "data" / FILE)]
    return [PostgresDatabase(server()) for _ in range(2 if engine == "two shards" else 1)]
