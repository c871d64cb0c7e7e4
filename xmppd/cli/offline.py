"""Commands without a server: the nouns that can do without one, on the configuration's files and databases.

The same commands run here as in the server, through the same `Administration`; only what their fields hold differs. An
account is removed with everything that modules keep for it, so a node without sockets (`xmppd.app.node`) is built for
that. The databases are used in this very thread: nothing ever waits, and no event loop is needed.
"""

import os
import pwd
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred

from ..admin.accounts import AccountCommands
from ..admin.certificates import CertificateCommands
from ..admin.config import ConfigCommands, problems
from ..admin.database import DatabaseCommands
from ..admin.message_log import MessageLogCommands
from ..admin.message_trace import TraceCommands
from ..admin.nouns import OWNER
from ..admin.offline_messages import OfflineCommands
from ..app.main import read
from ..app.node import Node, hosts_of
from ..config.problems import ConfigError
from ..config.server import Config
from ..core.administration import Administration, Authority
from ..core.commands import Caller, CommandError, Exit, Origin, Registry
from ..core.discovery import LoadError
from ..core.drive import drive
from ..core.fault_log import FaultLog
from ..core.host import Hosts
from ..core.inbox import Inboxes
from ..core.log import Log
from ..core.message_trace import MessageTrace
from ..core.results import Row, plain, plain_result
from ..core.sessions import Sessions
from ..core.shards import StorageUnavailable
from ..core.threads import Threads
from ..storage import migrate
from ..storage.accounts import SqlAccounts
from ..storage.database import Database
from ..storage.jobs import Limits
from ..storage.message_log.log import SqlMessageLog
from ..storage.message_log.survey import SqlLogSurvey
from ..storage.shards import SqlShards
from ..transport.certificate import CertificateError
from ..transport.certificates import CertificateFiles, CertificateStore

T = TypeVar("T")
Each = Callable[[dict[str, Any]], None]
CALLER: Final = Caller(Origin.OFFLINE)


class InertCall:
    """A call that never comes, since the process ends before."""

    def cancel(self) -> None:
        """Do not make the call."""

    def active(self) -> bool:
        """Say whether the call is still to come."""
        return True


class WallClock:
    """The time of day; whatever is to be called later is not."""

    def seconds(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def callLater(self, delay: float, callable: Callable[..., object], *args: Any, **kw: Any) -> InertCall:
        """Call nothing."""
        return InertCall()


def run(
    file: Path, words: Sequence[str], arguments: Mapping[str, object], each: Each = lambda row: None
) -> dict[str, Any]:
    """Run one command with the configuration in `file`; return its result as JSON carries it.

    :param each: is called with every row of a command that streams.
    :raises CommandError: it cannot be done.
    """
    registry = Registry()

    async def take(row: Row) -> None:
        each({name: plain(value) for name, value in row.items()})

    with ExitStack() as stack, _told():
        registry.register(OWNER, NOUNS[words[0]](file, stack))
        administration = Administration(registry, Authority())
        return plain_result(at_once(administration.run(CALLER, registry.find(words), arguments, take)))


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns that has nothing to wait for."""
    outcome = drive(work)
    if isinstance(outcome, Deferred):
        raise RuntimeError("a command waits for something that only a running server has")
    return outcome


async def here(function: Callable[..., T], *arguments: Any) -> T:
    """Run in this thread what a server runs in another one."""
    return function(*arguments)


def now(function: Callable[[], None]) -> None:
    """Do at once what a server does in the next turn of its loop."""
    function()


@contextmanager
def _told() -> Iterator[None]:
    """Turn what can be wrong with files and databases into what a command says."""
    try:
        yield
    except ConfigError as error:
        raise CommandError(str(error), details=problems(error)) from error
    except (LoadError, CertificateError) as error:
        raise CommandError(str(error)) from error
    except migrate.SchemaMismatch as error:
        raise CommandError(str(error), "xmppctl db migrate does that") from error
    except StorageUnavailable as error:
        raise CommandError(f"the database does not answer: {error}") from error


def config_commands(file: Path, stack: ExitStack) -> ConfigCommands:
    """Return `config`: what a server would run with is what the file says."""
    return ConfigCommands(file, lambda: read(file), lambda: read(file))


def certificate_commands(file: Path, stack: ExitStack) -> CertificateCommands:
    """Return `cert` over the files that the configuration names."""
    files = [
        CertificateFiles(name, host.certificate, host.key)
        for name, host in read(file).hosts.items()
        if host.certificate is not None and host.key is not None
    ]
    store = CertificateStore(files, WallClock()) if files else None
    return CertificateCommands(store.list if store else list)


def database_commands(file: Path, stack: ExitStack) -> DatabaseCommands:
    """Return `db` over the databases of the configuration."""
    databases = open_databases(read(file), stack)

    def bring_up() -> Sequence[str]:
        lines: list[str] = []
        migrate.migrate(databases, lines.append)
        return lines

    return DatabaseCommands(lambda: here(migrate.status, databases), lambda: here(bring_up))


def account_commands(file: Path, stack: ExitStack) -> AccountCommands:
    """Return `account` over the databases, with all modules at hand for what they keep for accounts."""
    config = read(file)
    databases = open_databases(config, stack)
    migrate.check(databases)
    shards = SqlShards(databases)
    shards.load_map()
    clock = WallClock()
    log = SqlMessageLog(shards, clock, now)
    node = Node(config, shards, SqlAccounts(shards, clock), log, clock, soon=now, in_thread=here, secret=b"")
    at_once(node.loader.load_all(node.wanted_modules()))
    stack.callback(lambda: at_once(node.loader.stop_all()))
    return AccountCommands(node.accounts, node.hosts, node.sessions, Threads(here))


def message_log_commands(file: Path, stack: ExitStack) -> MessageLogCommands:
    """Return `log` over the databases: what looks at kept messages, and removes them."""
    parts = _message_log(file, stack)
    return MessageLogCommands(parts.log, parts.survey, parts.inboxes, parts.hosts, parts.clock)


def offline_message_commands(file: Path, stack: ExitStack) -> OfflineCommands:
    """Return `offline` over the databases."""
    parts = _message_log(file, stack)
    return OfflineCommands(parts.log, parts.survey, parts.inboxes, parts.hosts)


def trace_commands(file: Path, stack: ExitStack) -> TraceCommands:
    """Return `trace` over the databases: nobody is connected, and nothing was recorded."""
    parts = _message_log(file, stack)
    return TraceCommands(MessageTrace(parts.log, parts.inboxes, Sessions()), parts.clock)


@dataclass(frozen=True, slots=True)
class _MessageLog:
    """What there is of the message log without a server."""

    log: SqlMessageLog
    survey: SqlLogSurvey
    inboxes: Inboxes
    hosts: Hosts
    clock: WallClock


def _message_log(file: Path, stack: ExitStack) -> _MessageLog:
    config = read(file)
    databases = open_databases(config, stack)
    migrate.check(databases)
    shards = SqlShards(databases)
    shards.load_map()
    clock = WallClock()
    log = SqlMessageLog(shards, clock, now)
    inboxes = Inboxes(log, Sessions(), clock, FaultLog(Log("xmppctl"), clock))
    return _MessageLog(log, SqlLogSurvey(log), inboxes, Hosts(hosts_of(config)), clock)


def open_databases(config: Config, stack: ExitStack) -> Sequence[Database]:
    """Return the shards, to be used in this thread and closed with `stack`."""
    if any(shard.url.startswith("sqlite") for shard in config.shards):
        refuse_strangers(config.server.data_folder)
    databases = [Database(shard.url, _never, Limits(threads=0)) for shard in config.shards]
    for database in databases:
        stack.callback(database.close)
    return databases


def _never(*unused: object) -> None:
    """Stand in for the call into a loop that is not there."""
    raise RuntimeError("there is no loop to call into")


def refuse_strangers(folder: Path) -> None:
    """Raise `CommandError` unless we are the owner of the data: files that we leave would lock the server out."""
    if not folder.exists():
        raise CommandError(f"{folder} does not exist", "start the server once: it sets everything up")
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise CommandError(f"{folder} belongs to another user", f"run this as {user_name(owner)}", Exit.REFUSED)


def user_name(number: int) -> str:
    """Return the name of a user, or the number of one without."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


NOUNS: Final[Mapping[str, Callable[[Path, ExitStack], object]]] = {
    "account": account_commands,
    "cert": certificate_commands,
    "config": config_commands,
    "db": database_commands,
    "log": message_log_commands,
    "offline": offline_message_commands,
    "trace": trace_commands,
}
