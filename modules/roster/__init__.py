"""RFC 6121, 2 and 3: the roster, its versions and pushes, and subscriptions.

* `subscriptions` is the state machine of Appendix A as a table; `decisions` applies it to a roster.
* `store` keeps rosters, `cache` keeps the busy ones in memory and lets changes to one roster take turns.
* `payload` reads and writes roster IQs; `exchange` sends and receives subscription stanzas.
* `api` is what other modules may know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from xmppd.config.limits import Limits
from xmppd.core.clock import Clock
from xmppd.core.events import AccountRemoved, InboundPresence, OutboundPresence, StreamFeatures
from xmppd.core.hooks import Hooks, Phase, Verdict, collect, notice, on
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep
from xmppd.core.router import Router
from xmppd.core.sessions import Sessions
from xmppd.core.shards import Shards
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, NotAllowed, ServiceUnavailable
from xmppd.protocol.jid import Jid

from .api import Rosters
from .cache import CachedRosters
from .decisions import put, remove
from .exchange import Exchange
from .payload import QUERY, Config, RosterSet, read_set, roster_element
from .store import RosterStore
from .subscriptions import KINDS, Kind

VERSIONING = "urn:xmpp:features:rosterver"
PRE_APPROVAL = "urn:xmpp:features:pre-approval"


@dataclass(slots=True)
class RosterModule(Module):
    """Keeps who knows whom."""

    name: ClassVar = "roster"
    xeps: ClassVar = (Xep(237, "1.3", note="as in RFC 6121, 2.6"),)
    offered: ClassVar = (Rosters,)

    clock: Clock
    config: Config
    hooks: Hooks
    limits: Limits
    router: Router
    sessions: Sessions
    shards: Shards
    _rosters: CachedRosters = field(init=False)
    _exchange: Exchange = field(init=False)

    def __post_init__(self) -> None:
        self._rosters = CachedRosters(RosterStore(self.shards), self.clock, lambda: self.config.cache)
        self._exchange = Exchange(
            self._rosters, self.router, self.sessions, self.hooks, self.clock, self.limits, self.config
        )

    def offers(self) -> Mapping[type, Any]:
        """Return the rosters."""
        return {Rosters: self._rosters}

    @collect(StreamFeatures)
    async def announce(self, event: StreamFeatures) -> None:
        """2.6.1 and 3.4.1: clients are told when they are about to bind."""
        if event.authenticated:
            event.features.append(E(f"{{{VERSIONING}}}ver"))
            event.features.append(E(f"{{{PRE_APPROVAL}}}sub"))

    # The roster

    @iq("get", QUERY)
    async def get(self, request: IqRequest) -> Element | None:
        """2.1.3 and 2.6.2: the whole roster, or nothing if the client has this version; pushes follow from here on."""
        roster = await self._rosters.get(request.target)
        if request.sender is not None:
            request.sender.is_interested = True
        return None if request.payload.get("ver") == str(roster.version) else roster_element(roster)

    @iq("set", QUERY)
    async def set(self, request: IqRequest) -> None:
        """2.3, 2.4 and 2.5: add, change or remove one contact."""
        if request.sender is not None and request.sender.is_anonymous:
            raise NotAllowed("an anonymous account has no contacts")
        wanted = read_set(request.payload, request.target, self.config)
        if wanted.removes:
            await self._remove(request.target, wanted.jid)
        else:
            await self._put(request.target, wanted)

    @iq("get", QUERY, Target.ANY_ACCOUNT)
    @iq("set", QUERY, Target.ANY_ACCOUNT)
    async def refuse(self, request: IqRequest) -> None:
        """2.3.3: a roster is its owner's.

        The RFC has `forbidden` here; but an account that does not exist answers `service-unavailable` (8.5.1), and
        who may not see a roster need not learn whether there is one.
        """
        raise ServiceUnavailable()

    async def _put(self, owner: Jid, wanted: RosterSet) -> None:
        async with self._rosters.turn(owner):
            limit = self.limits.roster_items
            change = await self._rosters.change(owner, lambda roster: put(roster, wanted, limit))
            assert change.edit is not None, "a contact is always written"
            await self._exchange.push(change.after, change.edit)

    async def _remove(self, owner: Jid, jid: Jid) -> None:
        async with self._rosters.turn(owner):
            change = await self._rosters.change(owner, lambda roster: remove(roster, jid))
            assert change.edit is not None, "a contact is removed or the client told that it is not there"
            await self._exchange.push(change.after, change.edit)
        item = change.before.item(jid)
        if item is not None:
            await self._exchange.cancel(owner, item)

    @notice(AccountRemoved)
    async def forget(self, event: AccountRemoved) -> None:
        """An account that is gone sees nobody and is seen by nobody."""
        roster = await self._rosters.get(event.jid)
        async with self._rosters.turn(event.jid):
            await self._rosters.remove(event.jid)
        for item in roster:
            await self._exchange.cancel(event.jid, item)

    # Subscriptions

    @on(OutboundPresence, Phase.DELIVER)
    async def send(self, event: OutboundPresence) -> Verdict | None:
        """3.1.2, 3.1.5, 3.2.2 and 3.3.2: requests, approvals and cancellations leave for the contact's bare JID."""
        stanza = event.stanza
        if stanza.type not in KINDS:
            return None
        if stanza.to is None:
            raise BadRequest("whose presence is this about?")
        if stanza.to.bare == event.sender.account or event.sender.is_anonymous:
            raise NotAllowed("this account cannot subscribe to that address")
        await self._exchange.send(event.sender.account, Kind(stanza.type), stanza)
        return Verdict.HANDLED

    @on(InboundPresence, Phase.DELIVER)
    async def receive(self, event: InboundPresence) -> Verdict | None:
        """3.1.3, 3.1.6, 3.2.3 and 3.3.3: requests, approvals and cancellations come in."""
        stanza = event.stanza
        if stanza.type not in KINDS:
            return None
        if stanza.from_.bare == event.account or self._is_anonymous(event.account):
            return Verdict.DROP
        await self._exchange.receive(event.account, Kind(stanza.type), stanza)
        return Verdict.HANDLED

    def _is_anonymous(self, account: Jid) -> bool:
        return any(session.is_anonymous for session in self.sessions.of(account))
