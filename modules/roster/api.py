"""What other modules may know of rosters.

A `Roster` is a snapshot: a change makes a new one, so whoever has one may iterate over it and wait. `Rosters` hands
them out; while an account is active its roster is in memory and `get` does not wait.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from xmppd.core.hooks import Decision, Hooks
from xmppd.protocol.delay import Delay
from xmppd.protocol.element import Element
from xmppd.protocol.errors import Misuse
from xmppd.protocol.jid import Jid
from xmppd.protocol.parser import USUAL_HEADER, StreamParser
from xmppd.protocol.stanza import Stanza, read
from xmppd.protocol.tree import Limits

SEEN: Final = frozenset({"from", "both"})
SEES: Final = frozenset({"to", "both"})


@dataclass(slots=True)
class Request:
    """A subscription request that waits for the account's answer.

    :ivar data: the whole presence stanza, as it stands in a stream whose content namespace is jabber:client.
    :ivar received: when it came, in seconds since the epoch.
    """

    data: bytes
    received: float

    def stanza(self, contact: Jid, account: Jid) -> Stanza:
        """Return the request, to be delivered again; it says when it came (XEP-0203)."""
        element = StreamParser(Limits(), USUAL_HEADER).feed(self.data)[-1]
        if not isinstance(element, Element):
            raise Misuse("what was kept is no stanza")
        stanza = read(element, contact)
        stanza.to = account
        return stanza.with_added(Delay(self.received, Jid.parse(account.domainpart)).element())


@dataclass(slots=True)
class Item:
    """One contact. Nobody changes one: a change makes another.

    :ivar name: what the account calls the contact, or an empty string.
    :ivar subscription: "none", "to", "from" or "both".
    :ivar asks: whether the account asked for the contact's presence and has no answer yet (`ask='subscribe'`).
    :ivar approved: whether the account approved a request of the contact's beforehand (RFC 6121, 3.4).
    :ivar listed: whether clients see the item; one that only holds a request is not in the roster (RFC 6121, 3.1.3).
    :ivar request: the contact's request for the account's presence that has no answer yet.
    """

    jid: Jid
    name: str = ""
    groups: tuple[str, ...] = ()
    subscription: str = "none"
    asks: bool = False
    approved: bool = False
    listed: bool = True
    request: Request | None = None

    @property
    def is_seen(self) -> bool:
        """Whether the account sees the contact's presence."""
        return self.subscription in SEES

    @property
    def may_see(self) -> bool:
        """Whether the contact sees the account's presence."""
        return self.subscription in SEEN


class Roster:
    """An account's contacts as they are at one moment.

    :ivar owner: the account's bare JID.
    :ivar version: grows with each change; 0 if the roster was never changed.
    """

    __slots__ = ("_items", "_subscribers", "_subscriptions", "owner", "version")

    def __init__(self, owner: Jid, version: int = 0, items: Mapping[Jid, Item] | None = None) -> None:
        self.owner = owner
        self.version = version
        self._items: Mapping[Jid, Item] = items or {}
        self._subscribers: tuple[Jid, ...] | None = None
        self._subscriptions: tuple[Jid, ...] | None = None

    def item(self, jid: Jid) -> Item | None:
        """Return the item of a contact (a bare JID), listed or not."""
        return self._items.get(jid)

    def listed(self) -> list[Item]:
        """Return the items that clients see."""
        return [item for item in self._items.values() if item.listed]

    def requests(self) -> list[Item]:
        """Return the items whose contact waits for an answer."""
        return [item for item in self._items.values() if item.request is not None]

    def subscribers(self) -> tuple[Jid, ...]:
        """Return the contacts that see the account's presence (From or Both)."""
        if self._subscribers is None:
            self._subscribers = tuple([item.jid for item in self._items.values() if item.subscription in SEEN])
        return self._subscribers

    def subscriptions(self) -> tuple[Jid, ...]:
        """Return the contacts whose presence the account sees (To or Both)."""
        if self._subscriptions is None:
            self._subscriptions = tuple([item.jid for item in self._items.values() if item.subscription in SEES])
        return self._subscriptions

    def may_see(self, jid: Jid) -> bool:
        """Whether a contact (a bare JID) sees the account's presence."""
        item = self._items.get(jid)
        return item is not None and item.subscription in SEEN

    def changed(self, version: int, jid: Jid, item: Item | None) -> "Roster":
        """Return the roster with one item replaced, added or (None) taken away."""
        items = dict(self._items)
        if item is None:
            items.pop(jid, None)
        else:
            items[jid] = item
        return Roster(self.owner, version, items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)


class Rosters(Protocol):
    """The rosters of all local accounts."""

    async def get(self, owner: Jid) -> Roster:
        """Return the roster of a local account (a bare JID); an account that never had one has an empty one."""


@dataclass(slots=True)
class Disclosing(Decision):
    """`recipients` are about to learn of an account's presence; a GUARD handler takes out who must not.

    Fired for what nobody addressed by hand: broadcasts, probes and their answers, presence that follows an approval.

    :ivar recipients: bare JIDs; handlers change the list.
    """

    account: Jid
    recipients: list[Jid]


async def who_may_learn(hooks: Hooks, account: Jid, recipients: Sequence[Jid]) -> Sequence[Jid]:
    """Return those of `recipients` that may learn of an account's presence; none if a handler settles that.

    :raises StanzaError: a handler refused, or failed.
    """
    if not recipients or not hooks.wants(Disclosing):
        return recipients
    event = Disclosing(account, list(recipients))
    return () if await hooks.decide(event) is not None else event.recipients
