"""XEP-0386: Bind 2: a resource, bound with the authentication, and what the archive holds at that moment.

This switches it on; how it works is in `xmppd.core.sasl2`. Features that can be enabled with it are offered by the
modules that have them, by the events `InlineFeatures` and `BindInline`.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from xmppd.core.events import BindInline, InlineFeatures
from xmppd.core.hooks import collect
from xmppd.core.message_log import MessageLog, time_of
from xmppd.core.module import Module, Xep
from xmppd.protocol.element import E, Element
from xmppd.protocol.timestamps import format_time

ARCHIVE: Final = "urn:xmpp:mam:2"


@dataclass(slots=True)
class Bind2(Module):
    """Offers Bind 2."""

    name: ClassVar = "bind2"
    xeps: ClassVar = (Xep(386, "1.1.0"),)

    log: MessageLog

    @collect(InlineFeatures)
    async def offer(self, event: InlineFeatures) -> None:
        """Discovering support."""
        event.binds = True

    @collect(BindInline)
    async def describe(self, event: BindInline) -> None:
        """Performing the bind: what the archive holds tells a client what it has to ask for.

        Of what waits only that is sent, when the client becomes available, which is in no archive.
        """
        if event.session.is_anonymous:
            return
        ends = await self.log.ends(event.session.account)
        if ends is not None:
            event.session.fetches_upto = ends[1]
        event.answers.append(metadata(ends))


def metadata(ends: tuple[int, int] | None) -> Element:
    """Return what XEP-0313 says of an archive: its first and its last message; an empty one has none."""
    named = zip(("start", "end"), ends or (), strict=False)
    return E(
        f"{{{ARCHIVE}}}metadata",
        *[E(f"{{{ARCHIVE}}}{name}", id=id, timestamp=format_time(time_of(id))) for name, id in named],
    )
