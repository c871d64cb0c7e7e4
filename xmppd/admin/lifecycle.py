"""`server`: the end of this process, and a new beginning (XEP-0133, 4.30 and 4.31)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

from ..core.clock import Clock
from ..core.commands import Document, Done, argument, command
from ..core.sessions import Sessions
from ..protocol.element import E
from ..protocol.jid import Jid
from .accounts import ADMIN

if TYPE_CHECKING:
    from ..core.router import Router

DELAYS: Final = ("0", "30", "60", "90", "120", "180", "240", "300")
USUAL: Final = 30
BODY: Final = "{jabber:client}body"

Delay = Annotated[int, argument("Seconds to wait before that", field="delay", options=DELAYS)]
Announcement = Annotated[Document | None, argument("Announcement to everybody who is connected", field="announcement")]


@dataclass(slots=True)
class LifecycleCommands:
    """The life of this process.

    :ivar stop: ends it, gracefully; with True it begins anew.
    """

    clock: Clock
    sessions: Sessions
    router: "Router"
    stop: Callable[[bool], None]
    _waiting: Any = field(default=None, init=False)

    @command("server restart", adhoc=ADMIN + "restart", danger=True)
    async def restart(self, delay: Delay = USUAL, announcement: Announcement = None) -> Done:
        """Restart the server: the process ends and begins anew, with the configuration as it is then."""
        return await self._end(True, "restarts", delay, announcement)

    @command("server shutdown", adhoc=ADMIN + "shutdown", danger=True)
    async def shutdown(self, delay: Delay = USUAL, announcement: Announcement = None) -> Done:
        """Shut the server down. What started it may start it again."""
        return await self._end(False, "shuts down", delay, announcement)

    async def _end(self, again: bool, what: str, delay: int, announcement: str | None) -> Done:
        """Announce the end and wait for it; a second one takes the place of the first."""
        if announcement and announcement.strip():
            await self._announce(announcement.strip())
        if self._waiting is not None and self._waiting.active():
            self._waiting.cancel()
        self._waiting = self.clock.callLater(max(delay, 0.1), self.stop, again)  # so that this is answered first
        return Done(f"the server {what} in {delay} seconds", {"restarts": again, "delay": delay})

    async def _announce(self, text: str) -> None:
        from ..protocol.stanza import Stanza

        for session in self.sessions:
            host = Jid.parse(session.jid.domainpart)
            message = Stanza.build("message", E(BODY, text), to=session.jid, from_=host, type="headline")
            await self.router.deliver(session, message)
