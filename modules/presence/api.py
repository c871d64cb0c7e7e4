"""What other modules may know of presence: when resources become available and unavailable.

The resource's own presence is in `Session.presence` and `Session.priority`.
"""

from dataclasses import dataclass

from xmppd.core.hooks import Notice
from xmppd.core.session import Session
from xmppd.protocol.stanza import Stanza


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
