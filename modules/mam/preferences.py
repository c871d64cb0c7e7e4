"""What accounts want to be archived (XEP-0441): a rule, and two lists of exceptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, JidMalformed, NotAcceptable
from xmppd.protocol.jid import Jid, JidError

from .options import Default
from .query import NS

PREFS: Final = f"{{{NS}}}prefs"
ALWAYS: Final = f"{{{NS}}}always"
NEVER: Final = f"{{{NS}}}never"
JID: Final = f"{{{NS}}}jid"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What one account wants.

    :ivar always: addresses whose messages are archived; a bare JID means all its resources (JID matching).
    :ivar never: addresses whose messages are not; who is in both lists is here.
    """

    default: Default
    always: tuple[Jid, ...] = ()
    never: tuple[Jid, ...] = ()

    def rule_for(self, peer: Jid) -> Default:
        """Return what holds for messages with an address; `ROSTER` if it depends on the roster."""
        if self.never and (peer in self.never or peer.bare in self.never):
            return Default.NEVER
        if self.always and (peer in self.always or peer.bare in self.always):
            return Default.ALWAYS
        return self.default

    def element(self) -> Element:
        """Return the `<prefs/>`."""
        return E(
            PREFS,
            E(ALWAYS, *[E(JID, jid) for jid in self.always]),
            E(NEVER, *[E(JID, jid) for jid in self.never]),
            default=self.default,
        )


def read_preferences(payload: Element, most: int) -> Preferences:
    """Read a `<prefs/>`.

    :param most: how many addresses both lists may have together.
    :raises BadRequest: the default is none of those that there are.
    :raises JidMalformed: an address is none.
    :raises NotAcceptable: too many addresses.
    """
    try:
        default = Default(payload.get("default") or "")
    except ValueError:
        raise BadRequest("The default is always, never or roster.") from None
    always, never = _addresses(payload.child(ALWAYS)), _addresses(payload.child(NEVER))
    if len(always) + len(never) > most:
        raise NotAcceptable(f"at most {most} addresses may be named")
    return Preferences(default, always, never)


def _addresses(parent: Element | None) -> tuple[Jid, ...]:
    if parent is None:
        return ()
    try:
        return tuple(dict.fromkeys(Jid.parse(text) for text in _texts(parent)))
    except JidError as error:
        raise JidMalformed(str(error)) from None


def _texts(parent: Element) -> Sequence[str]:
    return [child.text.strip() for child in parent.elements() if child.name == JID]
