"""How sessions end, whatever ends them: a client, a connection, a time-out, an administrator."""

from collections.abc import Callable, Sequence
from typing import Any

from .drive import drive_alone
from .events import SessionEnded
from .hooks import Hooks
from .inbox import Inboxes
from .log import Log
from .router import Router
from .session import Session
from .sessions import Sessions
from .stream_management.leftovers import Leftovers

log = Log("c2s")


class Endings:
    """Takes sessions out, and sees to what they leave behind."""

    def __init__(
        self,
        sessions: Sessions,
        inboxes: Inboxes,
        hooks: Hooks,
        router: Router,
        soon: Callable[[Callable[[], None]], Any],
    ) -> None:
        self._sessions = sessions
        self._inboxes = inboxes
        self._hooks = hooks
        self._leftovers = Leftovers(router, sessions, soon)

    def end(self, session: Session, reason: str, unacknowledged: Sequence[tuple[bytes, int]] = ()) -> None:
        """End a session, once.

        First others get what was sent and not acknowledged, then everybody learns that the session is over.

        :param reason: why; empty if its client closed its stream in good order.
        :param unacknowledged: what was sent to it and not acknowledged (XEP-0198), as bytes and rows.
        """
        if not self._sessions.remove(session):
            return
        self._inboxes.ended(session)
        drive_alone(
            self._tell(session, reason, unacknowledged),
            lambda error: log.failure("ending {jid} failed", error, jid=session.jid),
        )

    async def _tell(self, session: Session, reason: str, unacknowledged: Sequence[tuple[bytes, int]]) -> None:
        if unacknowledged:
            await self._leftovers.see_to(session, unacknowledged)
        await self._hooks.notify(SessionEnded(session, reason))
