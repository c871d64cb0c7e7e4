"""The commands of a server in memory, run as `xmppctl` would."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.scenario.server import Server
from xmppd.admin.config import Reloaded
from xmppd.admin.nouns import Needs, register
from xmppd.app.rehearsal import rehearse
from xmppd.config.server import Config
from xmppd.core.administration import Administration, Authority
from xmppd.core.commands import Caller, Origin, Registry
from xmppd.core.threads import Threads
from xmppd.storage.message_log.survey import SqlLogSurvey

NOON = 1_275_307_200.0
SOCKET = Caller(Origin.SOCKET)


@dataclass(frozen=True)
class Revision:
    shard: int
    place: str
    current: str | None
    head: str


@dataclass(frozen=True)
class CertificateInfo:
    host: str
    names: Sequence[str] = ()
    issuer: str = "Let's Encrypt"
    not_after: float = 1_275_307_200.0
    days_left: int = 30
    file: Path = Path("montague.crt")
    warnings: Sequence[str] = ()


@dataclass
class Office:
    """A server, and its administration.

    :ivar file: what `config check` reads; `config` is what comes of it, and may be an exception.
    :ivar running: what the server goes by, if that is not what the file says.
    """

    server: Server = field(default_factory=Server)
    file: Path = Path("xmppd.toml")
    config: Config | Exception = field(default_factory=Config)
    running: Config | Exception | None = None
    reloaded: Reloaded = field(default_factory=Reloaded)
    certificates: list[CertificateInfo] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    migrated: list[str] = field(default_factory=list)
    ends: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        node = self.server.node
        self.registry = Registry()
        self.administration = Administration(self.registry, Authority(node.accounts, node.hosts))
        needs = Needs(
            accounts=node.accounts,
            hosts=node.hosts,
            sessions=node.sessions,
            threads=Threads(self._here),
            clock=self.server.clock,
            hooks=node.hooks,
            iqs=node.iqs,
            loader=node.loader,
            rehearse=partial(rehearse, node),
            router=node.router,
            management=node.clients.management,
            log=node.log,
            survey=SqlLogSurvey(self.server.log),  # type: ignore[arg-type]  # it stands for one
            stop=self.ends.append,
            node="node1",
            started=self.server.clock.seconds(),
            file=self.file,
            read_config=self.read,
            running_config=lambda: self.read() if self.running is None else self._of(self.running),
            reload_config=self.reload,
            certificates=lambda: self.certificates,
            revisions=self._revisions,
            migrate=self._migrate,
        )
        register(self.registry, needs)

    def run(self, words: str, *, caller: Caller = SOCKET, each: Any = None, **given: object) -> Any:
        """Run a command; return its result or raise its error."""
        command = self.registry.find(words.split())
        return self.server.wait(self.administration.run(caller, command, given, each))

    def rows(self, words: str, **given: object) -> list[list[Any]]:
        """Run a command that answers a table; return its rows."""
        return [list(row) for row in self.run(words, **given).rows]

    def values(self, words: str, **given: object) -> Mapping[str, Any]:
        """Run a command that answers fields; return them."""
        values: Mapping[str, Any] = self.run(words, **given).values
        return values

    def read(self) -> Config:
        return self._of(self.config)

    @staticmethod
    def _of(config: Config | Exception) -> Config:
        if isinstance(config, Exception):
            raise config
        return config

    async def reload(self) -> Reloaded:
        self.read()
        return self.reloaded

    @staticmethod
    async def _here(function: Any, *arguments: Any) -> Any:
        return function(*arguments)

    async def _revisions(self) -> Sequence[Revision]:
        return self.revisions

    async def _migrate(self) -> Sequence[str]:
        return self.migrated
