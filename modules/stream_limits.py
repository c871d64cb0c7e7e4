"""XEP-0478: Stream Limits Advertisement: how large a stanza may be, and how long a stream may be silent."""

from dataclasses import dataclass
from typing import ClassVar

from xmppd.config.limits import Limits
from xmppd.core.events import StreamFeatures
from xmppd.core.hooks import collect
from xmppd.core.module import Module, Xep
from xmppd.protocol.element import E
from xmppd.protocol.names import STREAM_LIMITS


@dataclass(slots=True)
class StreamLimits(Module):
    """Tells clients the limits of their stream."""

    name: ClassVar = "stream_limits"
    xeps: ClassVar = (Xep(478, "0.2.0"),)

    limits: Limits

    @collect(StreamFeatures)
    async def advertise(self, event: StreamFeatures) -> None:
        """Server advertises limits to connecting entity: those that hold in this phase of the stream.

        Whoever is silent is asked for a sign of life once logged in, and before that runs out of time to log in.
        """
        size = self.limits.stanza if event.authenticated else self.limits.stanza_before_login
        idle = self.limits.idle_ping if event.authenticated else self.limits.negotiation
        event.features.append(
            E(
                f"{{{STREAM_LIMITS}}}limits",
                E(f"{{{STREAM_LIMITS}}}max-bytes", str(int(size))),
                E(f"{{{STREAM_LIMITS}}}idle-seconds", str(int(idle))),
            )
        )
