"""A server in memory."""

import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from xmppd.app.node import Node, module_configs
from xmppd.config.limits import Limits
from xmppd.config.server import Config, Host, Modules
from xmppd.core.accounts import Role
from xmppd.core.credentials import derive_all
from xmppd.core.session import Session
from xmppd.protocol.jid import Jid
from xmppd.storage.accounts import SqlAccounts
from xmppd.storage.database import Database
from xmppd.storage.jobs import Limits as StorageLimits
from xmppd.storage.message_log.log import SqlMessageLog
from xmppd.storage.migrate import migrate
from xmppd.storage.shards import SqlShards

from .accounts import HeldAccounts
from .client import Client
from .log import HeldLog

PASSWORD = "pencil"
HOSTS = ("montague.example", "capulet.example", "shakespeare.example")
NOON = 1_275_307_200.0  # 2010-05-31T12:00:00Z


@cache
def keys() -> Any:
    """Return the SCRAM keys of `PASSWORD`; few iterations, since no test is about their number."""
    return derive_all(PASSWORD, 1)


@cache
def empty_database() -> bytes:
    """Return a database that has been migrated, as bytes."""
    database = Database("sqlite://", _at_once, StorageLimits(threads=0))
    migrate([database])
    with database.blocking() as connection:
        driver: Any = connection.connection.driver_connection
        return bytes(driver.serialize())


def _at_once(function: Callable[..., Any], *args: Any) -> None:
    function(*args)


async def _inline(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)


class Server:
    """A node with clients.

    :ivar clock: the fake clock; `advance` moves it.
    :ivar captured: what expected XML has captured, shared by all clients.
    :ivar log: the message log; `log.hold()` lets nobody know of a commit.
    :ivar store: the account store; `store.hold()` makes whoever asks it wait.
    """

    def __init__(
        self,
        *,
        hosts: tuple[str, ...] = HOSTS,
        limits: dict[str, Any] | None = None,
        modules: dict[str, dict[str, Any]] | None = None,
        disable: tuple[str, ...] = (),
        load: tuple[str, ...] = (),
        **host_options: Any,
    ) -> None:
        self.clock = Clock()
        self.clock.rightNow = NOON
        self.captured: dict[str, str] = {}
        self._soon: deque[Callable[[], None]] = deque()
        config = Config(hosts={host: Host(**host_options) for host in hosts}, limits=Limits(**(limits or {})))
        types = module_configs(load)
        configs = {name: types[name](**options) for name, options in (modules or {}).items()}  # type: ignore[misc]
        config.modules = Modules(load=list(load), disable=list(disable))
        config.modules.configs.update(configs)
        self.database = Database("sqlite://", _at_once, StorageLimits(threads=0))
        with self.database.blocking() as connection:
            driver: Any = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.deserialize(empty_database())
        self._config = config
        self._raise_node()

    def _raise_node(self) -> None:
        shards = SqlShards([self.database])
        shards.load_map()
        self.store = HeldAccounts(SqlAccounts(shards, self.clock))
        self.log = HeldLog(SqlMessageLog(shards, self.clock, self.soon), self.soon)
        self.node = Node(
            self._config, shards, self.store, self.log, self.clock, self.soon, _inline, b"a secret of the tests"
        )
        self.wait(self.node.start())

    def dies(self) -> None:
        """End the node without a word: only what is in the database is left."""
        for call in self.clock.getDelayedCalls():
            call.cancel()
        self._soon.clear()

    def begins_anew(self) -> None:
        """Start a node on what another one left."""
        self._raise_node()

    # Running

    def soon(self, function: Callable[[], None]) -> None:
        """Run a function in the next turn."""
        self._soon.append(function)

    def run(self) -> None:
        """Run until there is nothing left to do at this time."""
        while self._soon:
            self._soon.popleft()()

    def advance(self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0) -> None:
        """Let time pass, second by second, so that what repeats itself repeats itself."""
        left = seconds + 60 * minutes + 3600 * hours
        while left > 0:
            self.clock.advance(min(1.0, left))
            self.run()
            left -= 1.0

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end; return its value or raise its error."""
        results: list[Any] = []
        failures: list[Any] = []
        Deferred.fromCoroutine(coroutine).addCallbacks(results.append, failures.append)
        self.run()
        if failures:
            failures[0].raiseException()
        assert results, "the coroutine waits for something that does not come"
        return results[0]

    # Accounts and clients

    def account(self, jid: str, role: Role = Role.USER) -> Jid:
        """Register an account unless it exists; its password is `PASSWORD`."""
        bare = Jid.parse(jid).bare
        if self.wait(self.node.accounts.get(bare)) is None:
            self.wait(self.node.accounts.create(bare, keys(), role))
        return bare

    def session(self, jid: str) -> Session:
        """Return the session of a full JID, which must be there."""
        session = self.node.sessions.at(Jid.parse(jid))
        assert session is not None, f"{jid} is not connected"
        return session

    def connection(self, **options: Any) -> Client:
        """Open a connection on which nothing was said yet."""
        return Client(self, **options)

    def connect(self, jid: str, **options: Any) -> Client:
        """Log in as `jid`, registering the account first if need be; no presence is sent."""
        full = Jid.parse(jid)
        self.account(jid)
        client = Client(self, **options)
        client.logs_in(full.localpart, full.domainpart, full.resourcepart, PASSWORD)
        return client

    def online(self, jid: str, presence: str = "<presence/>", **options: Any) -> Client:
        """Log in and send initial presence; what that brings is dropped."""
        client = self.connect(jid, **options)
        client.sends(presence)
        client.forgets()
        return client
