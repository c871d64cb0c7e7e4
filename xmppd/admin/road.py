"""A stanza's road through the pipeline, walked without arriving: what `explain` shows.

The walker follows `xmppd.core.router` from event to event. Handlers of the phases GUARD and SHAPE are really run, since
they decide and change but keep and send nothing; those of RECORD, COPY and DELIVER are named and left alone. Sessions
are stood in for by copies that nothing can be written to.
"""

import copy
from dataclasses import dataclass, field
from typing import Any, Final

from ..core import events
from ..core.accounts import Accounts
from ..core.hooks import Decision, Entry, Hooks, Phase
from ..core.host import Hosts
from ..core.iq import IqRequest, Iqs, Target
from ..core.session import Session
from ..core.sessions import Sessions
from ..protocol.errors import Misuse, StanzaError, StreamError
from ..protocol.jid import Jid
from ..protocol.stanza import Stanza

RUN: Final = (Phase.GUARD, Phase.SHAPE)


class Nowhere:
    """A wire that ends here."""

    peer_address = "explain"
    secure = True
    connected_at = 0.0

    def write_stanza(self, data: bytes) -> bool:
        """Refuse: a handler that only decides has nothing to write."""
        raise Misuse("a handler that only decides has tried to send a stanza")

    def close(self, error: StreamError | None = None) -> None:
        """Refuse, likewise."""
        raise Misuse("a handler that only decides has tried to close a stream")


@dataclass(frozen=True, slots=True)
class Step:
    """What one handler, or the router itself, makes of the stanza."""

    event: str
    phase: str
    who: str
    outcome: str


@dataclass(slots=True)
class Walk:
    """One walk.

    :ivar steps: what was met so far.
    """

    hooks: Hooks
    iqs: Iqs
    hosts: Hosts
    sessions: Sessions
    accounts: Accounts
    steps: list[Step] = field(default_factory=list)

    async def from_client(self, stanza: Stanza) -> None:
        """Walk as a stanza of a local user does."""
        session = self.stand_in(stanza.from_)
        received = events.StanzaReceived(session, stanza)
        if not await self._decide(received):
            return
        stanza = received.stanza
        if stanza.to is None and stanza.kind != "presence":
            stanza.to = session.account  # RFC 6120, 10.3.1 and 10.3.3
        if stanza.kind == "iq" and stanza.to and not stanza.to.resourcepart and stanza.to.domainpart in self.hosts:
            self._answer(stanza, session)
            return
        outbound = OUTBOUND[stanza.kind](session, stanza)
        if await self._decide(outbound):
            await self._route(outbound.stanza)

    async def from_elsewhere(self, stanza: Stanza) -> None:
        """Walk as a stanza of a remote user or of a service does."""
        self._note("", "", "router", f"comes from {stanza.from_.domainpart}, which is not served here")
        await self._route(stanza)

    async def _route(self, stanza: Stanza) -> None:
        to = stanza.to
        if to is None:
            self._note("", "", "router", "has no addressee: the handlers above send it on")
        elif to.domainpart not in self.hosts:
            self._note("", "", "router", f"goes to {to.domainpart}: a service, or another server")
        elif stanza.kind == "iq" and (not to.localpart or not to.resourcepart):
            self._answer(stanza, None)
        elif to.localpart:
            await self._inbound(to, stanza)
        else:
            await self._to_host(to, stanza)

    async def _to_host(self, to: Jid, stanza: Stanza) -> None:
        host = self.hosts.get(to.domainpart)
        assert host is not None
        await self._decide(SERVICE[stanza.kind](host, stanza))

    async def _inbound(self, to: Jid, stanza: Stanza) -> None:
        inbound = INBOUND[stanza.kind](to.bare, stanza)
        if not self.sessions.of(to.bare) and await self.accounts.get(to.bare) is None:
            fate = "is dropped" if stanza.kind == "presence" else "refuses: service-unavailable"
            self._note("", "", "router", f"{fate}: there is no account {to.bare}")
            return
        if not await self._decide(inbound):
            return
        session = self.sessions.at(to) if to.resourcepart else None
        if session is None and to.resourcepart:
            self._note("", "", "router", f"{to} is not connected here")
        elif session is not None:
            await self._decide(events.Delivering(self.stand_in(to), inbound.stanza))

    async def _decide(self, event: Decision) -> bool:
        """Walk through one event; say whether the stanza goes on behind it."""
        name = type(event).__name__
        for entry in self.hooks.entries():
            if entry.event is not type(event):
                continue
            phase = entry.phase.name if entry.phase else ""
            if entry.phase not in RUN:
                self._note(name, phase, entry.name, "would be run")
                continue
            outcome, goes_on = await run(entry, event)
            self._note(name, phase, entry.name, outcome)
            if not goes_on:
                return False
        return True

    def _answer(self, stanza: Stanza, sender: Session | None) -> None:
        """Note who answers a request to a host or an account."""
        to, payload = stanza.to, stanza.element.first
        assert to is not None
        if stanza.type in ("result", "error") or payload is None:
            self._note("", "", "router", "is the answer to a request of this server, or is dropped")
            return
        request = IqRequest(stanza, to, stanza.from_, payload, sender)
        try:
            owner, answerer = self.iqs.find(request, Target.ACCOUNT if to.localpart else Target.HOST)
        except StanzaError as error:
            self._note("", "", "router", f"refuses: {error}")
        else:
            self._note("", "", f"{owner}.{getattr(answerer, '__name__', '?')}", "would answer")

    def stand_in(self, jid: Jid) -> Session:
        """Return a session of that address which knows what the real one does, and can do no harm."""
        found = self.sessions.at(jid)
        if found is None:
            return Session(jid, Nowhere())
        double = copy.copy(found)
        double.wire = Nowhere()
        return double

    def _note(self, event: str, phase: str, who: str, outcome: str) -> None:
        self.steps.append(Step(event, phase, who, outcome))


OUTBOUND: Final[dict[str, Any]] = {
    "message": events.OutboundMessage,
    "presence": events.OutboundPresence,
    "iq": events.OutboundIq,
}
INBOUND: Final[dict[str, Any]] = {
    "message": events.InboundMessage,
    "presence": events.InboundPresence,
    "iq": events.InboundIq,
}
SERVICE: Final[dict[str, Any]] = {"message": events.ServiceMessage, "presence": events.ServicePresence}


async def run(entry: Entry, event: Decision) -> tuple[str, bool]:
    """Run one handler; return what came of it, and whether the stanza goes on."""
    before = content(event)
    try:
        verdict = await entry.handler(event)
    except StanzaError as error:
        return f"refuses: {error}", False
    except Exception as error:
        return f"fails with {type(error).__name__}: the sender is answered internal-server-error", False
    if verdict is not None:
        return f"settles it: {verdict.name.lower()}", False
    return ("changes the stanza" if content(event) != before else "lets it pass"), True


def content(event: Any) -> bytes:
    """Return the stanza of an event as it stands."""
    stanza: Stanza = event.stanza
    return stanza.to_bytes()
