"""Who sees an account's presence when it blocks somebody, and when it unblocks them (XEP-0191, 3.3 and 3.4).

Subscriptions stay as they are ("polite blocking", Implementation Notes): the blocked see the account offline, and see
it again when they are unblocked. What a session has shown itself to on its own account, such as a room that is blocked
now, is told of its end, too: nothing could be sent there afterwards.
"""

from collections.abc import Callable, Iterable, Sequence

from xmppd.core.hooks import Hooks
from xmppd.core.router import Router
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.modules.roster.api import Roster, Rosters, who_may_learn
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .api import Blocklist
from .store import Change


class Visibility:
    """Hides local accounts, and shows them again."""

    def __init__(self, rosters: Rosters, router: Router, sessions: Sessions, hooks: Hooks) -> None:
        self._rosters = rosters
        self._router = router
        self._sessions = sessions
        self._hooks = hooks

    async def hide(self, account: Jid, change: Change) -> None:
        """Look unavailable to whoever is blocked now and was not before."""
        sessions = self._sessions.of(account)
        if not sessions:
            return
        is_new = _crossed(change.before, change.after)
        seers = _seers(await self._rosters.get(account), change.after, is_new)
        for session in sessions:
            shown = [] if session.presence is None else seers
            unavailable = Stanza.build("presence", to=None, from_=session.jid, type="unavailable")
            await self._router.broadcast(unavailable, dict.fromkeys([*shown, *_taken_back(session, is_new)]))

    async def show(self, account: Jid, change: Change) -> None:
        """Look available to whoever is not blocked any more, and ask for their presence, which was not let in."""
        sessions = self._sessions.available(account)
        if not sessions:
            return
        is_free = _crossed(change.after, change.before)
        roster = await self._rosters.get(account)
        seers = await who_may_learn(self._hooks, account, _seers(roster, change.before, is_free))
        seen = await who_may_learn(self._hooks, account, [jid for jid in roster.subscriptions() if is_free(jid)])
        for session in sessions:
            if session.presence is not None:
                await self._router.broadcast(session.presence, seers)
                probe = Stanza.build("presence", to=None, from_=session.jid, type="probe")
                await self._router.broadcast(probe, seen)


def _crossed(less: Blocklist, more: Blocklist) -> Callable[[Jid], bool]:
    """Return what says whether an address is covered by one list and not by the other."""
    return lambda jid: more.covers(jid) and not less.covers(jid)


def _seers(roster: Roster, blocklist: Blocklist, is_meant: Callable[[Jid], bool]) -> Sequence[Jid]:
    """Return who may see the account's presence: contacts, and single resources of them that are items themselves."""
    resources = [jid for jid in blocklist if jid.resourcepart and roster.may_see(jid.bare)]
    return [jid for jid in (*roster.subscribers(), *resources) if is_meant(jid)]


def _taken_back(session: Session, is_meant: Callable[[Jid], bool]) -> Iterable[Jid]:
    """Return where a session has shown itself and must not any more; it forgets that it did."""
    directed = session.directed
    if not directed:
        return ()
    found = [jid for jid in directed if is_meant(jid)]
    directed.difference_update(found)
    return found
