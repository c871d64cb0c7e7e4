"""XEP-0160: Best Practices for Handling Offline Messages: what waits is read by the first resource that can have it.

There is no spool. A message waits as what it is anyhow, a row of its account's log that nobody has acknowledged
(`core.inbox`); this module says when a resource begins to read, and how much may wait.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from xmppd.config.schema import option
from xmppd.core.drive import drive_alone
from xmppd.core.events import DiscoInfo, InboundMessage
from xmppd.core.hooks import Hooks, Pending, Phase, collect, notice, on
from xmppd.core.host import Hosts
from xmppd.core.inbox import Inboxes
from xmppd.core.message_log import WAIT, MessageLog
from xmppd.core.module import Module, Xep
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.modules.presence.api import ResourceReachable
from xmppd.protocol.errors import ServiceUnavailable
from xmppd.protocol.jid import Jid

REMEMBERED: Final = 10_000
"""Accounts of which it is known how much waits."""


@dataclass(slots=True, kw_only=True)
class OfflineConfig:
    """Messages that wait."""

    messages: int = option(5000, ge=0, live=True, help="How many messages may wait for one account; 0 for no limit.")


@dataclass(slots=True)
class Offline(Module):
    """Hands out what waits, and bounds it."""

    name: ClassVar = "offline"
    xeps: ClassVar = (Xep(160, "1.0.1"),)

    config: OfflineConfig
    hooks: Hooks
    hosts: Hosts
    inboxes: Inboxes
    log: MessageLog
    sessions: Sessions
    _waiting: OrderedDict[Jid, int] = field(default_factory=OrderedDict, init=False)

    @collect(DiscoInfo)
    async def describe(self, event: DiscoInfo) -> None:
        """Discovering Support for Offline Messages: on hosts that keep any."""
        host = self.hosts.get(event.target)
        if event.node is None and host is not None and host.stores:
            event.features.add("msgoffline")

    @notice(ResourceReachable)
    async def read(self, event: ResourceReachable) -> None:
        """Process Flow: a resource with a priority that is not negative gets what waits, while its stream goes on."""
        session = event.session
        if session.is_anonymous:
            return
        self._waiting.pop(session.account, None)
        drive_alone(self.inboxes.read(session), self._tell)

    @on(InboundMessage, Phase.DELIVER)
    def bound(self, event: InboundMessage) -> Pending:
        """Refuse what would be too much, as if nothing could wait for this account; whether it would wait is known now.

        :raises ServiceUnavailable: as much waits as may.
        """
        most = self.config.messages
        if not event.keep & ~event.veto & WAIT or not most:
            return None
        sessions = self.sessions.of(event.account)
        if sessions and _takes(sessions, event.stanza.to):
            return None
        return self._bound(event.account, most, is_sure=not sessions)

    async def _bound(self, account: Jid, most: int, *, is_sure: bool) -> None:
        """Count one more; where a session is there, what was counted may have gone to it meanwhile."""
        count = self._waiting.get(account)
        if count is None or (count >= most and not is_sure):
            count = await self.log.count_waiting(account)
        if count >= most:
            raise ServiceUnavailable("too many messages wait for this account")
        self._remember(account, count + 1)

    def _remember(self, account: Jid, count: int) -> None:
        self._waiting[account] = count
        self._waiting.move_to_end(account)
        if len(self._waiting) > REMEMBERED:
            self._waiting.popitem(last=False)

    def _tell(self, error: BaseException) -> None:
        assert isinstance(error, Exception), "whatever else is raised ends the process"
        self.hooks.faults.tell("offline.read", "ResourceReachable", error)


def _takes(sessions: Sequence[Session], to: Jid | None) -> bool:
    """Whether any session gets a message now (RFC 6121, 8.5)."""
    for session in sessions:
        if session.presence is not None and session.priority >= 0:
            return True
        if to is not None and session.resource == to.resourcepart:
            return True
    return False
