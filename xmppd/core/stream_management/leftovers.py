"""What becomes of stanzas that nobody has acknowledged when a session ends (XEP-0198, Acks).

Each is treated as one to a resource that is not available (RFC 6121, 8.5.3.2). Messages that are rows of the log are
the inbox's: they wait there. Presence is worth nothing by now.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred

from ...protocol.errors import ServiceUnavailable, StanzaError
from ...protocol.stanza import Stanza
from ...protocol.written import read_written
from ..drive import waited
from ..log import Log
from ..router import Router
from ..session import Session
from ..sessions import Sessions

IN_ONE_TURN: Final = 50

log = Log("stream_management")


class Leftovers:
    """Sees to what is left of sessions."""

    def __init__(self, router: Router, sessions: Sessions, soon: Callable[[Callable[[], None]], Any]) -> None:
        self._router = router
        self._sessions = sessions
        self._soon = soon

    async def see_to(self, session: Session, stanzas: Sequence[tuple[bytes, int]]) -> None:
        """Answer the requests among `stanzas`, and let messages that are in no log have another way."""
        left = [data for data, row in stanzas if not row and not data.startswith(b"<presence")]
        for number, data in enumerate(left):
            if number % IN_ONE_TURN == IN_ONE_TURN - 1:
                await self._next_turn()
            try:
                await self._one(session, data)
            except Exception as error:
                log.failure("something was left of {jid} and is lost", error, jid=session.jid)

    def _next_turn(self) -> "Deferred[None]":
        turn: Deferred[None] = Deferred()
        self._soon(lambda: turn.callback(None))
        return turn

    async def _one(self, session: Session, data: bytes) -> None:
        stanza = read_written(data)
        if stanza.kind == "iq":
            if stanza.type in ("get", "set"):
                await self._router.send(stanza.error(ServiceUnavailable(), session.jid))
        elif stanza.from_.bare != session.account and not self._was_taken(session, stanza):
            try:
                await waited(self._router.distribute(session.account, stanza, 0))
            except StanzaError as error:
                if stanza.type != "error":
                    await self._router.send(stanza.error(error, session.jid))

    def _was_taken(self, session: Session, stanza: Stanza) -> bool:
        """Whether other resources had a message, too: it was to the bare JID, and they are there."""
        if stanza.to == session.jid:
            return False
        return any(other.priority >= 0 for other in self._sessions.available(session.account))
