"""RFC 6121, 8.5, as one table, and whom it gives a message to; other modules may ask the same.

Where the RFC leaves a choice:

* To the bare JID, chat and normal messages go to *all* available resources whose priority is not negative (8.5.2.1.1).
* A normal message to a resource that is not there is treated as one to the bare JID, as a chat message is: most of what
  clients send without a type (receipts, invitations) is meant for the person, and ignoring it would lose it.
* A groupchat message to a resource that is not there is bounced, so that the room learns that its occupant is gone.
"""

from collections.abc import Sequence
from enum import Enum, IntEnum, auto
from typing import Final, NamedTuple

from xmppd.core.session import Session
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
TO_NOBODY: Final = {
    "chat": Fate.LATER,
    "error": Fate.IGNORE,
    "groupchat": Fate.BOUNCE,
    "headline": Fate.IGNORE,
    "normal": Fate.LATER,
}
"""What becomes of a message, by its type, if there is no resource for it."""

_ROWS: Final[dict[tuple[Address, Presence], dict[str, Fate]]] = {
    (Address.BARE, Presence.NONE): TO_NOBODY,  # 8.5.2.2.1
    (Address.BARE, Presence.NEGATIVE): TO_NOBODY,  # 8.5.2.1.1: as if there were no available resources
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
    (Address.MISSING, Presence.NONE): TO_NOBODY,  # 8.5.3.2.1
    (Address.MISSING, Presence.NEGATIVE): TO_NOBODY,
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

TO_REACHABLE: Final = _ROWS[Address.BARE, Presence.REACHABLE]
"""What becomes of a message to the bare JID, by its type, if there is a resource for it."""


class Distribution(NamedTuple):
    """What becomes of a message, and the sessions that get it: none unless its fate is `RESOURCE` or `ALL`."""

    fate: Fate
    sessions: Sequence[Session]


def distribution(stanza: Stanza, sessions: Sequence[Session]) -> Distribution:
    """Return who gets a message of an account with these sessions (all of them, available or not)."""
    to = stanza.to
    if to is None or not to.resourcepart:
        return _by_presence(Address.BARE, stanza.type, sessions)
    for session in sessions:
        if session.resource == to.resourcepart:
            return Distribution(Fate.RESOURCE, (session,))  # so all cells say
    return without_named(stanza, sessions)


def receivers(stanza: Stanza, sessions: Sequence[Session]) -> Sequence[Session]:
    """Return the sessions of a distribution; the shorter way where an account has one that is reachable."""
    to = stanza.to
    if len(sessions) == 1 and (to is None or not to.resourcepart):
        session = sessions[0]
        if session.presence is not None and session.priority >= 0:
            return sessions if TO_REACHABLE[stanza.type] is Fate.ALL else ()
    return distribution(stanza, sessions).sessions


def without_named(stanza: Stanza, sessions: Sequence[Session]) -> Distribution:
    """Return who gets a message for a resource that is not there, or takes nothing any more."""
    return _by_presence(Address.MISSING, stanza.type, sessions)


def _by_presence(address: Address, type: str, sessions: Sequence[Session]) -> Distribution:
    able = [session for session in sessions if session.presence is not None]
    reachable = [session for session in able if session.priority >= 0]
    fate = TABLE[address, presence_of(able, reachable), type]
    return Distribution(fate, reachable if fate is Fate.ALL else ())


def presence_of(available: Sequence[Session], reachable: Sequence[Session]) -> Presence:
    """Return what the best of an account's available resources is like."""
    if reachable:
        return Presence.REACHABLE
    return Presence.NEGATIVE if available else Presence.NONE
