"""XEP-0012: Last Activity."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.schema import Duration
from xmppd.core.hooks import Phase, on
from xmppd.modules.roster.api import Disclosing, Item
from xmppd.modules.roster.store import RosterStore
from xmppd.protocol.jid import Jid

JULIET = "juliet@capulet.example"
ROMEO = "romeo@montague.example"
ASK = "<iq id='last1' to='{}' type='get'><query xmlns='jabber:iq:last'/></iq>"


@pytest.fixture
def romeo(server: Server) -> Client:
    """Romeo, who sees Juliet's presence."""
    juliet = server.online(f"{JULIET}/balcony")
    romeo = server.online(f"{ROMEO}/orchard")
    romeo.sends(f"<presence to='{JULIET}' type='subscribe'/>")
    juliet.sends(f"<presence to='{ROMEO}' type='subscribed'/>")
    juliet.disconnects()
    server.advance(2)
    romeo.forgets()
    return romeo


def answered(client: Client, seconds: int, status: str = "", of: str = JULIET) -> None:
    client.receives(
        f"<iq from='{of}' id='last1' to='{client.jid}' type='result'>"
        f"<query xmlns='jabber:iq:last' seconds='{seconds}'>{status}</query></iq>"
    )


class TestOfflineUser:
    """Offline User Query."""

    def test_seconds_since_logout(self, romeo: Client, server: Server) -> None:
        """How long ago the contact logged out."""
        server.node.config.limits.idle_ping = Duration("1d")
        server.advance(901)
        romeo.sends(ASK.format(JULIET))
        answered(romeo, 903)

    def test_at_once(self, romeo: Client, server: Server) -> None:
        """The logout need not have been written down to be told."""
        juliet = server.online(f"{JULIET}/balcony")
        server.advance(60)
        juliet.sends("<presence type='unavailable'><status>Heading Home</status></presence>")
        juliet.disconnects()
        romeo.forgets()
        romeo.sends(ASK.format(JULIET))
        answered(romeo, 0, "Heading Home")

    def test_status(self, romeo: Client, server: Server) -> None:
        """What the contact said at last."""
        juliet = server.online(f"{JULIET}/balcony")
        juliet.sends("<presence type='unavailable'><status>Heading Home</status></presence>")
        juliet.disconnects()
        server.advance(5)
        romeo.forgets()
        romeo.sends(ASK.format(JULIET))
        answered(romeo, 5, "Heading Home")

    @pytest.mark.parametrize("presence", ["<presence/>", "<presence type='unavailable'/>"])
    def test_connected_or_available(self, romeo: Client, server: Server, presence: str) -> None:
        """A connected resource is enough for 0, whether it is available or not."""
        server.online(f"{JULIET}/chamber", presence)
        romeo.forgets()
        server.advance(60)
        romeo.sends(ASK.format(JULIET))
        answered(romeo, 0)

    def test_not_authorized(self, romeo: Client, server: Server) -> None:
        """Who does not see the presence of the account is told what a name that nobody has would answer."""
        juliet = server.connect(f"{JULIET}/balcony")
        for to in (ROMEO, "nobody@montague.example", f"{ROMEO}/orchard", "nobody@montague.example/orchard"):
            juliet.sends(ASK.format(to))
            juliet.receives(
                f"<iq id='last1' type='error' from='{to}' to='{JULIET}/balcony'><error type='cancel' code='503'>"
                "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
            )

    def test_blocked(self, romeo: Client, server: Server) -> None:
        """Security Considerations: a subscription is worth what else restricts it leaves of it."""

        class Blocking:
            @on(Disclosing, Phase.GUARD)
            async def hide(self, event: Disclosing) -> None:
                event.recipients.clear()

        server.node.hooks.bind("blocking", Blocking())
        romeo.sends(ASK.format(JULIET))
        romeo.receives_error("service-unavailable", type="cancel", id="last1")

    @pytest.mark.parametrize("to", ["", f" to='{JULIET}'"])
    def test_oneself(self, server: Server, to: str) -> None:
        """An account may ask about itself; it is there."""
        juliet = server.connect(f"{JULIET}/balcony")
        juliet.sends(f"<iq id='last1'{to} type='get'><query xmlns='jabber:iq:last'/></iq>")
        answered(juliet, 0)

    def test_never_seen(self, romeo: Client, server: Server) -> None:
        """A contact that never logged in has no last activity."""
        nurse = server.account("nurse@capulet.example")
        contact = Item(Jid.parse(ROMEO), subscription="from")
        server.wait(RosterStore(server.node.shards).put(nurse, 0, 1, contact.jid, contact))
        romeo.sends(ASK.format(nurse))
        romeo.receives_error("item-not-found", id="last1")

    def test_no_account(self, romeo: Client) -> None:
        """RFC 6121, 8.5.1: an account that does not exist serves nobody."""
        romeo.sends(ASK.format("nobody@capulet.example"))
        romeo.receives_error("service-unavailable", id="last1")


class TestOnlineUser:
    """Online User Query."""

    def test_delivered_to_who_may_ask(self, romeo: Client, server: Server) -> None:
        """The resource itself answers a contact."""
        juliet = server.online(f"{JULIET}/balcony")
        romeo.forgets()
        romeo.sends(ASK.format(f"{JULIET}/balcony"))
        juliet.receives(
            f"<iq from='{ROMEO}/orchard' id='last1' to='{JULIET}/balcony' type='get'>"
            "<query xmlns='jabber:iq:last'/></iq>"
        )
        juliet.sends(
            f"<iq id='last1' to='{ROMEO}/orchard' type='result'><query xmlns='jabber:iq:last' seconds='123'/></iq>"
        )
        answered(romeo, 123, of=f"{JULIET}/balcony")

    def test_not_authorized(self, romeo: Client, server: Server) -> None:
        """The resource is not even asked by whom the account does not show its presence to."""
        juliet = server.online(f"{JULIET}/balcony")
        juliet.sends(ASK.format(f"{ROMEO}/orchard"))
        juliet.receives_error("service-unavailable", type="cancel", id="last1")
        romeo.forgets()
        romeo.receives_nothing()

    @pytest.mark.parametrize("shown_to", [JULIET, f"{JULIET}/balcony"])
    def test_directed_presence(self, romeo: Client, server: Server, shown_to: str) -> None:
        """A resource that shows itself to somebody may be asked by them."""
        juliet = server.online(f"{JULIET}/balcony")
        romeo.sends(f"<presence to='{shown_to}'/>")
        romeo.forgets()
        juliet.forgets()
        juliet.sends(ASK.format(f"{ROMEO}/orchard"))
        assert romeo.receives_any().find("{jabber:iq:last}query") is not None

    def test_own_resource(self, server: Server) -> None:
        """A user's resources may ask each other."""
        balcony = server.connect(f"{JULIET}/balcony")
        chamber = server.connect(f"{JULIET}/chamber")
        balcony.sends(ASK.format(f"{JULIET}/chamber"))
        assert chamber.receives_any().find("{jabber:iq:last}query") is not None

    def test_other_requests_pass(self, server: Server) -> None:
        """The module looks at no other request."""
        juliet = server.connect(f"{JULIET}/balcony")
        romeo = server.connect(f"{ROMEO}/orchard")
        juliet.sends(f"<iq id='v' to='{ROMEO}/orchard' type='get'><query xmlns='jabber:iq:version'/></iq>")
        assert romeo.receives_any().find("{jabber:iq:version}query") is not None


def test_server_query(server: Server) -> None:
    """Server and Component Query: the seconds since the server was started, and no text."""
    juliet = server.connect(f"{JULIET}/balcony")
    server.advance(minutes=2)
    juliet.sends(ASK.format("capulet.example"))
    answered(juliet, 120, of="capulet.example")


def test_determining_support(server: Server) -> None:
    """Determining Support: hosts and accounts say that they can be asked."""
    juliet = server.connect(f"{JULIET}/balcony")
    for entity in ("capulet.example", JULIET):
        juliet.sends(f"<iq id='d' to='{entity}' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        features = juliet.receives_any().iter("{http://jabber.org/protocol/disco#info}feature")
        assert "jabber:iq:last" in {feature.get("var") for feature in features}
