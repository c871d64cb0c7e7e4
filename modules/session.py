"""RFC 3921, 3: the session that clients had to ask for before RFC 6121 left it out.

Some still ask, so it is offered, as optional, and granted; it does nothing.
"""

from dataclasses import dataclass
from typing import ClassVar

from xmppd.core.events import StreamFeatures
from xmppd.core.hooks import collect
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module
from xmppd.protocol.element import E
from xmppd.protocol.names import SESSION


@dataclass(slots=True)
class LegacySession(Module):
    """Grants sessions to old clients."""

    name: ClassVar = "session"

    @collect(StreamFeatures)
    async def offer(self, event: StreamFeatures) -> None:
        """Offer it beside resource binding, and say that nobody needs it."""
        if event.authenticated:
            event.features.append(E(f"{{{SESSION}}}session", E(f"{{{SESSION}}}optional")))

    @iq("set", f"{{{SESSION}}}session", Target.ACCOUNT, Target.HOST)
    async def grant(self, request: IqRequest) -> None:
        """Answer with an empty result."""
