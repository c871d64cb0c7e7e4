"""XEP-0199: XMPP Ping: is the other side still there?"""

from dataclasses import dataclass
from typing import ClassVar

from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep

NS = "urn:xmpp:ping"


@dataclass(slots=True)
class Ping(Module):
    """Answers pings to the server and to accounts."""

    name: ClassVar = "ping"
    xeps: ClassVar = (Xep(199, "2.0.1"),)
    features: ClassVar = (NS,)
    account_features: ClassVar = (NS,)

    @iq("get", f"{{{NS}}}ping", Target.HOST, Target.ACCOUNT)
    async def pong(self, request: IqRequest) -> None:
        """Client-to-Server Pings: the empty result is the answer."""
