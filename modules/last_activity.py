"""XEP-0012: Last Activity: when an account was last seen, and for how long the server has been up."""

from dataclasses import dataclass, field
from typing import ClassVar

from xmppd.core.accounts import Accounts
from xmppd.core.clock import Clock
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep
from xmppd.core.sessions import Sessions
from xmppd.modules.roster.api import Rosters
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import Forbidden, ItemNotFound, ServiceUnavailable

NS = "jabber:iq:last"


@dataclass(slots=True)
class LastActivity(Module):
    """Tells seconds since an account's last logout, or since the start of the server."""

    name: ClassVar = "last_activity"
    xeps: ClassVar = (Xep(12, "2.0"),)
    features: ClassVar = (NS,)
    account_features: ClassVar = (NS,)

    accounts: Accounts
    clock: Clock
    rosters: Rosters
    sessions: Sessions
    _started: float = field(default=0.0, init=False)

    async def start(self) -> None:
        """Note when the server began."""
        self._started = self.clock.seconds()

    @iq("get", f"{{{NS}}}query", Target.HOST)
    async def uptime(self, request: IqRequest) -> Element:
        """Server Query: how long the server has been running."""
        return _answer(self.clock.seconds() - self._started)

    @iq("get", f"{{{NS}}}query", Target.ANY_ACCOUNT)
    async def last_seen(self, request: IqRequest) -> Element:
        """Offline User Query: only those who may see the account's presence learn it."""
        target = request.target
        if not request.is_own:
            if not (await self.rosters.get(target)).may_see(request.from_.bare):
                raise Forbidden("its presence is not yours to see")
        if self.sessions.available(target):
            return _answer(0)
        account = await self.accounts.get(target)
        if account is None:
            raise ServiceUnavailable()
        if account.last_seen is None:
            raise ItemNotFound("it was never seen")
        return _answer(self.clock.seconds() - account.last_seen, account.last_status)


def _answer(seconds: float, status: str = "") -> Element:
    return E(f"{{{NS}}}query", status or None, seconds=max(0, int(seconds)))
