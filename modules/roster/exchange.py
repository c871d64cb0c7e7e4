"""Subscription stanzas on their way: what the state machine decides is stored, pushed, routed and delivered here.

Each of them is decided, stored, delivered to the account's own resources and pushed in one turn of the account's
roster, so that clients hear of changes in their order. What goes to the other side is sent behind the turn.
"""

from collections.abc import Callable, Sequence
from functools import partial

from xmppd.config.limits import Limits
from xmppd.core.clock import Clock
from xmppd.core.hooks import Hooks
from xmppd.core.router import Router
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .api import Item, Request, Roster, who_may_learn
from .cache import CachedRosters, Change, Edit
from .decisions import cancelled, inbound, outbound
from .payload import Config, push_element
from .subscriptions import Kind, Step

Decide = Callable[[Roster], tuple[Edit | None, Step]]


class Exchange:
    """Sends and receives subscription stanzas in the name of local accounts."""

    def __init__(
        self,
        rosters: CachedRosters,
        router: Router,
        sessions: Sessions,
        hooks: Hooks,
        clock: Clock,
        limits: Limits,
        config: Config,
    ) -> None:
        self._rosters = rosters
        self._router = router
        self._sessions = sessions
        self._hooks = hooks
        self._clock = clock
        self._limits = limits
        self._config = config

    # Both ways

    async def send(self, account: Jid, kind: Kind, stanza: Stanza) -> None:
        """Take a subscription stanza that the account sends (RFC 6121, 3.1.2, 3.1.5, 3.2.2, 3.3.2).

        :raises StanzaError: it cannot be stored or routed.
        """
        assert stanza.to is not None, "the caller has checked that"
        contact = stanza.to.bare
        limit = self._limits.roster_items
        change, step = await self._take(account, None, lambda roster: outbound(roster, contact, kind, limit))
        if _lost_sight(change, contact):
            await self.hide(account, contact)
        if step.passes:
            await self._router.route(stanza.copy(from_=account, to=contact))
        if _gained_sight(change, contact):
            await self.show(account, contact)

    async def receive(self, account: Jid, kind: Kind, stanza: Stanza) -> None:
        """Take a subscription stanza that came for the account (RFC 6121, 3.1.3, 3.1.6, 3.2.3, 3.3.3).

        :raises ResourceConstraint: too many requests wait already.
        """
        contact = stanza.from_.bare
        stanza = stanza.copy(from_=contact, to=account)
        request = self._request(stanza)
        limit = self._config.requests
        change, step = await self._take(account, stanza, lambda roster: inbound(roster, contact, kind, request, limit))
        if step.reply is not None:
            await self._router.send(Stanza.build("presence", to=contact, from_=account, type=step.reply, id=stanza.id))
            await self.show(account, contact)
        if _lost_sight(change, contact):
            await self.hide(account, contact)

    async def cancel(self, account: Jid, item: Item) -> None:
        """Tell a contact that it was taken out of the account's roster (RFC 6121, 2.5.2)."""
        if item.may_see:
            await self.hide(account, item.jid)
        for kind in cancelled(item):
            await self._router.send(Stanza.build("presence", to=item.jid, from_=account, type=kind))

    # The contact's side

    async def show(self, account: Jid, contact: Jid) -> None:
        """Send the presence of each available resource to a contact that may see it from now on."""
        available = self._sessions.available(account)
        if available and await who_may_learn(self._hooks, account, (contact,)):
            for session in available:
                if session.presence is not None:
                    await self._router.send(session.presence.copy(to=contact))

    async def hide(self, account: Jid, contact: Jid) -> None:
        """Let each available resource look unavailable to a contact that must not see it any more."""
        for session in self._sessions.available(account):
            await self._router.send(Stanza.build("presence", to=contact, from_=session.jid, type="unavailable"))

    # The account's own side

    async def push(self, roster: Roster, edit: Edit) -> None:
        """Tell the interested resources of a change (RFC 6121, 2.1.6)."""
        interested = [session for session in self._sessions.of(roster.owner) if session.is_interested]
        if not interested:
            return
        push = Stanza.build(
            "iq",
            push_element(roster.version, edit.jid, edit.item),
            to=roster.owner,
            from_=roster.owner,
            type="set",
            id=f"push{roster.version}",
        )
        for session in interested:
            await self._router.deliver(session, push.copy(to=session.jid))

    async def _take(self, account: Jid, incoming: Stanza | None, decide: Decide) -> tuple[Change, Step]:
        """Store what is decided, deliver what came in, push what clients see."""
        steps: list[Step] = []
        async with self._rosters.turn(account):
            change = await self._rosters.change(account, partial(_noting, decide, steps))
            step = steps[-1]
            if incoming is not None and step.passes:
                await self._deliver(account, incoming)
            if change.edit is not None and step.pushes:
                await self.push(change.after, change.edit)
        return change, step

    async def _deliver(self, account: Jid, stanza: Stanza) -> None:
        for session in self._hearing(account, stanza.type):
            await self._router.deliver(session, stanza)

    def _hearing(self, account: Jid, type: str) -> Sequence[Session]:
        """Return who hears of it: requests are for available resources, the rest goes with the roster pushes."""
        if type == Kind.SUBSCRIBE:
            return self._sessions.available(account)
        return [session for session in self._sessions.of(account) if session.is_interested]

    def _request(self, stanza: Stanza) -> Request:
        data = stanza.to_bytes()
        if len(data) > self._config.request_size:
            data = Stanza.build("presence", to=stanza.to, from_=stanza.from_, type=stanza.type, id=stanza.id).to_bytes()
        return Request(data, self._clock.seconds())


def _noting(decide: Decide, steps: list[Step], roster: Roster) -> Edit | None:
    """Return the edit of a decision and note its step, which is told even if nothing changes."""
    edit, step = decide(roster)
    steps.append(step)
    return edit


def _lost_sight(change: Change, contact: Jid) -> bool:
    return change.before.may_see(contact) and not change.after.may_see(contact)


def _gained_sight(change: Change, contact: Jid) -> bool:
    return change.after.may_see(contact) and not change.before.may_see(contact)
