"""A node without its sockets: core, accounts and modules, put together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import xmppd
import xmppd.modules

from ..admin.audit import audit
from ..config.limits import Limits
from ..config.server import Config, Store
from ..core.account_changes import AnnouncingAccounts
from ..core.accounts import Accounts
from ..core.administration import Administration, Authority
from ..core.authentication import Authenticator, InThread
from ..core.client_stream import ClientContext, ClientStream
from ..core.clock import Clock
from ..core.commands import Registry
from ..core.discovery import config_of, discover
from ..core.hooks import Hooks
from ..core.host import Host, Hosts
from ..core.inbox import Inboxes
from ..core.iq import Iqs
from ..core.loader import Loader
from ..core.message_log import MessageLog
from ..core.metrics import Exposition
from ..core.router import Router
from ..core.session_rows import SessionRows
from ..core.sessions import Sessions
from ..core.shards import Shards
from ..core.threads import Threads
from ..core.throttle import LoginThrottle
from ..core.upkeep import Upkeep
from ..protocol.jid import Jid
from ..storage.session_rows import SqlSessionRows


def hosts_of(config: Config) -> list[Host]:
    """Return the virtual hosts that a configuration names."""
    return [
        Host(
            Jid.parse(name),
            admins=frozenset(Jid.parse(admin) for admin in options.admins),
            anonymous=options.anonymous,
            stores=options.store is Store.ALWAYS,
            retention=options.retention,
            contacts={
                f"{kind}-addresses": tuple(getattr(options.contacts, kind))
                for kind in ("abuse", "admin", "feedback", "sales", "security", "status", "support")
            },
        )
        for name, options in config.hosts.items()
    ]


def module_configs(extra: Iterable[str] = ()) -> dict[str, type | None]:
    """Return the options class of every installed module, by its name."""
    return {name: config_of(cls) for name, cls in discover(xmppd.modules, extra).items()}


@dataclass
class Node:
    """Everything of one process that has no socket.

    :ivar log: where messages are kept.
    :ivar soon: runs a function in the next turn of the loop.
    :ivar in_thread: runs a function off the loop; awaitable.
    :ivar secret: what fake salts are made from.
    :ivar exposition: where the metrics of modules are shown.
    """

    config: Config
    shards: Shards
    store: Accounts
    log: MessageLog
    clock: Clock
    soon: Callable[[Callable[[], None]], Any]
    in_thread: InThread
    secret: bytes
    certificate_addresses: Callable[[bytes], list[str]] = field(default=lambda certificate: [])
    exposition: Exposition = field(default_factory=lambda: Exposition(xmppd.__version__))

    def __post_init__(self) -> None:
        limits = self.config.limits
        self.hosts, self.sessions, self.hooks, self.iqs = self._make_hall()
        self.accounts = AnnouncingAccounts(self.store, self.hooks, self.sessions, self.soon, self.clock)
        self.router = self._make_router()
        self.throttle = LoginThrottle(limits, self.clock)
        self.upkeep = Upkeep(limits, self.clock)
        authenticator = Authenticator(self.accounts, self.secret, self.in_thread, self.certificate_addresses)
        self.clients = ClientContext(
            self.hosts, self.sessions, self.hooks, self.iqs, self.router, self.router.inboxes, authenticator,
            self.throttle, self.upkeep, limits, self.clock, self.soon,
        )  # fmt: skip
        self.threads = Threads(self.in_thread)
        self.authority = Authority(self.accounts, self.hosts)
        self.administration = self._make_administration()
        self.registry = self.administration.registry
        self.loader = Loader(
            self.hooks,
            self.iqs,
            self.registry,
            self._provided(),
            discover(xmppd.modules, self.config.modules.load),
            self.config.modules.configs,
        )

    def _make_hall(self) -> tuple[Hosts, Sessions, Hooks, Iqs]:
        return Hosts(hosts_of(self.config)), Sessions(), Hooks(self.clock), Iqs(self.clock)

    def _make_router(self) -> Router:
        return Router(self.hosts, self.sessions, self.hooks, self.iqs, self.accounts, self.log, self.clock)

    def _make_administration(self) -> Administration:
        return Administration(Registry(), self.authority, audit)

    def _provided(self) -> dict[type, Any]:
        """What modules may ask for, by type."""
        return {
            Accounts: self.accounts,
            Administration: self.administration,
            Authority: self.authority,
            ClientContext: self.clients,
            Clock: self.clock,
            Config: self.config,
            Exposition: self.exposition,
            Hooks: self.hooks,
            Hosts: self.hosts,
            Inboxes: self.router.inboxes,
            Iqs: self.iqs,
            Limits: self.config.limits,
            LoginThrottle: self.throttle,
            MessageLog: self.log,
            Registry: self.registry,
            Router: self.router,
            SessionRows: SqlSessionRows(self.shards),
            Sessions: self.sessions,
            Shards: self.shards,
            Upkeep: self.upkeep,
            Threads: self.threads,
        }

    async def start(self) -> None:
        """Load the modules and begin to look after streams."""
        await self.loader.load_all(self.wanted_modules())
        await self.router.kept.resending.begin()
        self.router.inboxes.start()
        self.upkeep.start()

    def wanted_modules(self) -> list[str]:
        """Return the names of all modules that the configuration does not disable."""
        disabled = set(self.config.modules.disable)
        return [name for name in self.loader.known if name not in disabled]

    async def stop(self) -> None:
        """Stop the modules."""
        self.upkeep.stop()
        self.clients.management.stop()
        self.router.inboxes.stop()
        await self.loader.stop_all()

    def client(self, *, tls_allowed: bool, tls_required: bool, scram_without_tls: bool = False) -> ClientStream:
        """Make the driver of a new client connection."""
        return ClientStream(
            self.clients, tls_allowed=tls_allowed, tls_required=tls_required, scram_without_tls=scram_without_tls
        )
