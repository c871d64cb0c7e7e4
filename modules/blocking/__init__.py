"""XEP-0191: Blocking Command: who is blocked is not heard of, and cannot be written to.

* `payload` reads and writes the requests; `store` keeps the lists, `cache` the busy ones in memory.
* `visibility` hides an account's presence and shows it again.
* `api` is what other modules may know.

Somebody who is blocked sees an account that is offline. Only that a message comes back, rather than wait, may tell;
the XEP wants it so. To a room nothing comes back, whoever in it is blocked: it would take the error for its occupant's
end. An invitation that a room passes on is its inviter's.

A list that cannot be read lets nobody through.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from xmppd.config.schema import option
from xmppd.core.drive import drive_alone
from xmppd.core.events import (
    AccountRemoved,
    InboundIq,
    InboundMessage,
    InboundPresence,
    OutboundIq,
    OutboundMessage,
    OutboundPresence,
    SessionBound,
)
from xmppd.core.hooks import Hooks, Pending, Phase, Ruling, Verdict, notice, on
from xmppd.core.iq import IqRequest, iq
from xmppd.core.log import Log
from xmppd.core.metrics import Metrics, Tally, counter
from xmppd.core.module import Module, Xep
from xmppd.core.router import Router
from xmppd.core.session import SessionKey
from xmppd.core.sessions import Sessions
from xmppd.core.shards import Shards, StorageUnavailable
from xmppd.modules.roster.api import Disclosing, Rosters
from xmppd.protocol.element import Element
from xmppd.protocol.errors import BadRequest, NotAllowed, ResourceConstraint, ServiceUnavailable
from xmppd.protocol.jid import Jid, JidError
from xmppd.protocol.stanza import Stanza

from .api import Blocklist, Blocklists, JidsBlocked
from .cache import CachedBlocklists
from .payload import BLOCK, BLOCKLIST, NS, UNBLOCK, read_items, refusal, with_items
from .store import BlocklistStore, TooMany
from .visibility import Visibility

MUC_USER: Final = "http://jabber.org/protocol/muc#user"
ROOM: Final = f"{{{MUC_USER}}}x"
INVITE: Final = f"{{{MUC_USER}}}invite"
SILENT: Final = frozenset({"error", "groupchat", "headline"})
"""Types of messages that are dropped without a word."""

IS_INTERESTED: Final = SessionKey("blocklist", False)
"""Whether a session has asked for the list: it is told of changes."""

log = Log("blocking")


@dataclass(slots=True)
class Config:
    """How long block lists may be, and how much of them stays in memory."""

    items: int = option(1000, ge=1, le=100_000, live=True, help="How many addresses one account may block.")
    cache: int = option(
        200_000, ge=0, le=100_000_000, live=True, help="How many blocked addresses, of all accounts, stay in memory."
    )


class BlockingMetrics(Metrics):
    """What was stopped."""

    stopped: Tally = counter("Stanzas that a block list has stopped.", labels=("direction",))


@dataclass(slots=True)
class BlockingModule(Module):
    """Keeps people from each other."""

    name: ClassVar = "blocking"
    xeps: ClassVar = (Xep(191, "1.3"),)
    features: ClassVar = (NS,)
    offered: ClassVar = (Blocklists,)

    config: Config
    counters: BlockingMetrics
    hooks: Hooks
    rosters: Rosters
    router: Router
    sessions: Sessions
    shards: Shards
    _lists: CachedBlocklists = field(init=False)
    _visibility: Visibility = field(init=False)
    _pushes: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._lists = CachedBlocklists(BlocklistStore(self.shards), lambda: self.config.cache)
        self._visibility = Visibility(self.rosters, self.router, self.sessions, self.hooks)

    def offers(self) -> Mapping[type, Any]:
        """Return the lists."""
        return {Blocklists: self._lists}

    @notice(SessionBound)
    async def prepare(self, event: SessionBound) -> None:
        """Fetch the list while the client reads that it is bound: what it sends next waits for nothing."""
        drive_alone(self._lists.get(event.session.account), _tell)

    @notice(AccountRemoved)
    async def forget(self, event: AccountRemoved) -> None:
        """An account that is gone blocks nobody."""
        await self._lists.remove(event.jid)

    # The list

    @iq("get", BLOCKLIST)
    async def get(self, request: IqRequest) -> Element:
        """User Retrieves Block List; pushes follow from here on."""
        blocklist = await self._lists.get(request.target)
        if request.sender is not None:
            request.sender[IS_INTERESTED] = True
        return with_items(BLOCKLIST, blocklist)

    @iq("set", BLOCK)
    async def block(self, request: IqRequest) -> None:
        """User Blocks JID."""
        account = _keeper(request)
        items = read_items(request.payload)
        if not items:
            raise BadRequest("whom to block?")
        jids = [item.jid for item in items]
        if any(jid.bare == account for jid in jids):
            raise NotAllowed("an account cannot block itself")
        try:
            change = await self._lists.block(account, jids, self.config.items)
        except TooMany:
            raise ResourceConstraint(f"an account may block at most {self.config.items} addresses") from None
        await self._push(account, with_items(BLOCK, jids))
        await self._visibility.hide(account, change)
        await self.hooks.notify(JidsBlocked(account, [item.element for item in items]))

    @iq("set", UNBLOCK)
    async def unblock(self, request: IqRequest) -> None:
        """User Unblocks JID, User Unblocks All Blocked JIDs."""
        account = _keeper(request)
        jids = [item.jid for item in read_items(request.payload)]
        change = await self._lists.unblock(account, jids or None)
        await self._push(account, with_items(UNBLOCK, jids))
        await self._visibility.show(account, change)

    async def _push(self, account: Jid, payload: Element) -> None:
        """Tell the resources that have asked for the list."""
        self._pushes += 1
        push = Stanza.build("iq", payload, to=account, from_=account, type="set", id=f"block{self._pushes}")
        for session in self.sessions.of(account):
            if session[IS_INTERESTED]:
                await self.router.deliver(session, push.copy(to=session.jid))

    # What comes in

    @on(InboundMessage, Phase.GUARD)
    def stop_message(self, event: InboundMessage) -> Ruling:
        """User Blocks JID: a message is answered as if there were no such account."""
        blocklist = self._lists.known(event.account)
        if blocklist is None:
            return self._stop_message(event)
        return self._ruling(blocklist, event.stanza) if blocklist.blocks else None

    async def _stop_message(self, event: InboundMessage) -> Verdict | None:
        return self._ruling(await self._lists.get(event.account), event.stanza)

    def _ruling(self, blocklist: Blocklist, stanza: Stanza) -> Verdict | None:
        if not blocklist.covers(stanza.from_):
            return self._stopped("inbound", Verdict.DROP) if _invites_for(stanza, blocklist) else None
        if stanza.type in SILENT or (stanza.from_.resourcepart and stanza.child(ROOM) is not None):
            return self._stopped("inbound", Verdict.DROP)
        self._stopped("inbound")
        raise ServiceUnavailable()

    @on(InboundPresence, Phase.GUARD)
    async def stop_presence(self, event: InboundPresence) -> Verdict | None:
        """User Blocks JID: presence, requests and probes are not answered."""
        blocklist = self._lists.known(event.account)
        if blocklist is None:
            blocklist = await self._lists.get(event.account)
        if not blocklist.blocks or not blocklist.covers(event.stanza.from_):
            return None
        return self._stopped("inbound", Verdict.DROP)

    @on(InboundIq, Phase.GUARD)
    async def stop_iq(self, event: InboundIq) -> Verdict | None:
        """User Blocks JID: a request is refused, an answer is dropped."""
        stanza = event.stanza
        if not (await self._lists.get(event.account)).covers(stanza.from_):
            return None
        self._stopped("inbound")
        if stanza.type in ("get", "set"):
            raise ServiceUnavailable()
        return Verdict.DROP

    # What goes out

    @on(OutboundMessage, Phase.GUARD)
    def refuse_message(self, event: OutboundMessage) -> Pending:
        """User Blocks JID: the user is told why."""
        blocklist = self._lists.known(event.sender.account)
        if blocklist is not None and not blocklist.blocks:
            return None
        return self._refuse(event.sender.account, event.stanza.to)

    @on(OutboundPresence, Phase.GUARD)
    async def refuse_presence(self, event: OutboundPresence) -> None:
        """User Blocks JID: and so with presence for somebody."""
        await self._refuse(event.sender.account, event.stanza.to)

    @on(OutboundIq, Phase.GUARD)
    async def refuse_iq(self, event: OutboundIq) -> None:
        """User Blocks JID: and with requests and answers."""
        await self._refuse(event.sender.account, event.stanza.to)

    async def _refuse(self, account: Jid, to: Jid | None) -> None:
        blocklist = await self._lists.get(account)
        if blocklist.blocks and to is not None and blocklist.covers(to):
            self._stopped("outbound")
            raise refusal()

    @on(Disclosing, Phase.GUARD)
    async def hide(self, event: Disclosing) -> None:
        """User Blocks JID: who is blocked sees no presence, and is not asked for any."""
        blocklist = await self._lists.get(event.account)
        if blocklist:
            event.recipients = [jid for jid in event.recipients if not blocklist.covers(jid)]

    def _stopped(self, direction: str, verdict: Verdict | None = None) -> Verdict | None:
        self.counters.stopped[direction] += 1
        return verdict


def _keeper(request: IqRequest) -> Jid:
    """Return the account whose list is to change.

    :raises NotAllowed: it is nobody's: the next who gets its name would have its list.
    """
    if request.sender is not None and request.sender.is_anonymous:
        raise NotAllowed("an anonymous account keeps no list")
    return request.target


def _invites_for(stanza: Stanza, blocklist: Blocklist) -> bool:
    """Whether a room passes on the invitation of somebody who is blocked (XEP-0045, Mediated Invitation)."""
    room = stanza.child(ROOM)
    invite = None if room is None else room.child(INVITE)
    inviter = None if invite is None else invite.get("from")
    try:
        return inviter is not None and blocklist.covers(Jid.parse(inviter))
    except JidError:
        return False


def _tell(error: BaseException) -> None:
    """Whatever the client sends asks for the list again, and the client hears of a database that is down."""
    if not isinstance(error, StorageUnavailable):
        log.failure("a block list could not be fetched ahead", error)
