"""XEP-0030: Service Discovery, with XEP-0115, XEP-0128 and XEP-0157."""

from typing import Any, ClassVar
from xml.etree import ElementTree as ET

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from tests.scenario.xml import show
from xmppd.app.node import hosts_of
from xmppd.config.server import Contacts, Host
from xmppd.core.events import DiscoInfo, DiscoItems
from xmppd.core.hooks import Phase, collect, on
from xmppd.core.module import Module
from xmppd.modules.disco import CAPS_URI
from xmppd.modules.roster.api import Disclosing
from xmppd.protocol.disco import Identity, Info, Item, verify
from xmppd.protocol.element import Element
from xmppd.protocol.jid import Jid

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
CAPS = "http://jabber.org/protocol/caps"
SERVERINFO = "http://jabber.org/network/serverinfo"
ROMEO = "romeo@montague.example/orchard"
JULIET = "juliet@capulet.example"


def asks(client: Client, namespace: str, to: str, node: str = "") -> None:
    extra = f" node='{node}'" if node else ""
    client.sends(f"<iq type='get' to='{to}' id='info1'><query xmlns='{namespace}'{extra}/></iq>")


def learns(client: Client, namespace: str, to: str, node: str = "") -> ET.Element:
    """Ask, and return the `<query/>` of the result, checked as far as all results are alike."""
    asks(client, namespace, to, node)
    answer = client.receives_any()
    assert (answer.get("type"), answer.get("from"), answer.get("id")) == ("result", to, "info1"), show(answer)
    (query,) = answer
    assert (query.tag, query.get("node", "")) == (f"{{{namespace}}}query", node)
    return query


def features(query: ET.Element) -> list[str]:
    return [feature.get("var", "") for feature in query.findall(f"{{{INFO}}}feature")]


def identities(query: ET.Element) -> list[tuple[str, ...]]:
    return [
        (one.get("category", ""), one.get("type", ""), one.get("name", ""))
        for one in query.findall(f"{{{INFO}}}identity")
    ]


def items(query: ET.Element) -> list[dict[str, str]]:
    return [dict(item.attrib) for item in query]


def element_of(tree: ET.Element) -> Element:
    """Return what a client's parser has read as one of our own elements."""
    children: list[Element | str] = [element_of(child) for child in tree]
    return Element(tree.tag, dict(tree.attrib), children or ([tree.text] if tree.text else []))


@pytest.fixture
def romeo(server: Server) -> Client:
    return server.connect(ROMEO)


@pytest.fixture
def subscribed(server: Server, romeo: Client) -> Client:
    """Juliet on her balcony, whose presence Romeo sees."""
    juliet = server.online(f"{JULIET}/balcony")
    romeo.sends(f"<presence to='{JULIET}' type='subscribe'/>")
    juliet.sends("<presence to='romeo@montague.example' type='subscribed'/>")
    romeo.forgets()
    juliet.forgets()
    return juliet


class TestInformation:
    """Discovering Information About a Jabber Entity."""

    def test_host(self, romeo: Client) -> None:
        """A host is an instant messaging server, and tells what its modules can do, each feature once."""
        query = learns(romeo, INFO, "montague.example")
        assert identities(query) == [("server", "im", "xmppd")]
        told = features(query)
        assert told == sorted(set(told))
        assert {INFO, ITEMS, CAPS, "urn:xmpp:ping", "jabber:iq:version", "jabber:iq:last"} <= set(told)

    def test_own_account(self, romeo: Client) -> None:
        """The server replies on behalf of an account."""
        query = learns(romeo, INFO, "romeo@montague.example")
        assert identities(query) == [("account", "registered", "")]
        assert {INFO, ITEMS} <= set(features(query))

    def test_account_without_address(self, romeo: Client) -> None:
        """A request without an address is for the account itself (RFC 6120, 10.3.3)."""
        romeo.sends(f"<iq type='get' id='info1'><query xmlns='{INFO}'/></iq>")
        answer = romeo.receives_any()
        assert answer.get("from") == "romeo@montague.example"
        assert identities(answer[0]) == [("account", "registered", "")]

    def test_guest(self) -> None:
        """The account of a guest is an anonymous one."""
        server = Server(anonymous=True)
        guest = server.connection()
        guest.opens("shakespeare.example")
        guest.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
        guest.receives_any()
        guest.opens("shakespeare.example")
        account = guest.binds("").partition("/")[0]
        assert identities(learns(guest, INFO, account)) == [("account", "anonymous", "")]

    def test_subscribed(self, romeo: Client, subscribed: Client) -> None:
        """A contact who sees the presence of the account may know of it."""
        assert identities(learns(romeo, INFO, JULIET)) == [("account", "registered", "")]

    def test_connected_resource(self, romeo: Client, server: Server) -> None:
        """A request to a resource is the resource's to answer."""
        juliet = server.connect(f"{JULIET}/balcony")
        asks(romeo, INFO, f"{JULIET}/balcony")
        juliet.receives(f"<iq type='get' from='{ROMEO}' to='{JULIET}/balcony' id='info1'><query xmlns='{INFO}'/></iq>")

    def test_same_identity_of_two_modules(self, server: Server, romeo: Client) -> None:
        """What two modules declare alike is told once."""

        class Twin(Module):
            name: ClassVar = "twin"
            identities: ClassVar = (Identity("pubsub", "pep"),)

        loaded: dict[str, Any] = server.node.loader._loaded
        loaded["one"], loaded["two"] = Twin(), Twin()
        query = learns(romeo, INFO, "montague.example")
        assert identities(query) == [("server", "im", "xmppd"), ("pubsub", "pep", "")]


class TestNodes:
    """Info Nodes, Items Nodes."""

    class Catalog:
        """A host with nodes: books for everybody, and some that nobody may see."""

        @collect(DiscoInfo)
        async def describe(self, event: DiscoInfo) -> None:
            event.found = event.found or event.node in ("books", "poison")
            if event.node == "books":
                event.identities.append(Identity("hierarchy", "leaf"))
                event.features.add(INFO)

        @collect(DiscoItems)
        async def enumerate(self, event: DiscoItems) -> None:
            if event.node == "books":
                event.found = True
                event.items.append(Item(event.target, "books/hamlet", "Hamlet"))

    @pytest.fixture(autouse=True)
    def catalog(self, server: Server) -> None:
        server.node.hooks.bind("catalog", self.Catalog())

    def test_info_node(self, romeo: Client) -> None:
        """The answer mirrors the node and is about the node alone."""
        query = learns(romeo, INFO, "montague.example", "books")
        assert identities(query) == [("hierarchy", "leaf", "")]
        assert features(query) == [INFO]

    def test_items_node(self, romeo: Client) -> None:
        """What belongs to a node is listed under it."""
        query = learns(romeo, ITEMS, "montague.example", "books")
        assert items(query) == [{"jid": "montague.example", "node": "books/hamlet", "name": "Hamlet"}]

    @pytest.mark.parametrize("namespace", [INFO, ITEMS])
    @pytest.mark.parametrize("to", ["montague.example", "romeo@montague.example"])
    def test_unknown_node(self, romeo: Client, namespace: str, to: str) -> None:
        """Error Conditions: there is no such node."""
        asks(romeo, namespace, to, "music")
        romeo.receives_error("item-not-found", type="cancel", id="info1")

    def test_node_that_is_not_for_everybody(self, romeo: Client) -> None:
        """Error Conditions: a node of which nobody tells anything is refused."""
        asks(romeo, INFO, "montague.example", "poison")
        romeo.receives_error("forbidden", id="info1")

    def test_unknown_account_with_a_node(self, romeo: Client, server: Server) -> None:
        """Security Considerations: an account that is not there looks like a stranger's, with a node or without."""
        server.account(JULIET)
        for to in (JULIET, "nobody@capulet.example"):
            asks(romeo, INFO, to, "music")
            romeo.receives_error("service-unavailable", type="cancel", id="info1")


class TestItems:
    """Discovering the Items Associated with a Jabber Entity."""

    def test_services_of_a_host(self, server: Server, romeo: Client) -> None:
        """The items of a host are the services below its domain."""

        class Plays:
            async def receive(self, stanza: object) -> None: ...

        for domain in ("plays.montague.example", "people.capulet.example"):
            server.node.router.add_service(Jid.parse(domain), Plays())
        assert items(learns(romeo, ITEMS, "montague.example")) == [{"jid": "plays.montague.example"}]

    def test_domain_that_is_no_host(self, server: Server) -> None:
        """A domain that is no host of ours is described by whoever serves it."""
        found = server.wait(
            server.node.hooks.collect(DiscoInfo(Jid.parse("plays.montague.example"), None, Jid.parse(ROMEO)))
        )
        assert (found.identities, found.features) == ([], set())

    def test_no_items(self, romeo: Client) -> None:
        """An entity without items answers with an empty list."""
        assert items(learns(romeo, ITEMS, "montague.example")) == []

    def test_resources(self, romeo: Client, subscribed: Client, server: Server) -> None:
        """The items of an account are its available resources; one that is only connected is not told."""
        server.online(f"{JULIET}/chamber")
        server.connect(f"{JULIET}/crypt")
        romeo.forgets()
        found = items(learns(romeo, ITEMS, JULIET))
        assert found == [{"jid": f"{JULIET}/balcony"}, {"jid": f"{JULIET}/chamber"}]

    def test_own_resources(self, server: Server) -> None:
        """One may always ask for one's own."""
        juliet = server.online(f"{JULIET}/balcony")
        assert items(learns(juliet, ITEMS, JULIET)) == [{"jid": f"{JULIET}/balcony"}]


class TestSecurityConsiderations:
    """Neither accounts nor resources can be harvested."""

    @pytest.mark.parametrize("namespace", [INFO, ITEMS])
    def test_stranger(self, romeo: Client, server: Server, namespace: str) -> None:
        """What a stranger is answered is the same whether the account exists or not."""
        server.online(f"{JULIET}/balcony")
        for to in (JULIET, "nobody@capulet.example"):
            asks(romeo, namespace, to)
            error = romeo.receives_error("service-unavailable", type="cancel", id="info1")
            assert error.get("from") == to

    def test_subscription_of_the_other_direction(self, romeo: Client, subscribed: Client) -> None:
        """Seeing somebody's presence gives them no right to ours."""
        asks(subscribed, INFO, "romeo@montague.example")
        subscribed.receives_error("service-unavailable", id="info1")

    @pytest.mark.parametrize("namespace", [INFO, ITEMS])
    def test_blocked_contact(self, server: Server, romeo: Client, subscribed: Client, namespace: str) -> None:
        """Whatever keeps presence from a contact keeps this from them, too."""

        class Blocking:
            @on(Disclosing, Phase.GUARD)
            async def hide(self, event: Disclosing) -> None:
                event.recipients.clear()

        server.node.hooks.bind("blocking", Blocking())
        asks(romeo, namespace, JULIET)
        romeo.receives_error("service-unavailable", id="info1")


class TestContactAddresses:
    """XEP-0157, XMPP Addresses."""

    def form(self, **contacts: list[str]) -> ET.Element | None:
        server = Server(contacts=Contacts(**contacts))
        romeo = server.connect(ROMEO)
        return learns(romeo, INFO, "montague.example").find("{jabber:x:data}x")

    def test_form(self) -> None:
        """Each kind of address is a field of the form of network/serverinfo, with all that were given."""
        form = self.form(
            abuse=["mailto:abuse@montague.example", "xmpp:abuse@montague.example"],
            status=["https://status.montague.example"],
        )
        assert form is not None
        assert form.get("type") == "result"
        fields = {(field.get("var"), field.get("type")): [value.text for value in field] for field in form}
        assert fields == {
            ("FORM_TYPE", "hidden"): [SERVERINFO],
            ("abuse-addresses", "list-multi"): ["mailto:abuse@montague.example", "xmpp:abuse@montague.example"],
            ("status-addresses", "list-multi"): ["https://status.montague.example"],
        }

    def test_every_registered_field(self) -> None:
        """Field Standardization: these are the fields that there are."""
        kinds = ("abuse", "admin", "feedback", "sales", "security", "status", "support")
        form = self.form(**{kind: ["xmpp:montague.example"] for kind in kinds})
        assert form is not None
        assert [field.get("var") for field in form] == ["FORM_TYPE", *(f"{kind}-addresses" for kind in kinds)]

    def test_no_addresses(self) -> None:
        """Without an address there is no form."""
        assert self.form() is None

    def test_not_of_accounts(self) -> None:
        """XEP-0128, Recommendations: an entity extends its own description only."""
        server = Server(contacts=Contacts(abuse=["mailto:abuse@montague.example"]))
        romeo = server.connect(ROMEO)
        assert learns(romeo, INFO, "romeo@montague.example").find("{jabber:x:data}x") is None


class TestCapabilities:
    """XEP-0115, Stream Feature."""

    def announced(self, server: Server, host: str = "montague.example") -> tuple[Client, str]:
        """Log in; return the client and the node that the stream features announced."""
        server.account(f"romeo@{host}")
        client = server.connection()
        assert client.opens(host).find(f"{{{CAPS}}}c") is None
        client.authenticates("romeo", "pencil")
        (caps,) = client.opens(host).findall(f"{{{CAPS}}}c")
        assert (caps.get("hash"), caps.get("node")) == ("sha-1", CAPS_URI)
        client.jid = client.binds("orchard")
        return client, f"{CAPS_URI}#{caps.get('ver')}"

    def test_node(self, server: Server) -> None:
        """Discovering Capabilities: the node is answered with what the hash is that of, and is what the host is."""
        client, node = self.announced(server)
        query = learns(client, INFO, "montague.example", node)
        assert verify(Info.parse(element_of(query)), node.rpartition("#")[2], "sha-1")
        plain = learns(client, INFO, "montague.example")
        assert [ET.tostring(child) for child in plain] == [ET.tostring(child) for child in query]

    def test_determining_support(self, server: Server) -> None:
        """Determining Support: whoever announces capabilities says so."""
        client, node = self.announced(server)
        assert CAPS in features(learns(client, INFO, "montague.example", node))

    @pytest.mark.parametrize("to", ["montague.example", "romeo@montague.example"])
    def test_node_of_another_version(self, server: Server, to: str) -> None:
        """The node of another version, or of another entity, is not known."""
        client, node = self.announced(server)
        asks(client, INFO, to, f"{CAPS_URI}#QgayPKawpkPSDYmwT/WM94uAlu0=" if "@" not in to else node)
        client.receives_error("item-not-found", id="info1")

    def test_not_listed(self, server: Server) -> None:
        """Discovering Capabilities: the node is a phantom, not an item."""
        client, node = self.announced(server)
        assert items(learns(client, ITEMS, "montague.example")) == []
        asks(client, ITEMS, "montague.example", node)
        client.receives_error("item-not-found", id="info1")

    def test_computed_once(self, server: Server) -> None:
        """Logins do not pay for it: nobody is asked again what a host is."""
        asked = []

        class Counting:
            @collect(DiscoInfo)
            async def count(self, event: DiscoInfo) -> None:
                asked.append(event.target)

        server.node.hooks.bind("counting", Counting())
        first = self.announced(server)[1]
        assert self.announced(server)[1] == first
        assert asked == ["montague.example"]
        self.announced(server, "capulet.example")
        assert asked == ["montague.example", "capulet.example"]

    @pytest.mark.parametrize("words", ["unload", "reload"])
    def test_other_modules(self, server: Server, words: str) -> None:
        """What another set of modules can do is computed anew."""
        first = self.announced(server)[1]
        server.wait(getattr(server.node.loader, words)("version"))
        client, second = self.announced(server)
        assert (second == first) is (words == "reload")
        assert ("jabber:iq:version" in features(learns(client, INFO, "montague.example", second))) is (
            words == "reload"
        )

    def test_another_configuration(self, server: Server) -> None:
        """A reload of the configuration is seen by whoever logs in behind it; the old node is gone."""
        _, first = self.announced(server)
        config = server.node.config
        config.server.name = "Verona"
        config.hosts["montague.example"] = Host(contacts=Contacts(abuse=["mailto:abuse@montague.example"]))
        server.node.hosts.replace(hosts_of(config))
        server.node.clients.limits_changed()
        client, second = self.announced(server)
        query = learns(client, INFO, "montague.example", second)
        assert identities(query) == [("server", "im", "Verona")]
        assert query.find("{jabber:x:data}x") is not None
        asks(client, INFO, "montague.example", first)
        client.receives_error("item-not-found", id="info1")
