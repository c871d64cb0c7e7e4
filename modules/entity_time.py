"""XEP-0202: Entity Time: what time it is at the server."""

from dataclasses import dataclass
from typing import ClassVar

from xmppd.core.clock import Clock
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.module import Module, Xep
from xmppd.protocol.element import E, Element
from xmppd.protocol.timestamps import format_time

NS = "urn:xmpp:time"


@dataclass(slots=True)
class EntityTime(Module):
    """Tells the time, in UTC: a server serves all zones."""

    name: ClassVar = "time"
    xeps: ClassVar = (Xep(202, "2.0"),)
    features: ClassVar = (NS,)

    clock: Clock

    @iq("get", f"{{{NS}}}time", Target.HOST)
    async def tell(self, request: IqRequest) -> Element:
        """Protocol: the numeric time zone offset and the UTC time."""
        return E(
            f"{{{NS}}}time",
            E(f"{{{NS}}}tzo", "+00:00"),
            E(f"{{{NS}}}utc", format_time(self.clock.seconds())),
        )
