"""What other modules may know of presence: when resources become available and unavailable.

The resource's own presence is in `Session.presence` and `Session.priority`. `Departures` tells when an account was
left.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from xmppd.core.hooks import Notice
from xmppd.core.session import Session
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza


class Departure(NamedTuple):
    """How an account was left.

    :ivar when: the end of its last session, in seconds since the epoch.
    :ivar status: its last words, or an empty string.
    """

    when: float
    status: str = ""


class Departures(Protocol):
    """How accounts were left."""

    async def last(self, account: Jid) -> Departure | None:
        """Return how an account (a bare JID) was left last; None if it never was, or does not exist."""


@dataclass(slots=True)
class ResourceReachable(Notice):
    """A resource is available with a priority that is not negative, and was not: from now on messages find it.

    Nothing was waited for since then, and no contact knows yet. Handlers do not wait either: a message that is stored
    meanwhile must meet a reader of the log that has begun.
    """

    session: Session


@dataclass(slots=True)
class ResourceAvailable(Notice):
    """A resource has broadcast available presence, and its contacts have been told.

    :ivar stanza: that presence, without an addressee.
    :ivar is_initial: whether the resource was unavailable before (RFC 6121, 4.2).
    :ivar was_reachable: whether it was available with a priority that is not negative before.
    """

    session: Session
    stanza: Stanza
    is_initial: bool
    was_reachable: bool


@dataclass(slots=True)
class ResourceUnavailable(Notice):
    """An available resource has become unavailable, by its own word or because its session ended; its contacts know.

    :ivar stanza: the unavailable presence that they got, without an addressee.
    """

    session: Session
    stanza: Stanza
