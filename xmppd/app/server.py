"""A node with its sockets: listeners, databases, certificates, signals. The only file that knows both the core and the wings.

`Server.start` opens everything in the order in which it depends on each other and fails with one `StartError` that says what
to do; `Server.stop` closes everything in the opposite order and loses nothing that was accepted.
"""

import asyncio
import secrets
import stat
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError

import xmppd

from ..admin import nouns
from ..admin.socket import AdminSocket, AlreadyRunning
from ..config.changes import adopt
from ..config.server import Config, Kind, Listener, Tls
from ..core.drive import drive_alone
from ..core.log import Log
from ..core.metrics import Exposition
from ..core.shards import StorageUnavailable
from ..protocol.errors import StreamError
from ..storage import migrate
from ..storage.accounts import SqlAccounts
from ..storage.database import Database
from ..storage.jobs import Limits as StorageLimits
from ..storage.shards import SqlShards
from ..transport.admission import Admission
from ..transport.certificate import CertificateError
from ..transport.certificates import CertificateFiles, CertificateStore
from ..transport.flush import FlushQueue
from ..transport.http import HttpSite
from ..transport.listener import Endpoint, Security, Surroundings, listen
from ..transport.listener import Listener as OpenListener
from ..transport.measures import TransportMetrics
from ..transport.tls_contexts import TlsContexts, TlsRules
from .client_certificates import xmpp_addresses
from .expose import expose, pages
from .node import Node, hosts_of

log = Log("server")
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104  # what "*" in the configuration stands for
DRAIN_STEP: Final = 200  # streams closed in one turn of the loop
DRAIN_TIME: Final = 5.0  # seconds that clients have to read their last words
ReadConfig = Callable[[], Config]


class StartError(Exception):
    """The server cannot start; the text is one line that says why and what to do."""


class Server:
    """One process.

    :param file: the configuration file, for messages.
    :param read_config: reads it anew, for reloads.
    :param logs_changed: is told of another `[log]`.
    """

    def __init__(
        self,
        config: Config,
        file: Path,
        reactor: Any,
        loop: asyncio.AbstractEventLoop,
        read_config: ReadConfig,
        logs_changed: Callable[[], None],
    ) -> None:
        self.config = config
        self.file = file
        self.reactor = reactor
        self.loop = loop
        self.read_config = read_config
        self.started = reactor.seconds()
        self._logs_changed = logs_changed
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="worker")
        self._listeners: list[OpenListener] = []
        self._ports: list[Any] = []
        self.is_ready = False
        self.databases = [
            Database(str(shard.url), loop.call_soon_threadsafe, StorageLimits(threads=shard.readers))
            for shard in config.shards
        ]
        self.shards = SqlShards(self.databases, config.server.data_folder / "slots.json")
        self.exposition = Exposition(xmppd.__version__)
        self.transport_metrics = TransportMetrics()
        self.admission = Admission(config.limits.connections, config.limits.connections_per_address)
        self.surroundings = Surroundings(loop, FlushQueue(loop), reactor, self.admission, self.transport_metrics)

    # Starting

    async def start(self) -> None:
        """Open databases, modules and listeners.

        :raises StartError: something cannot be opened; what was is closed by `stop`.
        """
        self._open_databases()
        self.certificates = self._open_certificates()
        self.node = Node(
            self.config,
            self.shards,
            SqlAccounts(self.shards, self.reactor),
            self.reactor,
            self.loop.call_soon,
            self.in_thread,
            self._secret(),
            xmpp_addresses,
        )
        await self.node.start()
        nouns.register(self.node.registry, self._needs())
        expose(self.exposition, self.node, self.databases, self.admission, self.transport_metrics)
        await self._open_admin_socket()
        for listener in self.config.listeners:
            await self._listen(listener)
        self.is_ready = True
        log.info("{node} serves {hosts}", node=self.config.server.node, hosts=", ".join(self.config.hosts))

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function off the loop."""
        return await Deferred.fromFuture(self.loop.run_in_executor(self._workers, function, *args))

    def _open_databases(self) -> None:
        try:
            migrate.migrate(self.databases, lambda line: log.info("{line}", line=line))
            self.shards.load_map()
        except migrate.SchemaMismatch as error:
            raise StartError(str(error)) from error
        except (StorageUnavailable, ValueError) as error:
            raise StartError(f"{self.file}: shards: {error}: start the database or correct the url") from error

    def _open_certificates(self) -> CertificateStore | None:
        files = [
            CertificateFiles(name, host.certificate, host.key)
            for name, host in self.config.hosts.items()
            if host.certificate is not None and host.key is not None
        ]
        if not files:
            return None
        try:
            store = CertificateStore(files, self.reactor)
        except CertificateError as error:
            raise StartError(f"{self.file}: {error}") from error
        store.watch()
        return store

    def _secret(self) -> bytes:
        """Return what fake salts are made from; made once, so that they are the same after every start."""
        file = self.config.server.data_folder / "secret"
        try:
            if not file.exists():
                file.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
                file.write_bytes(secrets.token_bytes(32))
            return file.read_bytes()
        except OSError as error:
            raise StartError(f"{file}: {error.strerror}: let the server's user read and write it") from error

    async def _open_admin_socket(self) -> None:
        admin = self.config.admin
        self._admin = AdminSocket(admin.socket, self.node.administration, self.loop, int(admin.mode))
        try:
            await self._admin.start()
        except AlreadyRunning as error:
            raise StartError(f"{error}: stop that server first, or use another data_folder") from error
        except OSError as error:
            raise StartError(f"{admin.socket}: {error.strerror or error}: see [admin] in {self.file}") from error

    # Listening

    async def _listen(self, listener: Listener) -> None:
        if listener.kind is Kind.HTTP:
            self._listen_http(listener)
            return
        if listener.kind is not Kind.C2S:
            log.warn("{kind} on port {port} is not served by this version", kind=listener.kind, port=listener.port)
            return
        opened = 0
        for address in EVERYWHERE if listener.address == "*" else (listener.address,):
            try:
                self._listeners.append(await self._open(listener, address))
                opened += 1
            except OSError as error:
                if address != "::" or not opened:  # a machine without IPv6 is served by IPv4 alone
                    raise StartError(_port_trouble(error, listener.port, self.file)) from error

    async def _open(self, listener: Listener, address: str) -> OpenListener:
        security = {Tls.DIRECT: Security.DIRECT, Tls.NONE: Security.NONE}.get(listener.tls, Security.STARTTLS)
        contexts = None
        if security is not Security.NONE:
            if self.certificates is None:
                raise StartError(f"{self.file}: port {listener.port} wants TLS: give a host a certificate and a key")
            rules = TlsRules(
                ask_certificate=listener.client_authorities is not None, authorities=listener.client_authorities
            )
            contexts = TlsContexts(self.certificates, rules)
        endpoint = Endpoint(address, listener.port, security, proxy_protocol=listener.proxy_protocol)

        def receiver() -> Any:
            return self.node.client(
                tls_allowed=security is Security.STARTTLS,
                tls_required=listener.tls in (Tls.STARTTLS, Tls.DIRECT) and not listener.scram_without_tls,
                scram_without_tls=listener.scram_without_tls,
            )

        opening = listen(endpoint, receiver, self.surroundings, contexts)
        return await Deferred.fromFuture(asyncio.ensure_future(opening, loop=self.loop))

    def _listen_http(self, listener: Listener) -> None:
        if listener.tls is not Tls.NONE:
            log.warn("HTTP over TLS on port {port} is not served by this version", port=listener.port)
            return
        site = HttpSite(pages(self.exposition, lambda: self.is_ready, self.databases), self.reactor)
        for address in EVERYWHERE if listener.address == "*" else (listener.address,):
            try:
                self._ports.append(self.reactor.listenTCP(listener.port, site, interface=address))
            except CannotListenError as error:
                raise StartError(_port_trouble(error.socketError, listener.port, self.file)) from error

    # Administration

    def _needs(self) -> nouns.Needs:
        node = self.node
        return nouns.Needs(
            accounts=node.accounts,
            hosts=node.hosts,
            sessions=node.sessions,
            threads=node.threads,
            clock=self.reactor,
            hooks=node.hooks,
            iqs=node.iqs,
            loader=node.loader,
            node=self.config.server.node,
            started=self.started,
            file=self.file,
            read_config=self.read_config,
            running_config=lambda: self.config,
            reload_config=self.reload,
            certificates=lambda: self.certificates.list() if self.certificates is not None else [],
            revisions=lambda: self.in_thread(migrate.status, self.databases),
            migrate=self._migrate,
        )

    async def _migrate(self) -> Sequence[str]:
        lines: list[str] = []
        await self.in_thread(migrate.migrate, self.databases, lines.append)
        return lines

    async def reload(self) -> Sequence[str]:
        """Read the configuration again, change what can change live; return what changed, and what needs a restart.

        :raises ConfigError: the file has mistakes; nothing was changed.
        """
        fresh = self.read_config()
        changes = adopt(self.config, fresh)
        self.node.hosts.replace(hosts_of(self.config))
        self.node.clients.limits_changed()
        self.admission.total = self.config.limits.connections
        self.admission.per_address = self.config.limits.connections_per_address
        self._logs_changed()
        if self.certificates is not None:
            for host in self.certificates.reload():
                log.info("{host} has another certificate", host=host)
        for change in changes:
            log.info("configuration: {change}", change=str(change))
        return [str(change) for change in changes]

    def hang_up(self) -> None:
        """SIGHUP: as `xmppctl config reload`."""
        drive_alone(
            self.reload(), lambda error: log.error("the configuration was not reloaded: {error}", error=str(error))
        )

    # Stopping

    async def stop(self) -> None:
        """Close everything; clients are told `system-shutdown`."""
        self.is_ready = False
        for listener in self._listeners:
            listener.close()
        for port in self._ports:
            port.stopListening()
        if hasattr(self, "_admin"):
            self._admin.stop()
        if hasattr(self, "node"):
            await self._close_streams()
            await self.node.stop()
        if getattr(self, "certificates", None) is not None:
            self.certificates.stop()  # type: ignore[union-attr]
        await self.shards.close()
        self._workers.shutdown(wait=False)

    async def _close_streams(self) -> None:
        streams = self.node.upkeep.streams()
        for number, stream in enumerate(streams):
            stream.close(StreamError("system-shutdown", "the server is being stopped"))
            if number % DRAIN_STEP == DRAIN_STEP - 1:
                await self._pause(0.0)
        waited = 0.0
        while self.admission.open and waited < DRAIN_TIME:
            await self._pause(0.05)
            waited += 0.05

    def _pause(self, seconds: float) -> Awaitable[None]:
        waiting: Deferred[None] = Deferred()
        self.reactor.callLater(seconds, waiting.callback, None)
        return waiting


def _port_trouble(error: OSError, port: int, file: Path) -> str:
    text = error.strerror or str(error)
    if port and port < 1024 and isinstance(error, PermissionError):
        return f"port {port}: {text}: ports below 1024 need the capability CAP_NET_BIND_SERVICE"
    return f"port {port}: {text}: stop what listens there, or choose another port in {file}"
