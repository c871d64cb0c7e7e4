"""XEP-0030: Service Discovery: what a host or an account is, can do and has; with XEP-0128 forms and XEP-0115.

Modules declare features and identities as data and contribute the rest to the `DiscoInfo` and `DiscoItems`
collections; this one gathers and answers. A node that is found but of which nobody tells anything is not for the one
who asks.

What an account is, is told to itself and to whom its owner lets see its presence; to others it looks like one that
does not exist. RFC 6121, 8.5.1, wants `service-unavailable` there, for items too, where XEP-0030 would have an empty
list.

What a host is does not change between two loads of modules or of the configuration, so what is announced to each
client that logs in is computed once.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, NamedTuple

from xmppd.config.server import Config as ServerConfig
from xmppd.core.events import DiscoInfo, DiscoItems, StreamFeatures
from xmppd.core.hooks import Hooks, collect
from xmppd.core.host import Host, Hosts
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.loader import Loader
from xmppd.core.module import Module, Xep
from xmppd.core.router import Router
from xmppd.core.sessions import Sessions
from xmppd.modules.roster.api import Rosters, who_may_learn
from xmppd.protocol.dataforms import Field, FieldType, Form, FormKind
from xmppd.protocol.disco import CAPS, Identity, Info, Item, caps_element, items_element
from xmppd.protocol.element import Element
from xmppd.protocol.errors import Forbidden, ItemNotFound, ServiceUnavailable
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import DISCO_INFO, DISCO_ITEMS

CAPS_URI: Final = "urn:uuid:12b4571c-6620-471c-8cc1-089f707c764b"
"""Names this software among others (XEP-0115, Protocol); a UUID is unique without asking any registry (RFC 9562)."""

CONTACTS_FORM: Final = "http://jabber.org/network/serverinfo"


class Announced(NamedTuple):
    """What a host was found to be.

    :ivar host: the host as it was configured then; a reload of the configuration makes another object.
    :ivar generation: that of the hooks; it grows when modules come or go.
    :ivar caps: what the stream features say of it.
    """

    host: Host
    generation: int
    info: Info
    caps: Element

    @property
    def node(self) -> str:
        """The node that stands for exactly this information (XEP-0115, Discovering Capabilities)."""
        return f"{CAPS_URI}#{self.caps.get('ver')}"


@dataclass(slots=True)
class Disco(Module):
    """Answers what hosts and accounts are and have."""

    name: ClassVar = "disco"
    xeps: ClassVar = (
        Xep(30, "2.5.0", note="an account that one may not ask for its items looks like none: RFC 6121, 8.5.1"),
        Xep(115, "1.6.0", leaves_out="what clients announce is passed on, not read"),
        Xep(128, "1.0.1"),
        Xep(157, "1.1.1"),
    )
    features: ClassVar = (CAPS, DISCO_INFO, DISCO_ITEMS)
    account_features: ClassVar = (DISCO_INFO, DISCO_ITEMS)

    hooks: Hooks
    hosts: Hosts
    loader: Loader
    rosters: Rosters
    router: Router
    server: ServerConfig
    sessions: Sessions
    _announced: dict[Jid, Announced] = field(default_factory=dict, init=False)

    @iq("get", f"{{{DISCO_INFO}}}query", Target.HOST, Target.ANY_ACCOUNT)
    async def info(self, request: IqRequest) -> Element:
        """Discovering Information About a Jabber Entity."""
        await self._check_account(request)
        node = request.payload.get("node") or None
        if node is not None and node.startswith(f"{CAPS_URI}#"):
            return await self._announced_info(request.target, node)
        found = await self.hooks.collect(DiscoInfo(request.target, node, request.from_))
        if node is not None and not found.found:
            raise ItemNotFound("there is no such node")
        if not found.identities:
            raise Forbidden("that node is not for you")
        return info_of(found).element()

    async def _announced_info(self, target: Jid, node: str) -> Element:
        """XEP-0115, Discovering Capabilities: the node stands for what we are, as long as we are that."""
        host = self.hosts.get(target)
        announced = None if host is None else await self._known(host)
        if announced is None or announced.node != node:
            raise ItemNotFound("that is another version of this server")
        return replace(announced.info, node=node).element()

    @iq("get", f"{{{DISCO_ITEMS}}}query", Target.HOST, Target.ANY_ACCOUNT)
    async def items(self, request: IqRequest) -> Element:
        """Discovering the Items Associated with a Jabber Entity."""
        await self._check_account(request)
        node = request.payload.get("node") or None
        found = await self.hooks.collect(DiscoItems(request.target, node, request.from_))
        if node is not None and not found.found:
            raise ItemNotFound("there is no such node")
        return items_element(found.items, node or "")

    @collect(DiscoInfo)
    async def describe(self, event: DiscoInfo) -> None:
        """Contribute what the loaded modules declare."""
        if event.node is not None:
            return
        if event.target.localpart:
            self._describe_account(event)
        elif (host := self.hosts.get(event.target)) is not None:
            self._describe_host(event, host)

    def _describe_account(self, event: DiscoInfo) -> None:
        anonymous = any(session.is_anonymous for session in self.sessions.of(event.target))
        event.identities.append(Identity("account", "anonymous" if anonymous else "registered"))
        for module in self.loader.loaded.values():
            event.features.update(module.account_features)

    def _describe_host(self, event: DiscoInfo, host: Host) -> None:
        event.identities.append(Identity("server", "im", name=self.server.server.name))
        for module in self.loader.loaded.values():
            event.identities.extend(module.identities)
            event.features.update(module.features)
        contacts = [Field(var, FieldType.LIST_MULTI, value) for var, value in host.contacts.items() if value]
        if contacts:
            event.forms.append(Form(FormKind.RESULT, contacts, CONTACTS_FORM))

    @collect(DiscoItems)
    async def enumerate(self, event: DiscoItems) -> None:
        """Contribute the services of a host, and the available resources of an account."""
        if event.node is not None:
            return
        if event.target.localpart:
            event.items.extend(Item(session.jid) for session in self.sessions.available(event.target))
        else:
            ours = (domain for domain in self.router.services() if domain.endswith(f".{event.target}"))
            event.items.extend(Item(Jid.parse(domain)) for domain in ours)

    @collect(StreamFeatures)
    async def announce(self, event: StreamFeatures) -> None:
        """XEP-0115, Stream Feature: a client need not ask what it knows already."""
        if event.authenticated:
            event.features.append((await self._known(event.host)).caps)

    async def _known(self, host: Host) -> Announced:
        """Return what a host is, found out once for each set of modules and each configuration."""
        known, generation = self._announced.get(host.name), self.hooks.generation
        if known is None or known.host is not host or known.generation != generation:
            info = info_of(await self.hooks.collect(DiscoInfo(host.name, None, host.name)))
            known = self._announced[host.name] = Announced(host, generation, info, caps_element(CAPS_URI, info))
        return known

    async def _check_account(self, request: IqRequest) -> None:
        """Security Considerations: refuse to speak about an account to who may not see its presence."""
        target, asker = request.target, request.from_.bare
        if not target.localpart or request.is_own:
            return
        if not (await self.rosters.get(target)).may_see(asker) or not await who_may_learn(self.hooks, target, (asker,)):
            raise ServiceUnavailable()


def info_of(found: DiscoInfo) -> Info:
    """Return the answer that a collection gathered; nothing is told twice."""
    return Info(tuple(dict.fromkeys(found.identities)), sorted(found.features), found.forms, found.node or "")
