"""What other modules may know of blocking: whom an account has blocked, and what was said with it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from xmppd.core.hooks import Notice
from xmppd.protocol.element import Element
from xmppd.protocol.jid import Jid


class Blocklist:
    """Whom an account has blocked, at one moment.

    :param jids: the addresses, in canonical form.
    :ivar owner: the account's bare JID.
    :ivar blocks: whether it has blocked anybody: every stanza asks that.
    """

    __slots__ = ("_jids", "blocks", "owner")

    def __init__(self, owner: Jid, jids: Collection[str] = ()) -> None:
        self.owner = owner
        self._jids = frozenset(jids)
        self.blocks = bool(jids)

    def covers(self, jid: Jid) -> bool:
        """Whether an address is blocked (XEP-0191, JID Matching): itself, its bare JID, or its whole domain.

        The account's own resources never are (Relationship to Privacy Lists).
        """
        jids = self._jids
        if jid.bare == self.owner:
            return False
        return jid in jids or jid.bare in jids or jid.domainpart in jids

    def __contains__(self, jid: object) -> bool:
        """Whether an address is an item of the list."""
        return jid in self._jids

    def __iter__(self) -> Iterator[Jid]:
        """Iterate over the items, in the order of their text."""
        return iter([Jid.parse(text) for text in sorted(self._jids)])

    def __len__(self) -> int:
        return len(self._jids)


class Blocklists(Protocol):
    """The block lists of all local accounts."""

    async def get(self, owner: Jid) -> Blocklist:
        """Return the list of a local account (a bare JID); one that has blocked nobody has an empty one.

        :raises StorageUnavailable: it cannot be read; then nobody must be let through.
        """


@dataclass(slots=True)
class JidsBlocked(Notice):
    """An account has blocked addresses, which is in force by now.

    :ivar items: what its client has asked for: `<item/>` elements, each with an address and whatever else was said.
    """

    account: Jid
    items: Sequence[Element]
