"""XEP-0030: Service Discovery: what a host or an account is, can do and has; with XEP-0128 forms and XEP-0115 for ourselves.

Modules declare features and identities as data and contribute the rest to the `DiscoInfo` and `DiscoItems` collections; this
one gathers and answers. What an account is, is told to itself and to whom its owner lets see its presence; to others it does
not exist (RFC 6121, 8.5.1).
"""

from dataclasses import dataclass
from typing import ClassVar

from xmppd.config.server import Config as ServerConfig
from xmppd.core.events import DiscoInfo, DiscoItems, StreamFeatures
from xmppd.core.hooks import Hooks, collect
from xmppd.core.host import Hosts
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.loader import Loader
from xmppd.core.module import Module, Xep
from xmppd.core.router import Router
from xmppd.core.sessions import Sessions
from xmppd.modules.roster.api import Rosters
from xmppd.protocol.dataforms import Field, FieldType, Form, FormKind
from xmppd.protocol.disco import Identity, Info, Item, caps_element, items_element, verification_hash
from xmppd.protocol.element import Element
from xmppd.protocol.errors import ItemNotFound, ServiceUnavailable
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import DISCO_INFO, DISCO_ITEMS

CAPS_URI = "https://xmppd.example/caps"
CONTACTS_FORM = "http://jabber.org/network/serverinfo"


@dataclass(slots=True)
class Disco(Module):
    """Answers what hosts and accounts are and have."""

    name: ClassVar = "disco"
    xeps: ClassVar = (
        Xep(30, "2.5.0"),
        Xep(128, "1.0.1"),
        Xep(157, "1.1.1"),
        Xep(115, "1.6.0", leaves_out="what clients announce is passed on, not read"),
    )
    features: ClassVar = (DISCO_INFO, DISCO_ITEMS)
    account_features: ClassVar = (DISCO_INFO, DISCO_ITEMS)

    hooks: Hooks
    hosts: Hosts
    loader: Loader
    rosters: Rosters
    router: Router
    server: ServerConfig
    sessions: Sessions

    @iq("get", f"{{{DISCO_INFO}}}query", Target.HOST, Target.ANY_ACCOUNT)
    async def info(self, request: IqRequest) -> Element:
        """Discovering Information About a Jabber Entity."""
        await self._check_account(request)
        node = request.payload.get("node") or None
        found = await self._info(request.target, self._own_node(node), request.from_)
        if node is not None and not found.found and self._own_node(node) is not None:
            raise ItemNotFound("there is no such node")
        if node is not None and self._own_node(node) is None and node != self._caps_node(found):
            raise ItemNotFound("that was another version of this server")
        return _element(found, node or "")

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
        modules = self.loader.loaded.values()
        if event.target.localpart:
            event.identities.append(Identity("account", "registered"))
            event.features.update(feature for module in modules for feature in module.account_features)
        elif (host := self.hosts.get(event.target)) is not None:
            event.identities.append(Identity("server", "im", name=self.server.server.name))
            event.identities.extend(identity for module in modules for identity in module.identities)
            event.features.update(feature for module in modules for feature in module.features)
            fields = [Field(var, FieldType.LIST_MULTI, value) for var, value in host.contacts.items() if value]
            if fields:
                event.forms.append(Form(FormKind.RESULT, fields, CONTACTS_FORM))

    @collect(DiscoItems)
    async def enumerate(self, event: DiscoItems) -> None:
        """Contribute the services of a host, and the connected resources of an account."""
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
            event.features.append(caps_element(CAPS_URI, _info(await self._info(event.host.name, None, event.host.name))))

    async def _check_account(self, request: IqRequest) -> None:
        """Refuse to speak about an account to strangers."""
        target = request.target
        if not target.localpart or request.is_own:
            return
        if not (await self.rosters.get(target)).may_see(request.from_.bare):
            raise ServiceUnavailable()

    async def _info(self, target: Jid, node: str | None, sender: Jid) -> DiscoInfo:
        return await self.hooks.collect(DiscoInfo(target, node, sender))

    def _own_node(self, node: str | None) -> str | None:
        """Return None for the nodes of our own capabilities, which mean the entity itself."""
        return None if node is None or node.startswith(f"{CAPS_URI}#") else node

    def _caps_node(self, found: DiscoInfo) -> str:
        return f"{CAPS_URI}#{verification_hash(_info(found))}"


def _info(found: DiscoInfo, node: str = "") -> Info:
    return Info(found.identities, sorted(found.features), found.forms, node)


def _element(found: DiscoInfo, node: str) -> Element:
    return _info(found, node).element()
