"""Presence that a resource broadcasts (RFC 6121, 4.2, 4.4 and 4.5), and whom it is told to."""

from xmppd.core.hooks import Hooks
from xmppd.core.router import Router
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.modules.roster.api import Roster, Rosters, who_may_learn
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .api import ResourceAvailable, ResourceReachable, ResourceUnavailable
from .priority import read_priority


class Broadcaster:
    """Tells contacts, and the account's own resources, that a resource is available, or not any more."""

    def __init__(self, rosters: Rosters, router: Router, sessions: Sessions, hooks: Hooks) -> None:
        self._rosters = rosters
        self._router = router
        self._sessions = sessions
        self._hooks = hooks

    async def available(self, session: Session, stanza: Stanza) -> None:
        """Broadcast available presence; the first one of a resource also brings it what it missed.

        :raises BadRequest: its priority is malformed.
        """
        priority = read_priority(stanza)
        is_initial = session.presence is None
        was_reachable = not is_initial and session.priority >= 0
        session.presence = stanza  # before anything waits: whoever comes meanwhile finds it
        session.priority = priority
        if priority >= 0 and not was_reachable and self._hooks.wants(ResourceReachable):
            await self._hooks.notify(ResourceReachable(session))
        roster = await self._rosters.get(session.account)
        if is_initial:
            await self._show_own_resources(session)
        await self._broadcast(session.account, stanza, roster)
        if is_initial:
            await self._probe(session, roster)
            await self._show_requests(session, roster)
        if self._hooks.wants(ResourceAvailable):
            await self._hooks.notify(ResourceAvailable(session, stanza, is_initial, was_reachable))

    async def unavailable(self, session: Session, stanza: Stanza) -> None:
        """Broadcast unavailable presence, and tell those who got directed presence (RFC 6121, 4.5.2 and 4.6.3).

        The resource itself gets it too; one whose session is over takes nothing any more.
        """
        was_available = session.presence is not None
        directed = session.directed
        session.presence = None
        session.priority = 0
        session.directed = None
        if not was_available and not directed:
            return
        roster = await self._rosters.get(session.account)
        if was_available:
            await self._router.deliver(session, stanza.copy(to=session.jid))
            if not self._has_successor(session):
                await self._broadcast(session.account, stanza, roster)
        if directed:
            told = {session.account, *roster.subscribers()} if was_available else set()
            await self._router.broadcast(stanza, [jid for jid in directed if jid.bare not in told])
        if was_available and self._hooks.wants(ResourceUnavailable):
            await self._hooks.notify(ResourceUnavailable(session, stanza))

    async def _broadcast(self, account: Jid, stanza: Stanza, roster: Roster) -> None:
        """Tell the account's available resources, the sender among them, and all contacts that may see it."""
        await self._router.send(stanza.copy(to=account))
        await self._router.broadcast(stanza, await who_may_learn(self._hooks, account, roster.subscribers()))

    async def _show_own_resources(self, session: Session) -> None:
        """An account is subscribed to itself: a new resource learns of the others (RFC 6121, 4.2.2)."""
        for other in self._sessions.available(session.account):
            if other is not session and other.presence is not None:
                await self._router.deliver(session, other.presence.copy(to=session.jid))

    async def _probe(self, session: Session, roster: Roster) -> None:
        """Ask for the presence of contacts (RFC 6121, 4.3.1); the answers go to this resource alone."""
        contacts = await who_may_learn(self._hooks, session.account, roster.subscriptions())
        probe = Stanza.build("presence", to=None, from_=session.jid, type="probe")
        await self._router.broadcast(probe, contacts)

    async def _show_requests(self, session: Session, roster: Roster) -> None:
        """Deliver the subscription requests that wait, until they are answered (RFC 6121, 3.1.3)."""
        waiting = {item.jid: item.request for item in roster.requests() if item.request is not None}
        for contact in await who_may_learn(self._hooks, session.account, tuple(waiting)):
            await self._router.deliver(session, waiting[contact].stanza(contact, session.account))

    def _has_successor(self, session: Session) -> bool:
        """Whether another session has the same full JID and is available: what it says of itself holds."""
        other = self._sessions.at(session.jid)
        return other is not None and other is not session and other.presence is not None
