"""Answers to probes (RFC 6121, 4.3.2): who asks what an account's presence is, and may know it, is told.

Everybody else is answered "unsubscribed", which brings their roster back in step with ours, be it that the account does
not know them, that their request still waits for its answer, or that there is no such account. Nobody can tell which.
"""

from collections.abc import Sequence

from xmppd.core.hooks import Hooks
from xmppd.core.router import Router
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.modules.roster.api import Rosters, who_may_learn
from xmppd.protocol.delay import Delay
from xmppd.protocol.element import E, Element
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import CLIENT
from xmppd.protocol.stanza import Stanza

from .api import Departures

STATUS = f"{{{CLIENT}}}status"


class Probes:
    """Answers probes in the name of local accounts."""

    def __init__(
        self, rosters: Rosters, router: Router, sessions: Sessions, hooks: Hooks, departures: Departures
    ) -> None:
        self._rosters = rosters
        self._router = router
        self._sessions = sessions
        self._hooks = hooks
        self._departures = departures

    async def answer(self, account: Jid, probe: Stanza) -> None:
        """Answer a probe."""
        prober = probe.from_
        roster = await self._rosters.get(account)
        if prober.bare != account:
            if not roster.may_see(prober.bare):
                await self._refuse(account, probe)
                return
            if not await who_may_learn(self._hooks, account, (prober.bare,)):
                return
        shown = self._asked_for(account, probe)
        for session in shown:
            await self._show(session, prober)
        if not shown:
            await self._tell_unavailable(account, probe)

    def _asked_for(self, account: Jid, probe: Stanza) -> Sequence[Session]:
        """Return the available resources that the probe is about."""
        to = probe.to
        available = self._sessions.available(account)
        if to is None or not to.resourcepart:
            return available
        return [session for session in available if session.resource == to.resourcepart]

    async def _show(self, session: Session, prober: Jid) -> None:
        if session.presence is not None:
            await self._router.send(session.presence.copy(to=prober))

    async def _refuse(self, account: Jid, probe: Stanza) -> None:
        """Show what was shown to the prober by directed presence (4.6.5); else tell it that it is not subscribed."""
        prober = probe.from_
        shown = [each for each in self._asked_for(account, probe) if each.directed and prober in each.directed]
        for session in shown:
            await self._show(session, prober)
        if not shown:
            await self._router.send(Stanza.build("presence", to=prober.bare, from_=account, type="unsubscribed"))

    async def _tell_unavailable(self, account: Jid, probe: Stanza) -> None:
        sender = account if probe.to is None else probe.to
        last_words = [] if self._sessions.of(account) else await self._last_words(account)
        await self._router.send(
            Stanza.build("presence", *last_words, to=probe.from_, from_=sender, type="unavailable", id=probe.id)
        )

    async def _last_words(self, account: Jid) -> list[Element]:
        """Return what the account said when it was last seen, and when that was."""
        left = await self._departures.last(account)
        if left is None:
            return []
        status = [E(STATUS, left.status)] if left.status else []
        return [*status, Delay(left.when, account).element()]
