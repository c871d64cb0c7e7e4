"""XEP-0388: Extensible SASL Profile: authentication with all that a client wants of its session, in one element.

This switches it on, with the tasks of XEP-0480, by which a client adds keys of stronger hash functions to an account;
how it works is in `xmppd.core.sasl2` and `xmppd.protocol.sasl2`. What else can be asked for, other modules say.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from xmppd.core.events import InlineFeatures
from xmppd.core.hooks import collect
from xmppd.core.module import Module, Xep

UPGRADES: Final = ("SHA-256", "SHA-512")
"""What accounts may lack that were brought here from elsewhere; our own have keys of every hash function."""


@dataclass(slots=True)
class Sasl2Module(Module):
    """Offers SASL2."""

    name: ClassVar = "sasl2"
    xeps: ClassVar = (
        Xep(388, "1.0.4", note="tasks: those of XEP-0480"),
        Xep(480, "0.2.0"),
    )

    @collect(InlineFeatures)
    async def offer(self, event: InlineFeatures) -> None:
        """SASL mechanism negotiation, and Server advertising possible upgrade tasks."""
        event.is_offered = True
        event.upgrades += UPGRADES
