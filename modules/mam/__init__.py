"""XEP-0313: Message Archive Management: every account reads its log.

* `query` reads what a client asks for, `answer` writes what it gets.
* XEP-0441: `preferences` says what an account wants to be archived, `store` keeps that.
* XEP-0424: `retraction` puts tombstones in the place of messages that were taken back.

What is a row of the log at all is the business of the module `records`; what it delivers late that of `offline`. A
message that an account does not want in its archive is delivered late all the same.

Where the specifications leave a choice:

* The number of messages is told only to who asks for nothing else (XEP-0059, Getting the Item Count). It costs as much
  as reading them all, and clients that page do not need it. Pages by index would cost the same, so there are none.
* A page may be smaller than it was asked to be, if its messages are large; `complete` says whether it is the last.
* Messages of rooms are in the archives of rooms. The field that asks for them is understood, and finds none.
* An id that is not in the archive is `item-not-found` wherever it stands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar, Final

from xmppd.core.clock import Clock
from xmppd.core.drive import drive_alone
from xmppd.core.events import (
    AccountCreated,
    AccountRemoved,
    DiscoInfo,
    Distributing,
    InboundMessage,
    MessageSent,
    OutboundMessage,
)
from xmppd.core.hooks import Hooks, Pending, Phase, collect, notice, on
from xmppd.core.host import Hosts
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.message_log import ARCHIVE, MessageLog, Row
from xmppd.core.module import Module, Xep
from xmppd.core.session import Session
from xmppd.core.shards import Shards
from xmppd.modules.roster.api import Rosters
from xmppd.protocol import rsm
from xmppd.protocol.element import Element
from xmppd.protocol.errors import Forbidden, ItemNotFound, NotAllowed, ResourceConstraint
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza_id import NAMESPACE as STANZA_IDS

from . import retraction
from .answer import METADATA, Results, fin, metadata, page_of
from .options import Config, Default
from .preferences import PREFS, Preferences, read_preferences
from .query import NS, QUERY, Asked, query_form, read_query
from .retraction import RETRACT, SOUGHT, TOMBSTONES, bury_received, bury_sent
from .store import PreferenceStore, RememberedPreferences

ACCOUNT_FEATURES: Final = (
    NS, f"{NS}#extended", f"{NS}#groupchat-field", rsm.NS, STANZA_IDS, retraction.NS, TOMBSTONES,
)  # fmt: skip
HOST_FEATURES: Final = (NS, retraction.NS)
"""A host has no archive of its own. Clients that ask nobody but the server (profanity) look for the first one there."""


@dataclass(slots=True)
class Mam(Module):
    """Answers what was said before."""

    name: ClassVar = "mam"
    xeps: ClassVar = (
        Xep(313, "1.1.3", note="of accounts; rooms keep their own messages"),
        Xep(359, "0.7.0", note="by accounts; forged ones are stripped by modules/forgeries"),
        Xep(424, "0.4.2", note="tombstones, but not of messages through rooms"),
        Xep(441, "0.2.0", leaves_out="advanced configuration"),
    )

    clock: Clock
    config: Config
    hooks: Hooks
    hosts: Hosts
    log: MessageLog
    rosters: Rosters
    shards: Shards
    _preferences: RememberedPreferences = field(init=False)
    _queries: dict[Jid, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._preferences = RememberedPreferences(PreferenceStore(self.shards), lambda: self.config.cache)

    @collect(DiscoInfo)
    async def describe(self, event: DiscoInfo) -> None:
        """Determining support: on the account, and in short on its host; not where nothing is kept."""
        host = self.hosts.get(event.target.domainpart)
        if event.node is not None or host is None or not host.stores:
            return
        event.features.update(ACCOUNT_FEATURES if event.target.localpart else HOST_FEATURES)

    # Queries

    @iq("get", QUERY)
    async def fields(self, request: IqRequest) -> Element:
        """Retrieving form fields."""
        return query_form()

    @iq("set", QUERY)
    async def search(self, request: IqRequest) -> Element:
        """Querying an archive: the results go to who asked, and then the answer says where they begin and end.

        :raises ItemNotFound: it names a message that is not there.
        :raises ResourceConstraint: the account has too many queries under way.
        """
        session = request.sender
        if session is None:
            raise Forbidden("results are for those who are connected here")
        asked = read_query(request.payload, self.config.largest_page)
        with self._counted(session.account):
            return await self._answer(session, asked)

    @iq("get", METADATA)
    async def tell(self, request: IqRequest) -> Element:
        """Archive metadata: its first and its last message."""
        return metadata(await self.log.ends(request.target))

    @iq("get", QUERY, Target.ANY_ACCOUNT)
    @iq("set", QUERY, Target.ANY_ACCOUNT)
    @iq("get", METADATA, Target.ANY_ACCOUNT)
    @iq("get", PREFS, Target.ANY_ACCOUNT)
    @iq("set", PREFS, Target.ANY_ACCOUNT)
    async def refuse(self, request: IqRequest) -> None:
        """Data privacy: an archive is its owner's."""
        raise Forbidden("that is not your archive")

    @contextmanager
    def _counted(self, account: Jid) -> Iterator[None]:
        """Take one of the places for queries of an account."""
        running = self._queries.get(account, 0)
        if running >= self.config.queries:
            raise ResourceConstraint("your other queries are not answered yet")
        self._queries[account] = running + 1
        try:
            yield
        finally:
            left = self._queries[account] - 1
            if left:
                self._queries[account] = left
            else:
                del self._queries[account]

    async def _answer(self, session: Session, asked: Asked) -> Element:
        owner, config, page = session.account, self.config, asked.page
        if asked.named and await self.log.missing(owner, asked.named):
            raise ItemNotFound("there is no such message")
        if page.wants_count:
            count = await self.log.count(asked.query(owner, 0))
            return fin((), is_complete=not count, count=count)
        limit = min(config.page if page.max is None else page.max, config.largest_page)
        found = await self.log.page(asked.query(owner, limit + 1))
        rows, is_complete = page_of(found, limit, config.page_size, backwards=page.is_backwards)
        await self._send(session, asked, rows[::-1] if asked.is_flipped else rows)
        return fin(rows, is_complete=is_complete)

    async def _send(self, session: Session, asked: Asked, rows: list[Row]) -> None:
        """Write results to the session, no faster than it reads, until it has all or is gone."""
        results, wire = Results(session.account, session.jid, asked.queryid), session.wire
        for row in rows:
            if not wire.write_stanza(results.message(row)):
                return
            room = wire.room()
            if room is not None:
                await room

    # Preferences

    @iq("get", PREFS)
    async def tell_preferences(self, request: IqRequest) -> Element:
        """XEP-0441, Simple configuration: what the account wants, or what it gets without having said."""
        return (await self._wanted(request.target)).element()

    @iq("set", PREFS)
    async def set_preferences(self, request: IqRequest) -> Element:
        """XEP-0441, Simple configuration: from now on.

        :raises NotAllowed: the account ends with its session.
        """
        if request.sender is not None and request.sender.is_anonymous:
            raise NotAllowed("an anonymous account has no archive")
        wanted = read_preferences(request.payload, self.config.addresses)
        await self._preferences.put(request.target, wanted)
        return wanted.element()

    @on(OutboundMessage, Phase.RECORD)
    def heed_sender(self, event: OutboundMessage) -> Pending:
        """XEP-0441, Outgoing messages."""
        account, to = event.sender.account, event.stanza.to
        if self._wants_all(account) or to is None or event.sender.is_anonymous:
            return None
        return self._heed(event, account, to)

    @on(InboundMessage, Phase.RECORD)
    def heed_recipient(self, event: InboundMessage) -> Pending:
        """XEP-0441, Incoming messages."""
        if self._wants_all(event.account):
            return None
        return self._heed(event, event.account, event.stanza.from_)

    async def _heed(self, event: OutboundMessage | InboundMessage, account: Jid, peer: Jid) -> None:
        if not await self._archives(account, peer):
            event.veto |= ARCHIVE

    def _wants_all(self, account: Jid) -> bool:
        """Whether it is known that an account has never said anything and gets all, as nearly every one does."""
        config = self.config
        default = self._default(account) if config.hosts else config.default
        return default is Default.ALWAYS and self._preferences.is_silent(account)

    async def _wanted(self, account: Jid) -> Preferences:
        return await self._preferences.get(account) or Preferences(self._default(account))

    def _default(self, account: Jid) -> Default:
        config = self.config
        return config.hosts.get(account.domainpart, config.default)

    async def _archives(self, account: Jid, peer: Jid) -> bool:
        """Whether an account wants messages with an address in its archive."""
        wanted = await self._preferences.get(account)
        rule = self._default(account) if wanted is None else wanted.rule_for(peer)
        if rule is not Default.ROSTER:
            return rule is Default.ALWAYS
        item = (await self.rosters.get(account)).item(peer.bare)
        return item is not None and item.listed

    # Retractions

    @on(Distributing, Phase.COPY, children=SOUGHT)
    async def bury_received(self, event: Distributing) -> None:
        """XEP-0424, Tombstones: in the archive of who received it; the retraction itself goes on meanwhile."""
        burial = bury_received(self.log, event.account, event.stanza, event.row, self._since())
        drive_alone(burial, self._tell)

    @notice(MessageSent, children=SOUGHT)
    async def bury_sent(self, event: MessageSent) -> None:
        """XEP-0424, Tombstones: in the archive of who sent it."""
        drive_alone(bury_sent(self.log, event.sender.account, event.stanza, event.row, self._since()), self._tell)

    def _since(self) -> float:
        return self.clock.seconds() - self.config.retractable

    def _tell(self, error: BaseException) -> None:
        assert isinstance(error, Exception), "whatever else is raised ends the process"
        self.hooks.faults.tell("mam.bury", RETRACT, error)

    # The end of an account

    @notice(AccountRemoved)
    async def forget(self, event: AccountRemoved) -> None:
        """Nothing of an account is left when it is gone."""
        await self.log.forget(event.jid)
        await self._preferences.forget(event.jid)

    @notice(AccountCreated)
    async def forget_predecessor(self, event: AccountCreated) -> None:
        """Nor does who gets its name find what was under way while it was removed."""
        jid = event.account.jid
        if await self.log.heads([jid]):
            await self.log.forget(jid)
