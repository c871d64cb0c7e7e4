"""XEP-0280: Message Carbons: a user's other resources get copies of what one of them sends and receives.

* `eligibility` says which messages are copied, and why.
* `copies` makes the copy.
* `api` lets other modules switch carbons on.

What was received is copied when it goes to the account's resources; what was sent when it is where it should be, so
that nobody sees a message that its sender saw fail. A copy has the id of the message's row in the account's own log
(XEP-0359): a client finds it in the archive again. A copy is no delivery: the row waits for whoever it is for.

A message to oneself is received by all resources, or copied to them as received; nobody gets it as sent on top.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar, Final

from xmppd.core.events import BindInline, Distributing, InlineFeatures, MessageSent
from xmppd.core.hooks import Pending, Phase, collect, notice, on
from xmppd.core.iq import IqRequest, iq
from xmppd.core.metrics import Metrics, Tally, counter
from xmppd.core.module import Module, Xep
from xmppd.core.router import Router
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.modules.messages.api import receivers
from xmppd.protocol.errors import NotAllowed, StanzaError
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza
from xmppd.protocol.stanza_id import stanza_id

from .api import ENABLED, NS, disable, enable
from .copies import carbon
from .eligibility import Lately, Way, eligibility

RULES: Final = "urn:xmpp:carbons:rules:0"
REMEMBERED: Final = 4096  # messages, of all accounts, whose errors are copied as they were


class CarbonsMetrics(Metrics):
    """What was copied."""

    copies: Tally = counter("Copies written to other resources.", labels=("direction",))


@dataclass(slots=True)
class Carbons(Module):
    """Copies messages to a user's other resources."""

    name: ClassVar = "carbons"
    xeps: ClassVar = (Xep(280, "1.0.1"),)
    features: ClassVar = (NS, RULES)

    counters: CarbonsMetrics
    router: Router
    sessions: Sessions
    _lately: Lately = field(default_factory=lambda: Lately(REMEMBERED), init=False)

    @iq("set", f"{{{NS}}}enable")
    async def switch_on(self, request: IqRequest) -> None:
        """Enabling Carbons: as often as the client likes."""
        enable(_client(request))

    @iq("set", f"{{{NS}}}disable")
    async def switch_off(self, request: IqRequest) -> None:
        """Disabling Carbons."""
        disable(_client(request))

    @collect(InlineFeatures)
    async def offer_inline(self, event: InlineFeatures) -> None:
        """XEP-0386: carbons may be enabled with the login."""
        event.bind.append(NS)

    @collect(BindInline)
    async def bind_inline(self, event: BindInline) -> None:
        """XEP-0386: the answer need not tell."""
        if event.request.child(f"{{{NS}}}enable") is not None:
            enable(event.session)

    @on(Distributing, Phase.COPY)
    def copy_received(self, event: Distributing) -> Pending:
        """Receiving Messages: who does not get it by RFC 6121, 8.5, gets a copy."""
        sessions = self.sessions.of(event.account)
        if not sessions or (len(sessions) == 1 and _has_all(sessions[0])):
            return None
        stanza = event.stanza
        enabled = [session for session in sessions if session[ENABLED]]
        if enabled and self._is_copied(event.account, stanza, Way.RECEIVED, stanza.from_):
            getting = receivers(stanza, sessions)
            left = [each for each in enabled if each not in getting and each.jid != stanza.from_]
            return self._copy(stanza, Way.RECEIVED, event.account, left)
        return None

    @notice(MessageSent)
    def copy_sent(self, event: MessageSent) -> Pending:
        """Sending Messages: all but the one that sent it get a copy."""
        sender, stanza = event.sender, event.stanza
        sessions = self.sessions.of(sender.account)
        if len(sessions) < 2 or stanza.to is None or stanza.to.bare == sender.account:
            return None
        enabled = [session for session in sessions if session is not sender and session[ENABLED]]
        if enabled and self._is_copied(sender.account, stanza, Way.SENT, stanza.to):
            marked = stanza.with_added(stanza_id(sender.account, event.row)) if event.row else stanza
            return self._copy(marked, Way.SENT, sender.account, enabled)
        return None

    def _is_copied(self, account: Jid, stanza: Stanza, way: Way, peer: Jid) -> bool:
        """Whether a message is eligible; if it is, errors that answer it will be."""
        answers = stanza.type == "error" and self._lately.knows(account, peer, stanza.id)
        if not eligibility(stanza, way, answers_copied=answers).is_copied:
            return False
        if not answers:
            self._lately.note(account, peer, stanza.id)
        return True

    async def _copy(self, stanza: Stanza, way: Way, account: Jid, sessions: Iterable[Session]) -> None:
        copy: Stanza | None = None
        for session in sessions:
            if copy is None:
                copy = carbon(stanza, way, account)
            with suppress(StanzaError):  # Handling of Errors: what befalls a copy is nothing to the message's sender
                if await self.router.deliver(session, copy.copy(to=session.jid)):
                    self.counters.copies[way.value] += 1


def _client(request: IqRequest) -> Session:
    """Return the session that asks.

    :raises NotAllowed: it is none of this server's.
    """
    if request.sender is None:
        raise NotAllowed("carbons are for the sessions of this server")
    return request.sender


def _has_all(session: Session) -> bool:
    """Whether the only session of an account needs no copies, be it that it wants none or that it gets everything."""
    return (session.presence is not None and session.priority >= 0) or not session[ENABLED]
