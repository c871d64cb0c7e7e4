"""XEP-0352: Client State Indication: a client that nobody looks at is left in peace.

* `importance` says which stanzas matter at once; each of them brings along what was held back before it.
* `held` holds back the others.
* `api` is for other modules.

A stream that is resumed is active: what was held back is written with what nobody has acknowledged.

Nobody else learns in which state a client is. What is held back when a session ends is gone with it, but for what has
a row in the account's log: that goes to the other sessions, or waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from xmppd.core.client_stream import ClientContext
from xmppd.core.events import BindInline, InlineFeatures, SessionEnded, StreamFeatures
from xmppd.core.hooks import collect, notice
from xmppd.core.inbox import Inboxes
from xmppd.core.module import Module, Xep
from xmppd.core.seam import Seam
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.core.stream_management.managed import Driver, Managed
from xmppd.protocol.element import E, Element

from .api import ClientStates
from .held import ClientStateMetrics, Config, Held

NS: Final = "urn:xmpp:csi:0"
ACTIVE: Final = f"{{{NS}}}active"
INACTIVE: Final = f"{{{NS}}}inactive"


@dataclass(slots=True)
class ClientStateModule(Module):
    """Holds back what an inactive client need not have now."""

    name: ClassVar = "client_state"
    xeps: ClassVar = (Xep(352, "1.0.0"),)
    offered: ClassVar = (ClientStates,)

    clients: ClientContext
    config: Config
    counters: ClientStateMetrics
    inboxes: Inboxes
    sessions: Sessions
    _resumptions: Seam = field(init=False)

    def __post_init__(self) -> None:
        self._resumptions = Seam(self.clients.management, "attach")

    def offers(self) -> Mapping[type, Any]:
        """Return the states."""
        return {ClientStates: self}

    async def start(self) -> None:
        """Take the two elements."""
        self.clients.nonzas[ACTIVE] = self._becomes_active
        self.clients.nonzas[INACTIVE] = self._becomes_inactive
        self._resumptions.open(self._resumed)

    async def stop(self) -> None:
        """Take them no more; nobody would know when to write what is held back."""
        del self.clients.nonzas[ACTIVE], self.clients.nonzas[INACTIVE]
        self._resumptions.close(self._resumed)
        for session in self.sessions:
            self.active(session)

    @collect(StreamFeatures)
    async def announce(self, event: StreamFeatures) -> None:
        """Discovering support: once the client is authenticated."""
        if event.authenticated:
            event.features.append(E(f"{{{NS}}}csi"))

    @collect(InlineFeatures)
    async def offer_inline(self, event: InlineFeatures) -> None:
        """XEP-0386: a client may be inactive from the start."""
        event.bind.append(NS)

    @collect(BindInline)
    async def bind_inline(self, event: BindInline) -> None:
        """XEP-0386: as if it were said behind the login."""
        if event.request.child(INACTIVE) is not None:
            self.inactive(event.session)

    async def _becomes_inactive(self, session: Session, _: Element) -> None:
        self.inactive(session)

    def _resumed(self, managed: Managed, driver: Driver) -> None:
        """Interaction with Stream Resumption: the session has no connection yet, and what it is given is sent there."""
        self.active(managed.session)

    async def _becomes_active(self, session: Session, _: Element) -> None:
        self.active(session)

    def inactive(self, session: Session) -> None:
        """Hold back what need not be written to a session now."""
        held = session.valve
        if isinstance(held, Held) and held.wire is session.wire:
            return
        self.active(session)
        if session.valve is None:
            session.valve = Held(session, self.config, self.counters, self.inboxes.delivered)

    def active(self, session: Session) -> None:
        """In-order processing: what was held back is on the wire before anything that the client asks for next."""
        held = self._released(session)
        if held is not None:
            held.flush()

    @notice(SessionEnded)
    async def end(self, event: SessionEnded) -> None:
        """Let others have the messages that wait here."""
        held = self._released(event.session)
        if held is not None:
            self.inboxes.deliver_again(event.session.account, held.rows())

    def _released(self, session: Session) -> Held | None:
        """Hold back nothing from a session any more; return what waits."""
        held = session.valve
        if not isinstance(held, Held):
            return None
        session.valve = None
        return held
