"""All nouns, and the words that each of them brings.

`xmppctl` reads the declarations of all of them for its help, so no noun's file imports Twisted or SQLAlchemy at its
top.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..core.accounts import Accounts
from ..core.clock import Clock
from ..core.commands import Command, Registry, declared_in
from ..core.host import Hosts
from ..core.seam import Seam
from ..core.sessions import Sessions
from ..core.threads import Threads
from .accounts import AccountCommands
from .activity import ActivityCommands
from .certificates import CertificateCommands, CertificateInfo
from .config import ConfigCommands, Reloaded
from .database import DatabaseCommands, Revision
from .explain import ExplainCommands
from .hooks import HookCommands
from .hosts import HostCommands
from .lifecycle import LifecycleCommands
from .log_tail import LogTailCommands
from .message_log import MessageLogCommands
from .message_trace import RecordCommands, TraceCommands
from .modules import ModuleCommands
from .offline_messages import OfflineCommands
from .sessions import SessionCommands
from .status import StatusCommands
from .watch import Taps, WatchCommands

if TYPE_CHECKING:
    from ..config.server import Config
    from ..core.hooks import Hooks
    from ..core.iq import Iqs
    from ..core.loader import Loader
    from ..core.log_survey import LogSurvey
    from ..core.message_log import MessageLog
    from ..core.router import Router
    from ..core.stream_management.management import StreamManagement
    from ..core.trace import Step
    from ..protocol.stanza import Stanza

OWNER: Final = "xmppd"
"""Who brings these commands, in the registry."""

NOUNS: Final[tuple[type, ...]] = (
    AccountCommands,
    ActivityCommands,
    CertificateCommands,
    ConfigCommands,
    DatabaseCommands,
    ExplainCommands,
    HookCommands,
    HostCommands,
    LifecycleCommands,
    LogTailCommands,
    MessageLogCommands,
    ModuleCommands,
    OfflineCommands,
    RecordCommands,
    SessionCommands,
    StatusCommands,
    TraceCommands,
    WatchCommands,
)


def declared() -> list[Command]:
    """Return the declarations of all nouns, to be described, not run."""
    found = [command for noun in NOUNS for command in declared_in(noun, OWNER)]
    return sorted(found, key=lambda command: command.words)


@dataclass(slots=True, kw_only=True)
class Needs:
    """What the nouns of a running server live on; the files of the nouns say what each is for.

    :ivar accounts: the store that tells sessions and modules of what is changed.
    :ivar started: when the server started, by the clock.
    :ivar stop: ends the process; with True it begins anew.
    """

    accounts: Accounts
    hosts: Hosts
    sessions: Sessions
    threads: Threads
    clock: Clock
    hooks: "Hooks"
    iqs: "Iqs"
    loader: "Loader"
    router: "Router"
    management: "StreamManagement"
    log: "MessageLog"
    survey: "LogSurvey"
    stop: Callable[[bool], None]
    rehearse: "Callable[[Stanza], Awaitable[Sequence[Step]]]"
    node: str
    started: float
    file: Path
    read_config: "Callable[[], Config]"
    running_config: "Callable[[], Config]"
    reload_config: Callable[[], Awaitable[Reloaded]]
    certificates: Callable[[], Sequence[CertificateInfo]]
    revisions: Callable[[], Awaitable[Sequence[Revision]]]
    migrate: Callable[[], Awaitable[Sequence[str]]]


def register(registry: Registry, needs: Needs) -> None:
    """Add the commands of a running server to its registry."""
    for noun in online(needs):
        registry.register(OWNER, noun)


def online(needs: Needs) -> Sequence[object]:
    """Return the nouns of a running server."""
    from ..core.message_trace import MessageTrace

    taps, inboxes = Taps(needs.hooks), needs.router.inboxes
    messages = MessageTrace(needs.log, inboxes, needs.sessions)
    deliveries, acknowledgements = Seam(inboxes, "delivered"), Seam(needs.management, "acknowledged")
    return (
        AccountCommands(needs.accounts, needs.hosts, needs.sessions, needs.threads),
        ActivityCommands(needs.sessions, needs.hosts, needs.clock),
        CertificateCommands(needs.certificates),
        ConfigCommands(needs.file, needs.read_config, needs.running_config, needs.reload_config),
        DatabaseCommands(needs.revisions, needs.migrate),
        ExplainCommands(needs.hosts, needs.rehearse),
        HookCommands(needs.hooks, needs.iqs),
        HostCommands(needs.hosts, needs.accounts, needs.sessions),
        LifecycleCommands(needs.clock, needs.sessions, needs.router, needs.stop),
        LogTailCommands(Seam(inboxes, "note")),
        MessageLogCommands(needs.log, needs.survey, inboxes, needs.hosts, needs.clock),
        ModuleCommands(needs.loader),
        OfflineCommands(needs.log, needs.survey, inboxes, needs.hosts),
        RecordCommands(messages, needs.clock, taps, deliveries, acknowledgements),
        SessionCommands(needs.sessions, needs.hosts),
        StatusCommands(needs.node, needs.clock, needs.started, needs.hosts, needs.sessions, needs.loader.loaded),
        TraceCommands(messages, needs.clock),
        WatchCommands(taps, needs.clock),
    )
