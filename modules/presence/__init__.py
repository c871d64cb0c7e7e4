"""RFC 6121, 4: presence.

* `broadcast` tells contacts what a resource says of itself, `probes` answers those who ask.
* `last_seen` notes when an account was left, and its last words.
* `priority` reads a priority. `api` is what other modules may know.

Presence about subscriptions is the roster's.

What one session makes known is made known in order: a session that ends while its presence is still being broadcast (a
database is slow, say) becomes unavailable behind that.
"""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from xmppd.config.schema import option
from xmppd.core.accounts import Accounts
from xmppd.core.clock import Clock
from xmppd.core.drive import drive_alone
from xmppd.core.events import InboundPresence, OutboundPresence, ServicePresence, SessionBound, SessionEnded
from xmppd.core.hooks import Hooks, Phase, Verdict, notice, on
from xmppd.core.log import Log
from xmppd.core.module import Module
from xmppd.core.router import Router
from xmppd.core.session import Session, SessionKey
from xmppd.core.sessions import Sessions
from xmppd.core.shards import StorageUnavailable
from xmppd.modules.roster.api import Rosters
from xmppd.protocol.errors import BadRequest, ResourceConstraint
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .api import Departures
from .broadcast import Broadcaster
from .last_seen import LastSeen
from .probes import STATUS, Probes

LAST_WORDS = SessionKey("last words", "")

log = Log("presence")


@dataclass(slots=True)
class Config:
    """Limits of presence."""

    directed: int = option(
        2000, ge=10, le=100_000, live=True, help="To how many addresses, such as rooms, a session may show itself."
    )


@dataclass(slots=True)
class PresenceModule(Module):
    """Tells who is there."""

    name: ClassVar = "presence"
    offered: ClassVar = (Departures,)

    accounts: Accounts
    clock: Clock
    config: Config
    hooks: Hooks
    rosters: Rosters
    router: Router
    sessions: Sessions
    _broadcaster: Broadcaster = field(init=False)
    _probes: Probes = field(init=False)
    _last_seen: LastSeen = field(init=False)
    _busy: set[Session] = field(default_factory=set, init=False)
    _ended: set[Session] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._broadcaster = Broadcaster(self.rosters, self.router, self.sessions, self.hooks)
        self._last_seen = LastSeen(self.accounts, self.clock)
        self._probes = Probes(self.rosters, self.router, self.sessions, self.hooks, self._last_seen)

    def offers(self) -> Mapping[type, Any]:
        """Return how accounts were left."""
        return {Departures: self._last_seen}

    async def stop(self) -> None:
        """Write what waits."""
        await self._last_seen.stop()

    @notice(SessionBound)
    async def prepare(self, event: SessionBound) -> None:
        """Fetch the roster while the client reads that it is bound: its presence, which is next, waits for nothing."""
        drive_alone(self.rosters.get(event.session.account), _tell)

    # From a local resource

    @on(OutboundPresence, Phase.DELIVER)
    async def send(self, event: OutboundPresence) -> Verdict | None:
        """4.2 to 4.6: presence without an addressee is broadcast, with one it is directed."""
        session, stanza = event.sender, event.stanza
        type = stanza.type
        if type in ("", "unavailable") and self.sessions.at(session.jid) is not session:
            return Verdict.HANDLED  # it waited in the gate until its session was over, which is known already
        if stanza.to is None:
            if type == "":
                await self._in_order(session, self._broadcaster.available(session, stanza))
            elif type == "unavailable":
                self._note_last_words(session, stanza)
                await self._in_order(session, self._broadcaster.unavailable(session, stanza))
            elif type == "probe":
                raise BadRequest("whose presence is asked for?")
            else:
                return None  # about a subscription, or an error of nobody's
            return Verdict.HANDLED
        if type == "":
            self._note_directed(session, stanza.to)
        elif type == "unavailable":
            if session.directed is not None:
                session.directed.discard(stanza.to)
        else:
            return None
        await self._in_order(session, self.router.route(stanza))
        return Verdict.HANDLED

    def _note_directed(self, session: Session, to: Jid) -> None:
        """Remember who must be told when the session ends (RFC 6121, 4.6.3)."""
        directed = session.directed
        if directed is None:
            directed = session.directed = set()
        if to not in directed and len(directed) >= self.config.directed:
            raise ResourceConstraint(f"a session may show itself to at most {self.config.directed} addresses")
        directed.add(to)

    def _note_last_words(self, session: Session, stanza: Stanza) -> None:
        status = stanza.text_of(STATUS, "") or ""
        if status != session[LAST_WORDS]:
            session[LAST_WORDS] = status[:1023]

    @notice(SessionEnded)
    async def end(self, event: SessionEnded) -> None:
        """4.5.3: who leaves without a word is unavailable all the same."""
        if event.session in self._busy:
            self._ended.add(event.session)
        else:
            await self._end(event.session)

    async def _in_order(self, session: Session, work: Coroutine[Any, Any, None]) -> None:
        self._busy.add(session)
        try:
            await work
        finally:
            self._busy.discard(session)
            if session in self._ended:
                self._ended.discard(session)
                await self._end(session)

    async def _end(self, session: Session) -> None:
        account = session.account
        if not session.is_anonymous and not self.sessions.of(account):
            self._last_seen.note(account, session[LAST_WORDS])
        stanza = Stanza.build("presence", to=None, from_=session.jid, type="unavailable")
        await self._broadcaster.unavailable(session, stanza)

    # For a local account, or a host

    @on(InboundPresence, Phase.DELIVER)
    async def receive(self, event: InboundPresence) -> Verdict | None:
        """8.5: presence goes to the resource it names, connected or available, or to all available ones."""
        stanza = event.stanza
        type = stanza.type
        if type == "probe":
            await self._probes.answer(event.account, stanza)
            return Verdict.HANDLED
        if type not in ("", "unavailable", "error"):
            return None
        deliver = self.router.deliver
        if stanza.to is not None and stanza.to.resourcepart:
            session = self.sessions.at(stanza.to)
            if session is not None:
                await deliver(session, stanza)
            return Verdict.HANDLED
        for session in self.sessions.of(event.account):
            if session.presence is not None:
                await deliver(session, stanza)
        return Verdict.HANDLED

    @on(ServicePresence, Phase.DELIVER)
    async def answer_for_host(self, event: ServicePresence) -> Verdict:
        """A host is always there, and lets everybody know."""
        stanza, host = event.stanza, event.host.name
        to = stanza.from_.bare
        if stanza.type == "subscribe":
            await self.router.send(Stanza.build("presence", to=to, from_=host, type="subscribed", id=stanza.id))
        if stanza.type in ("subscribe", "probe"):
            await self.router.send(Stanza.build("presence", to=to, from_=host))
        return Verdict.HANDLED


def _tell(error: BaseException) -> None:
    """Presence asks for the roster again, and the client hears of a database that is down."""
    if not isinstance(error, StorageUnavailable):
        log.failure("a roster could not be fetched ahead", error)
