"""XEP-0012: Last Activity: when an account was last seen, and for how long the server has been up.

Both an account and its resources are asked about by who may see their presence, and by nobody else. The XEP has
`forbidden` for strangers; but then everybody could find out which accounts exist, since a request to one that does not
is answered `service-unavailable` (RFC 6121, 8.5.1). So that is the answer for both.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Final

from xmppd.core.clock import Clock
from xmppd.core.events import InboundIq
from xmppd.core.hooks import Hooks, Phase, Verdict, on
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep
from xmppd.core.sessions import Sessions
from xmppd.modules.presence.api import Departures
from xmppd.modules.roster.api import Rosters, who_may_learn
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import ItemNotFound, ServiceUnavailable
from xmppd.protocol.jid import Jid

NS: Final = "jabber:iq:last"
QUERY: Final = f"{{{NS}}}query"


@dataclass(slots=True)
class LastActivity(Module):
    """Tells seconds since an account's last logout, or since the start of the server."""

    name: ClassVar = "last_activity"
    xeps: ClassVar = (Xep(12, "2.0", note="an account that one may not ask looks like none: RFC 6121, 8.5.1"),)
    features: ClassVar = (NS,)
    account_features: ClassVar = (NS,)

    clock: Clock
    departures: Departures
    hooks: Hooks
    rosters: Rosters
    sessions: Sessions
    _started: float = field(default=0.0, init=False)

    async def start(self) -> None:
        """Note when the server began."""
        self._started = self.clock.seconds()

    @iq("get", QUERY, Target.HOST)
    async def uptime(self, request: IqRequest) -> Element:
        """Server and Component Query: how long the server has been running."""
        return _answer(self.clock.seconds() - self._started)

    @iq("get", QUERY, Target.ANY_ACCOUNT)
    async def last_seen(self, request: IqRequest) -> Element:
        """Offline User Query: how long ago the account's last session ended; 0 as long as it has one.

        :raises ItemNotFound: it never had one.
        """
        target = request.target
        await self._check(target, request.from_)
        if self.sessions.of(target):
            return _answer(0)
        left = await self.departures.last(target)
        if left is None:
            raise ItemNotFound("it was never seen")
        return _answer(self.clock.seconds() - left.when, left.status)

    @on(InboundIq, Phase.GUARD)
    async def guard_resource(self, event: InboundIq) -> Verdict | None:
        """Online User Query: a resource is asked by who may see it only; that it answers would give it away."""
        stanza = event.stanza
        if stanza.type != "get" or stanza.child(QUERY) is None or stanza.to is None:
            return None
        session = self.sessions.at(stanza.to)
        shown = () if session is None else session.directed or ()
        if stanza.from_ not in shown and stanza.from_.bare not in shown:
            await self._check(event.account, stanza.from_)
        return None

    async def _check(self, account: Jid, asker: Jid) -> None:
        """Return if `asker` may know of an account's presence, else raise `ServiceUnavailable`."""
        if asker.bare == account:
            return
        roster = await self.rosters.get(account)
        if not roster.may_see(asker.bare) or not await who_may_learn(self.hooks, account, (asker.bare,)):
            raise ServiceUnavailable()


def _answer(seconds: float, status: str = "") -> Element:
    return E(QUERY, status or None, seconds=max(0, int(seconds)))
