"""XEP-0199: XMPP Ping: is the other side still there?"""

from dataclasses import dataclass
from typing import ClassVar

from twisted.python.failure import Failure

from xmppd.core.events import SessionSilent
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.core.iq import IqRequest, Iqs, Target, iq
from xmppd.core.module import Module, Xep
from xmppd.core.router import Router
from xmppd.protocol.element import E
from xmppd.protocol.errors import StanzaError
from xmppd.protocol.jid import Jid

NS = "urn:xmpp:ping"


@dataclass(slots=True)
class Ping(Module):
    """Answers pings to the server and to accounts, and pings clients that are silent."""

    name: ClassVar = "ping"
    xeps: ClassVar = (Xep(199, "2.0.1"),)
    features: ClassVar = (NS,)
    account_features: ClassVar = (NS,)

    iqs: Iqs
    router: Router

    @iq("get", f"{{{NS}}}ping", Target.HOST, Target.ACCOUNT)
    async def pong(self, request: IqRequest) -> None:
        """Client-to-Server Pings: the empty result is the answer."""

    @on(SessionSilent, Phase.DELIVER)
    async def ask(self, event: SessionSilent) -> Verdict:
        """Server-to-Client Pings: that anything comes back is what counts, so the answer itself is dropped."""
        session = event.session
        host = Jid.parse(session.account.domainpart)
        request, answer = self.iqs.ask(host, session.jid, "get", E(f"{{{NS}}}ping"))
        answer.addErrback(_is_an_answer)
        await self.router.deliver(session, request)
        return Verdict.HANDLED


def _is_an_answer(failure: Failure) -> None:
    """Accept an error, as clients send that do not know pings, and silence: the stream's own clock sees to that."""
    failure.trap(StanzaError)  # type: ignore[no-untyped-call]  # Twisted has no types here
