"""RFC 6121, 8.5: which resources of a local account get a message, as one table.

Where the RFC leaves a choice:

* To the bare JID, chat and normal messages go to *all* available resources whose priority is not negative (8.5.2.1.1).
* A normal message to a resource that is not there is treated as one to the bare JID, as a chat message is: most of what
  clients send without a type (receipts, invitations) is meant for the person, and ignoring it would lose it.
* A groupchat message to a resource that is not there is bounced, so that the room learns that its occupant is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import ClassVar, Final

from xmppd.core.events import InboundMessage, Undelivered
from xmppd.core.hooks import Hooks, Phase, Verdict, on
from xmppd.core.module import Module
from xmppd.core.router import Router
from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.protocol.errors import ServiceUnavailable
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza


class Address(IntEnum):  # whose hash is that of a number, and not computed in Python
    """Whom a message names."""

    BARE = auto()
    CONNECTED = auto()  # a resource that is there, available or not
    MISSING = auto()  # a resource that is not


class Presence(IntEnum):
    """What the account's best available resource is like."""

    NONE = auto()  # there is none
    NEGATIVE = auto()
    REACHABLE = auto()  # its priority is not negative


class Fate(Enum):
    """What becomes of a message."""

    RESOURCE = auto()  # the named resource gets it
    ALL = auto()  # all available resources whose priority is not negative get it
    LATER = auto()  # nobody can have it now: keep it, push it, or bounce it
    BOUNCE = auto()
    IGNORE = auto()


_TO_ONE: Final = dict.fromkeys(("chat", "error", "groupchat", "headline", "normal"), Fate.RESOURCE)
_TO_NOBODY: Final = {
    "chat": Fate.LATER,
    "error": Fate.IGNORE,
    "groupchat": Fate.BOUNCE,
    "headline": Fate.IGNORE,
    "normal": Fate.LATER,
}

_ROWS: Final[dict[tuple[Address, Presence], dict[str, Fate]]] = {
    (Address.BARE, Presence.NONE): _TO_NOBODY,  # 8.5.2.2.1
    (Address.BARE, Presence.NEGATIVE): _TO_NOBODY,  # 8.5.2.1.1: as if there were no available resources
    (Address.BARE, Presence.REACHABLE): {  # 8.5.2.1.1
        "chat": Fate.ALL,
        "error": Fate.IGNORE,
        "groupchat": Fate.BOUNCE,
        "headline": Fate.ALL,
        "normal": Fate.ALL,
    },
    (Address.CONNECTED, Presence.NONE): _TO_ONE,  # 8.5.3.1
    (Address.CONNECTED, Presence.NEGATIVE): _TO_ONE,
    (Address.CONNECTED, Presence.REACHABLE): _TO_ONE,
    (Address.MISSING, Presence.NONE): _TO_NOBODY,  # 8.5.3.2.1
    (Address.MISSING, Presence.NEGATIVE): _TO_NOBODY,
    (Address.MISSING, Presence.REACHABLE): {
        "chat": Fate.ALL,
        "error": Fate.IGNORE,
        "groupchat": Fate.BOUNCE,
        "headline": Fate.IGNORE,
        "normal": Fate.ALL,
    },
}

TABLE: Final[dict[tuple[Address, Presence, str], Fate]] = {
    (address, presence, type): fate for (address, presence), row in _ROWS.items() for type, fate in row.items()
}


@dataclass(slots=True)
class Messages(Module):
    """Delivers messages to the resources of local accounts."""

    name: ClassVar = "messages"

    hooks: Hooks
    router: Router
    sessions: Sessions

    @on(InboundMessage, Phase.DELIVER)
    async def deliver(self, event: InboundMessage) -> Verdict:
        """8.5: to one resource, to all, to nobody.

        :raises ServiceUnavailable: nobody has it and nobody keeps it.
        """
        stanza, account = event.stanza, event.account
        to = stanza.to
        assert to is not None, "a message came by its address"
        address = Address.BARE
        if to.resourcepart:
            session = self.sessions.at(to)  # if it is there, all cells say the same
            if session is not None and await self.router.deliver(session, stanza):
                return Verdict.HANDLED
            address = Address.MISSING  # or it does not take anything any more
        able = [session for session in self.sessions.of(account) if session.presence is not None]
        reachable = [session for session in able if session.priority >= 0]
        return await self._settle(account, stanza, TABLE[address, presence_of(able, reachable), stanza.type], reachable)

    async def _settle(self, account: Jid, stanza: Stanza, fate: Fate, reachable: Sequence[Session]) -> Verdict:
        if fate is Fate.ALL:
            if await self._deliver_to_all(stanza, reachable):
                return Verdict.HANDLED
            fate = _TO_NOBODY[stanza.type]
        if fate is Fate.IGNORE:
            return Verdict.DROP
        verdict = await self.hooks.decide(Undelivered(account, stanza)) if fate is Fate.LATER else None
        if verdict is None:
            raise ServiceUnavailable()
        return verdict

    async def _deliver_to_all(self, stanza: Stanza, sessions: Sequence[Session]) -> bool:
        """Return whether any of them took it."""
        taken = False
        for session in sessions:
            if await self.router.deliver(session, stanza):
                taken = True
        return taken


def presence_of(available: Sequence[Session], reachable: Sequence[Session]) -> Presence:
    """Return what the best of an account's available resources is like."""
    if reachable:
        return Presence.REACHABLE
    return Presence.NEGATIVE if available else Presence.NONE
