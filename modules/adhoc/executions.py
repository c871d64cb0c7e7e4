"""Sessions of commands that wait for their form (XEP-0050, Session Lifetime).

A session belongs to one requester and one responder, and to one command. Its id says so itself, by a code that only
this process can make: so a session that is over is told from one that never was, and nothing is remembered of either.
"""

import secrets
from collections import OrderedDict
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

from xmppd.core.clock import Clock
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, NotAllowed
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import COMMANDS

LIFETIME: Final = 600.0  # seconds from one form to its answer
MOST: Final = 1000


def condition(name: str) -> Element:
    """Return an application-specific error condition (XEP-0050, Possible Errors)."""
    return E(f"{{{COMMANDS}}}{name}")


class Executions:
    """The sessions that wait; the oldest are given up if there are too many.

    In all methods `caller` is the full JID of the requester, `target` the host, `node` the command's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._expiries: OrderedDict[str, float] = OrderedDict()

    def new_id(self, caller: Jid, target: Jid, node: str) -> str:
        """Return an id that nobody else has or can make."""
        nonce = secrets.token_urlsafe(9)
        return f"{nonce}.{self._code(nonce, caller, target, node)}"

    def keep(self, session: str) -> None:
        """Let a session wait for its form."""
        self._expiries[session] = self._clock.seconds() + LIFETIME
        while len(self._expiries) > MOST:
            self._expiries.popitem(last=False)

    def take(self, session: str, caller: Jid, target: Jid, node: str) -> None:
        """Let a request go on with a session, which is over unless it is kept again.

        :raises BadRequest: there was never such a session of this caller, this host and this command.
        :raises NotAllowed: it is over.
        """
        nonce, _, code = session.partition(".")
        if not compare_digest(code.encode(), self._code(nonce, caller, target, node).encode()):
            raise BadRequest("this is no session of yours", specific=condition("bad-sessionid"))
        expires = self._expiries.pop(session, None)
        if expires is None or expires < self._clock.seconds():
            raise NotAllowed("this session is over", specific=condition("session-expired"))

    def _code(self, nonce: str, caller: Jid, target: Jid, node: str) -> str:
        text = "\0".join((nonce, caller, target, node))
        return blake2b(text.encode(), key=self._key, digest_size=12).hexdigest()
