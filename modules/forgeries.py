"""Takes out of stanzas what their senders cannot say: it would be taken for the word of a server, an account or a room.

* A `<stanza-id/>` (XEP-0359, 3) by one of our hosts, accounts or services: only they number stanzas.
* A `<delay/>` (XEP-0203, 5) in the name of one of them: only they know when they kept a stanza.
* A carbon (XEP-0280): only an account's own server makes one.
* From clients also `<occupant-id/>` (XEP-0421, 4) and what a room says of its occupants (XEP-0045). A client may invite
  through a room and decline (7.8.2), and mark a private message by an empty `<x/>` (7.5).

A room's history names who spoke: in messages of a room, and in those that an owner hands to one (XEP-0045, Continuing
the Discussion), a delay may have an account's address.

What comes from our own clients is looked at when it leaves, what comes from elsewhere when it comes in. Nearly all
stanzas have nothing of the kind; they cost one look at names, not even at a tree, and stay as they came.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from xmppd.core.events import InboundMessage, InboundPresence, OutboundMessage, OutboundPresence
from xmppd.core.hooks import Phase, on
from xmppd.core.host import Hosts
from xmppd.core.module import Module
from xmppd.core.router import Router
from xmppd.protocol.delay import NAME as DELAY
from xmppd.protocol.delay import forged_delays
from xmppd.protocol.element import Element, Names
from xmppd.protocol.jid import Jid, JidError
from xmppd.protocol.stanza import Stanza

STANZA_ID: Final = "{urn:xmpp:sid:0}stanza-id"
CARBONS: Final = frozenset({"{urn:xmpp:carbons:2}received", "{urn:xmpp:carbons:2}sent"})
OCCUPANT_ID: Final = "{urn:xmpp:occupant-id:0}occupant-id"
MUC_USER: Final = "http://jabber.org/protocol/muc#user"
ROOM: Final = f"{{{MUC_USER}}}x"
MEDIATED: Final = frozenset({f"{{{MUC_USER}}}invite", f"{{{MUC_USER}}}decline"})
PASSWORD: Final = f"{{{MUC_USER}}}password"

SUSPECTS: Final = Names(STANZA_ID, DELAY, OCCUPANT_ID, ROOM, *CARBONS)
"""Children that have to be looked at. Bytes would not tell: there a namespace may be written in many ways."""


@dataclass(slots=True)
class Forgeries(Module):
    """Strips what is said in the name of others."""

    name: ClassVar = "forgeries"

    hosts: Hosts
    router: Router

    @on(OutboundMessage, Phase.SHAPE, children=SUSPECTS)
    async def message_leaves(self, event: OutboundMessage) -> None:
        """A message of a local client."""
        event.stanza = self._cleaned(event.stanza, from_client=True)

    @on(OutboundPresence, Phase.SHAPE, children=SUSPECTS)
    async def presence_leaves(self, event: OutboundPresence) -> None:
        """Presence of a local client, broadcast or not."""
        event.stanza = self._cleaned(event.stanza, from_client=True)

    @on(InboundMessage, Phase.SHAPE, children=SUSPECTS)
    async def message_comes(self, event: InboundMessage) -> None:
        """A message of another server's; what is from here was looked at when it left."""
        event.stanza = self._cleaned(event.stanza, from_client=False)

    @on(InboundPresence, Phase.SHAPE, children=SUSPECTS)
    async def presence_comes(self, event: InboundPresence) -> None:
        """Presence of another server's."""
        event.stanza = self._cleaned(event.stanza, from_client=False)

    def _cleaned(self, stanza: Stanza, *, from_client: bool) -> Stanza:
        """Return the stanza without what is forged; itself if nothing is, or if a service of ours says it."""
        ours = self.router.domains()
        if not from_client and stanza.from_.domainpart in ours:
            return stanza
        forged = [*self._delays(stanza, ours, from_client), *_marks(stanza, ours)]
        if from_client:
            forged += _rooms_words(stanza)
        return stanza.copy(element=stanza.element.without(*forged)) if forged else stanza

    def _delays(self, stanza: Stanza, ours: frozenset[str], from_client: bool) -> list[Element]:
        found = forged_delays(stanza.element, ours)
        to_account = from_client and stanza.to is not None and stanza.to.domainpart in self.hosts
        if stanza.type != "groupchat" or to_account:
            return found
        return [delay for delay in found if not self._names_speaker(delay)]

    def _names_speaker(self, delay: Element) -> bool:
        """Whether a delay has the address of an account, as a room's history may."""
        speaker = Jid.parse(delay.attributes["from"])
        return bool(speaker.localpart) and speaker.domainpart in self.hosts


def _marks(stanza: Stanza, ours: frozenset[str]) -> Iterator[Element]:
    """Yield ids that only we give, and carbons that only we make."""
    for child in stanza.elements():
        if child.name in CARBONS or (child.name == STANZA_ID and _is_ours(child.get("by"), ours)):
            yield child


def _is_ours(by: str | None, ours: frozenset[str]) -> bool:
    """Whether an id claims to be given by one of us; one by nobody is no better (XEP-0359, 3)."""
    try:
        return by is None or Jid.parse(by).domainpart in ours
    except JidError:
        return True


def _rooms_words(stanza: Stanza) -> Iterator[Element]:
    """Yield what only a room says."""
    for child in stanza.elements():
        if child.name == OCCUPANT_ID or (child.name == ROOM and not _is_clients(child)):
            yield child


def _is_clients(x: Element) -> bool:
    """Whether a client may say this: an invitation or a refusal for the room to pass on, or nothing."""
    return all(
        child.get("from") is None if child.name in MEDIATED else child.name == PASSWORD for child in x.elements()
    )
