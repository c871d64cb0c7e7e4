"""A node with its sockets: listeners, databases, certificates. The only file that knows both the core and the wings.

`Server.start` opens everything in the order in which it depends on each other and fails with one `StartError` that says
what to do; `Server.stop` closes everything in the opposite order and loses nothing that was accepted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred

import xmppd

from ..admin import nouns
from ..admin.config import Reloaded
from ..admin.socket import AdminSocket, AlreadyRunning
from ..config.changes import adopt
from ..config.check import notes
from ..config.server import Config
from ..core.discovery import LoadError
from ..core.drive import drive_alone
from ..core.host import Hosts
from ..core.log import Log
from ..core.metrics import Exposition
from ..core.shards import StorageUnavailable
from ..protocol.errors import StreamError
from ..storage import migrate
from ..storage.accounts import SqlAccounts
from ..storage.database import Database
from ..storage.jobs import Limits as StorageLimits
from ..storage.message_log.log import SqlMessageLog
from ..storage.message_log.pace import GAP
from ..storage.message_log.survey import SqlLogSurvey
from ..storage.shards import SqlShards
from ..transport.admission import Admission
from ..transport.certificate import CertificateError
from ..transport.flush import FlushQueue
from ..transport.http import HttpSite
from ..transport.listener import Surroundings
from ..transport.measures import TransportMetrics
from .client_certificates import xmpp_addresses
from .data_folder import DataFolder
from .expose import expose, pages
from .host_certificates import HostCertificates, files_of
from .keeping import kept_for, longest
from .listening import Ports
from .node import Node, hosts_of
from .readiness import Readiness
from .rehearsal import rehearse
from .start_error import StartError

__all__ = ["Server", "StartError"]

log = Log("server")
DRAIN_STEP: Final = 200  # streams closed in one turn of the loop
DRAIN_TIME: Final = 5.0  # seconds that clients have to read their last words
DRAIN_LOOK: Final = 0.05  # seconds between two looks whether they have
ReadConfig = Callable[[], Config]


class Server:
    """One process.

    :param file: the configuration file, for messages.
    :param data: the data folder, opened; it is closed by whoever opened it.
    :param read_config: reads the configuration anew, for reloads.
    :param logs_changed: is told of another `[log]`.
    :ivar is_ready: every listener accepts connections.
    :ivar begins_anew: the process is to be started again when it has ended.
    """

    def __init__(
        self,
        config: Config,
        file: Path,
        data: DataFolder,
        reactor: Any,
        loop: asyncio.AbstractEventLoop,
        read_config: ReadConfig,
        logs_changed: Callable[[], None],
    ) -> None:
        self.config = config
        self.file = file
        self.data = data
        self.reactor = reactor
        self.loop = loop
        self.read_config = read_config
        self.started = reactor.seconds()
        self.is_ready = False
        self.begins_anew = False
        self.exposition = Exposition(xmppd.__version__)
        self.transport_metrics = TransportMetrics()
        self.admission = Admission(config.limits.connections, config.limits.connections_per_address)
        self.surroundings = Surroundings(loop, FlushQueue(loop), reactor, self.admission, self.transport_metrics)
        self.node: Node | None = None
        self.certificates: HostCertificates | None = None
        self.shards: SqlShards | None = None
        self._logs_changed = logs_changed
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="worker")
        self._databases: list[Database] = []
        self._admin: AdminSocket | None = None
        self._ports: Ports | None = None
        self._message_log: SqlMessageLog | None = None

    # Starting

    async def start(self) -> None:
        """Open databases, modules and listeners.

        :raises StartError: something cannot be opened; what was is closed by `stop`.
        """
        for note in notes(self.config):
            log.warn("{file}: {note}", file=self.file, note=note)
        self.shards = self._open_databases()
        self.certificates = self._open_certificates()
        self.node = node = self._make_node(self.shards)
        try:
            await node.start()
        except LoadError as error:
            raise StartError(f"{self.file}: modules: {error}") from error
        nouns.register(node.registry, self._needs(node))
        expose(self.exposition, node, self._databases, self._log(), self.admission, self.transport_metrics)
        self._log().start()
        await self._open_admin_socket(node)
        await self._open_ports(node)
        self.is_ready = True
        log.info("{node} serves {hosts}", node=self.config.server.node, hosts=", ".join(self.config.hosts))

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function off the loop."""
        return await Deferred.fromFuture(self.loop.run_in_executor(self._workers, function, *args))

    def _open_databases(self) -> SqlShards:
        try:
            self._databases.extend(
                Database(
                    str(shard.url),
                    self.loop.call_soon_threadsafe,
                    StorageLimits(threads=shard.readers),
                    call_soon=self.loop.call_soon,
                )
                for shard in self.config.shards
            )
            shards = SqlShards(self._databases, self.data.path / "slots.json")
            migrate.migrate(self._databases, lambda line: log.info("{line}", line=line))
            shards.load_map()
        except migrate.SchemaMismatch as error:
            raise StartError(str(error)) from error
        except (StorageUnavailable, ValueError) as error:
            raise StartError(f"{self.file}: shards: {error}: start the database or correct the url") from error
        return shards

    def _open_certificates(self) -> HostCertificates | None:
        if not files_of(self.config.hosts):
            return None
        try:
            return HostCertificates(self.config.hosts, self.reactor)
        except CertificateError as error:
            raise StartError(f"{self.file}: {error}") from error

    def _make_node(self, shards: SqlShards) -> Node:
        self._message_log = SqlMessageLog(
            shards,
            self.reactor,
            self.loop.call_soon,
            keep=lambda owner: kept_for(owner, self._hosts()),
            longest=lambda: longest(self._hosts()),
            gap=GAP,
        )
        return Node(
            self.config,
            shards,
            SqlAccounts(shards, self.reactor),
            self._message_log,
            self.reactor,
            self.loop.call_soon,
            self.in_thread,
            self.data.secret(),
            xmpp_addresses,
            self.exposition,
        )

    def _log(self) -> SqlMessageLog:
        assert self._message_log is not None, "it is made before anything asks for it"
        return self._message_log

    def _hosts(self) -> Hosts:
        assert self.node is not None, "nobody asks how long messages are kept before there is a node"
        return self.node.hosts

    async def _open_admin_socket(self, node: Node) -> None:
        admin = self.config.admin
        opening = AdminSocket(admin.socket, node.administration, self.loop, int(admin.mode))
        try:
            await opening.start()
        except AlreadyRunning as error:
            raise StartError(f"{error}: stop that server first, or set another admin.socket in {self.file}") from error
        except OSError as error:
            raise StartError(f"{admin.socket}: {error.strerror or error}: see [admin] in {self.file}") from error
        self._admin = opening

    async def _open_ports(self, node: Node) -> None:
        ready = Readiness(lambda: self.is_ready, self._databases)
        site = HttpSite(pages(self.exposition, ready.page), self.reactor)
        self._ports = Ports(self.file, self.reactor, self.surroundings, self.certificates, node.client, site)
        for listener in self.config.listeners:
            await self._ports.open(listener)

    # Administration

    def _needs(self, node: Node) -> nouns.Needs:
        return nouns.Needs(
            accounts=node.accounts,
            hosts=node.hosts,
            sessions=node.sessions,
            threads=node.threads,
            clock=self.reactor,
            hooks=node.hooks,
            iqs=node.iqs,
            loader=node.loader,
            rehearse=partial(rehearse, node),
            router=node.router,
            management=node.clients.management,
            log=node.log,
            survey=SqlLogSurvey(self._log()),
            stop=self._end,
            node=self.config.server.node,
            started=self.started,
            file=self.file,
            read_config=self.read_config,
            running_config=lambda: self.config,
            reload_config=self.reload,
            certificates=lambda: self.certificates.list() if self.certificates is not None else [],
            revisions=lambda: self.in_thread(migrate.status, self._databases),
            migrate=self._migrate,
        )

    def _end(self, again: bool) -> None:
        """Let the process end, and begin anew if it shall."""
        self.begins_anew = again
        self.reactor.stop()

    async def _migrate(self) -> Sequence[str]:
        lines: list[str] = []
        await self.in_thread(migrate.migrate, self._databases, lines.append)
        return lines

    async def reload(self) -> Reloaded:
        """Read the configuration again, change what can change live; return what changed, and what needs a restart.

        :raises ConfigError: the file has mistakes; nothing was changed.
        """
        changes = adopt(self.config, self.read_config())
        for change in changes:
            log.info("configuration: {change}", change=str(change))
        limits = self.config.limits
        self.admission.total, self.admission.per_address = limits.connections, limits.connections_per_address
        if self.node is not None:
            self.node.hosts.replace(hosts_of(self.config))
            self.node.clients.limits_changed()
        self._logs_changed()
        return Reloaded(changes, self._reload_certificates())

    def _reload_certificates(self) -> Sequence[str]:
        if self.certificates is None:
            return ()
        try:
            return [f"{host} has another certificate" for host in self.certificates.reload()]
        except CertificateError as error:
            log.error("a certificate is not used, the old one stays: {error}", error=str(error))
            return [f"not used, the old certificate stays: {error}"]

    def hang_up(self) -> None:
        """SIGHUP: as `xmppctl config reload`."""
        drive_alone(
            self.reload(), lambda error: log.error("the configuration was not reloaded: {error}", error=str(error))
        )

    # Stopping

    async def stop(self) -> None:
        """Close everything; clients are told `system-shutdown`."""
        self.is_ready = False
        if self._ports is not None:
            self._ports.close()
        if self._admin is not None:
            self._admin.stop()
        if self.node is not None:
            await self._close_streams(self.node)
            await self.node.stop()
        if self.certificates is not None:
            self.certificates.stop()
        if self._message_log is not None:
            await self._message_log.close()
        if self.shards is not None:
            await self.shards.close()
        self._workers.shutdown(wait=False)

    async def _close_streams(self, node: Node) -> None:
        """Tell every client, some of them in each turn, and give them time to go."""
        for number, stream in enumerate(node.upkeep.streams()):
            try:
                stream.close(StreamError("system-shutdown", "the server is being stopped"))
            except Exception as error:
                log.failure("the stream of {peer} could not be closed", error, peer=stream.peer_address)
            if number % DRAIN_STEP == DRAIN_STEP - 1:
                await self._pause(0.0)
        waited = 0.0
        while self.admission.open and waited < DRAIN_TIME:
            await self._pause(DRAIN_LOOK)
            waited += DRAIN_LOOK

    def _pause(self, seconds: float) -> Awaitable[None]:
        waiting: Deferred[None] = Deferred()
        self.reactor.callLater(seconds, waiting.callback, None)
        return waiting
