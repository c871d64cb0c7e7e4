"""XEP-0077: In-Band Registration."""

from typing import Any

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.accounts import AccountExists, AccountUnknown
from xmppd.modules.register import ADDRESSES_KEPT, Register, network_of
from xmppd.protocol.jid import Jid

FEATURE = "{http://jabber.org/features/iq-register}register"
ASK = "<iq type='get' id='reg1' to='shakespeare.example'><query xmlns='jabber:iq:register'/></iq>"
BILL = "bill@shakespeare.example/globe"


def registration(inner: str) -> str:
    return f"<iq type='set' id='reg2'><query xmlns='jabber:iq:register'>{inner}</query></iq>"


def wanting(username: str, password: str = "Calliope1") -> str:
    return registration(f"<username>{username}</username><password>{password}</password>")


def change(inner: str, to: str = " to='shakespeare.example'") -> str:
    return f"<iq type='set'{to} id='change1'><query xmlns='jabber:iq:register'>{inner}</query></iq>"


def can_log_in(server: Server, localpart: str, password: str) -> bool:
    client = server.connection()
    client.opens("shakespeare.example")
    return client.authenticates(localpart, password).tag.endswith("success")


@pytest.fixture
def open_server() -> Server:
    """A server at which anybody may register."""
    return Server(modules={"register": {"enabled": True}})


@pytest.fixture
def stranger(open_server: Server) -> Client:
    """Somebody who has no account there, and has opened a stream."""
    client = open_server.connection()
    client.opens("shakespeare.example")
    return client


@pytest.fixture
def bill(server: Server) -> Client:
    """Somebody who has an account."""
    return server.connect(BILL)


class TestRegistration:
    """Entity Registers with a Host, Registration with a Server."""

    def test_registration(self, stranger: Client) -> None:
        """Ask for the fields, send them, log in on the same stream."""
        stranger.sends(ASK)
        stranger.receives(
            "<iq type='result' id='reg1'><query xmlns='jabber:iq:register'><instructions>{any}</instructions>"
            "<username/><password/></query></iq>"
        )
        stranger.sends(wanting("bill"))
        stranger.receives("<iq type='result' id='reg2'/>")
        assert stranger.authenticates("bill", "Calliope1").tag.endswith("success")

    def test_username_conflict(self, open_server: Server, stranger: Client) -> None:
        """The name exists already; another one will do."""
        open_server.account("bill@shakespeare.example")
        stranger.sends(wanting("bill"))
        error = stranger.receives_error("conflict", type="cancel", id="reg2")
        assert error[0].get("code") == "409"
        stranger.sends(wanting("will"))
        stranger.receives("<iq type='result' id='reg2'/>")

    def test_two_want_one_name(self, open_server: Server, stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who comes second has a conflict, even if the name was free when they asked."""

        async def taken(*_: Any) -> None:
            raise AccountExists("bill@shakespeare.example")

        monkeypatch.setattr(open_server.node.store, "create", taken)
        stranger.sends(wanting("bill"))
        stranger.receives_error("conflict", id="reg2")

    @pytest.mark.parametrize(
        "inner",
        [
            "",
            "<username>bill</username>",
            "<password>Calliope1</password>",
            "<username/><password>Calliope1</password>",
            "<username>bill</username><password/>",
        ],
    )
    def test_information_not_provided(self, open_server: Server, stranger: Client, inner: str) -> None:
        """All that was asked for must be there, and not be empty."""
        stranger.sends(registration(inner))
        stranger.receives_error("not-acceptable", type="modify", id="reg2")
        assert open_server.wait(open_server.node.accounts.count("shakespeare.example")) == 0

    @pytest.mark.parametrize("username", ["a b", "bill@shakespeare.example", "bill/globe", "\u200bbill", "b" * 1024])
    def test_name_that_no_account_can_have(self, stranger: Client, username: str) -> None:
        """RFC 7622, 3.3: a localpart is a UsernameCaseMapped without some characters."""
        stranger.sends(wanting(username))
        stranger.receives_error("not-acceptable", id="reg2")

    @pytest.mark.parametrize("username", ["BILL", "\uff42ill"])
    def test_name_is_prepared(self, open_server: Server, stranger: Client, username: str) -> None:
        """RFC 8265, 3.3: case and width do not make another name."""
        stranger.sends(wanting(username))
        stranger.receives("<iq type='result' id='reg2'/>")
        account = open_server.wait(open_server.node.accounts.get(Jid.parse("bill@shakespeare.example")))
        assert account is not None

    @pytest.mark.parametrize("password", ["short", "\u200b" * 8, "long enough \u00ad"])
    def test_password_that_cannot_be_used(self, stranger: Client, password: str) -> None:
        """A password has a length, and is an OpaqueString (RFC 8265, 4)."""
        stranger.sends(wanting("bill", password))
        stranger.receives_error("not-acceptable", id="reg2")

    @pytest.mark.parametrize("username", ["admin", "Root", "postmaster", "abuse", "xmpp"])
    def test_reserved_names(self, open_server: Server, stranger: Client, username: str) -> None:
        """Nobody may pass for the server's own people; administrators may still give these names away."""
        stranger.sends(wanting(username))
        stranger.receives_error("not-acceptable", id="reg2")
        open_server.account(f"{username}@shakespeare.example")
        assert can_log_in(open_server, username, "pencil")

    def test_reserved_names_are_the_administrators_choice(self) -> None:
        """Which names are reserved is configured."""
        server = Server(modules={"register": {"enabled": True, "reserved": ["Bard"]}})
        client = server.connection()
        client.opens("shakespeare.example")
        client.sends(wanting("bard"))
        client.receives_error("not-acceptable", id="reg2")
        client.sends(wanting("admin"))
        client.receives("<iq type='result' id='reg2'/>")

    def test_another_host(self, stranger: Client) -> None:
        """A stream that is not authenticated speaks to its own host alone."""
        stranger.sends(ASK.replace("shakespeare.example", "contests.shakespeare.example"))
        stranger.receives_error("not-authorized", id="reg1")

    def test_remove(self, stranger: Client) -> None:
        """Unregister Error Cases: who has no address yet has nothing to cancel."""
        stranger.sends(registration("<remove/>"))
        stranger.receives_error("unexpected-request", id="reg2")

    def test_off_by_default(self, server: Server) -> None:
        """Security Considerations: registration is a policy, and off unless the configuration turns it on."""
        client = server.connection()
        assert client.opens("shakespeare.example").find(FEATURE) is None
        client.sends(ASK)
        client.receives_error("not-allowed", id="reg1")
        client.sends(wanting("bill"))
        client.receives_error("not-allowed", id="reg2")

    def test_already_registered(self, bill: Client) -> None:
        """A registered entity is told so, and what is on file but the password."""
        for to in (" to='shakespeare.example'", ""):
            bill.sends(f"<iq type='get'{to} id='reg1'><query xmlns='jabber:iq:register'/></iq>")
            sender = "shakespeare.example" if to else "bill@shakespeare.example"
            bill.receives(
                f"<iq type='result' from='{sender}' to='{BILL}' id='reg1'><query xmlns='jabber:iq:register'>"
                "<registered/><instructions>{any}</instructions><username>bill</username><password/></query></iq>"
            )

    def test_somebody_of_another_host_asks(self, bill: Client) -> None:
        """A host does not register those who are logged in elsewhere."""
        bill.sends("<iq type='get' to='capulet.example' id='reg1'><query xmlns='jabber:iq:register'/></iq>")
        bill.receives_error("service-unavailable", id="reg1")


class TestStreamFeature:
    """Stream Feature: it is offered where a registration would be accepted."""

    def test_offered(self, open_server: Server) -> None:
        """Before authentication, not behind it."""
        open_server.account("bill@shakespeare.example")
        client = open_server.connection()
        assert client.opens("shakespeare.example").find(FEATURE) is not None
        client.authenticates("bill", "pencil")
        assert client.opens("shakespeare.example").find(FEATURE) is None

    def test_not_without_tls(self, open_server: Server) -> None:
        """Security Considerations: the channel is secured first."""
        client = open_server.connection(secure=False)
        assert client.opens("shakespeare.example").find(FEATURE) is None
        client.sends(wanting("bill"))
        client.receives_stream_error("policy-violation")


class TestLimit:
    """Registration with a Server: how many times an address may register."""

    def register(self, server: Server, name: str, address: str = "192.0.2.7") -> Client:
        client = server.connection(peer_address=address)
        client.opens("shakespeare.example")
        client.sends(wanting(name))
        return client

    def done(self, server: Server, name: str, address: str = "192.0.2.7") -> None:
        self.register(server, name, address).receives("<iq type='result' id='reg2'/>")

    def refused(self, server: Server, name: str, address: str = "192.0.2.7") -> None:
        self.register(server, name, address).receives_error("resource-constraint", type="wait", id="reg2")

    def test_limit_per_address(self, open_server: Server) -> None:
        """One address registers a few accounts in a period, and more in the next one; others are not concerned."""
        for name in ("a", "b", "c"):
            self.done(open_server, name)
        self.refused(open_server, "d")
        self.done(open_server, "e", "192.0.2.8")
        open_server.advance(minutes=61)
        self.done(open_server, "d")

    def test_one_network_is_one_address(self, open_server: Server) -> None:
        """Whoever has an IPv6 address has as many as they want."""
        for number in range(3):
            self.done(open_server, f"u{number}", f"2001:db8:1:2::{number}")
        self.refused(open_server, "v", "2001:db8:1:2:ffff::1")
        self.done(open_server, "v", "2001:db8:1:3::1")

    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ],
    )
    def test_networks(self, address: str, network: str) -> None:
        """An IPv4 address stands for itself, however it is written."""
        assert network_of(address) == network

    def test_what_failed_does_not_count(self, open_server: Server) -> None:
        """Looking for a name that is free costs nothing."""
        open_server.account("bill@shakespeare.example")
        for _ in range(4):
            self.register(open_server, "bill").receives_error("conflict", id="reg2")
        for name in ("a", "b", "c"):
            self.done(open_server, name)
        self.refused(open_server, "d")

    def test_many_at_once(self, open_server: Server) -> None:
        """Registrations that are still being made count, too."""
        module = open_server.node.loader.loaded["register"]
        assert isinstance(module, Register)
        for _ in range(3):
            module._count("192.0.2.7")
        self.refused(open_server, "d")
        module._discount("192.0.2.7")
        self.done(open_server, "d")

    def test_no_limit(self) -> None:
        """Zero does not limit anything."""
        server = Server(modules={"register": {"enabled": True, "per_address": 0}})
        for number in range(5):
            self.done(server, f"u{number}")
        self.register(server, "u0").receives_error("conflict", id="reg2")

    def test_memory_is_bounded(self, open_server: Server) -> None:
        """Addresses that were seen longest ago are forgotten first."""
        module = open_server.node.loader.loaded["register"]
        assert isinstance(module, Register)
        for number in range(ADDRESSES_KEPT + 1):
            module._count(str(number))
        assert len(module._registered) == ADDRESSES_KEPT
        assert "0" not in module._registered


class TestCancellation:
    """Entity Cancels an Existing Registration."""

    def test_cancellation(self, bill: Client, server: Server) -> None:
        """The result, then the end of every session; nobody can log in any more."""
        home = server.connect("bill@shakespeare.example/home")
        bill.sends("<iq type='set' id='unreg1'><query xmlns='jabber:iq:register'><remove/></query></iq>")
        bill.receives(f"<iq type='result' from='bill@shakespeare.example' to='{BILL}' id='unreg1'/>")
        bill.receives_stream_error("not-authorized")
        home.receives_stream_error("not-authorized")
        assert not can_log_in(server, "bill", "pencil")

    def test_subscriptions_are_cancelled(self, server: Server) -> None:
        """Contacts learn that the account is not there for them any more."""
        bill = server.online(BILL)
        juliet = server.online("juliet@capulet.example/balcony")
        juliet.sends("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
        juliet.sends("<presence to='bill@shakespeare.example' type='subscribe'/>")
        bill.sends("<presence to='juliet@capulet.example' type='subscribed'/>")
        juliet.forgets()
        bill.sends(change("<remove/>"))
        got = [juliet.receives_any() for _ in range(len(juliet.inbox))]
        assert ("presence", "unsubscribed") in {(one.tag.rpartition("}")[2], one.get("type")) for one in got}

    def test_remove_stands_alone(self, bill: Client, server: Server) -> None:
        """Bad Request: `<remove/>` was not the only child."""
        bill.sends(change("<remove/><username>bill</username>"))
        bill.receives_error("bad-request", type="modify", id="change1")
        assert can_log_in(server, "bill", "pencil")

    def test_somebody_of_another_host(self, bill: Client) -> None:
        """Registration Required: the sender was not registered there."""
        bill.sends(change("<remove/>", " to='capulet.example'"))
        bill.receives_error("registration-required", id="change1")

    def test_the_account_of_another(self, bill: Client, server: Server) -> None:
        """An account is its holder's to cancel: another's bare JID answers nobody else."""
        server.account("will@shakespeare.example")
        bill.sends(change("<remove/>", " to='will@shakespeare.example'"))
        bill.receives_error("service-unavailable", id="change1")
        assert can_log_in(server, "will", "pencil")

    def test_guest(self) -> None:
        """An anonymous account is registered nowhere."""
        server = Server(anonymous=True)
        guest = server.connection()
        guest.opens("shakespeare.example")
        guest.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
        assert guest.receives_any().tag.endswith("success")
        guest.opens("shakespeare.example")
        guest.binds("")
        guest.sends(change("<remove/>"))
        guest.receives_error("registration-required", id="change1")

    def test_twice(self, bill: Client, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """An account that has just gone is gone."""

        async def gone(*_: Any) -> None:
            raise AccountUnknown("bill@shakespeare.example")

        monkeypatch.setattr(server.node.store, "delete", gone)
        bill.sends(change("<remove/>"))
        bill.receives_error("registration-required", id="change1")


class TestPasswordChange:
    """User Changes Password."""

    @pytest.mark.parametrize("username", ["bill", "BILL"])
    def test_password_change(self, bill: Client, server: Server, username: str) -> None:
        """The new password works, the old one no longer; the session goes on."""
        bill.sends(change(f"<username>{username}</username><password>newpass99</password>"))
        bill.receives(f"<iq type='result' from='shakespeare.example' to='{BILL}' id='change1'/>")
        assert can_log_in(server, "bill", "newpass99")
        assert not can_log_in(server, "bill", "pencil")
        assert not bill.connection.closed

    @pytest.mark.parametrize(
        "inner",
        [
            "",
            "<username>bill</username>",
            "<username>bill</username><password/>",
            "<password>newpass99</password>",
        ],
    )
    def test_incomplete(self, bill: Client, server: Server, inner: str) -> None:
        """Bad Request: something is missing, and the password stays; an empty one is no password."""
        bill.sends(change(inner))
        error = bill.receives_error("bad-request", type="modify", id="change1")
        assert [child.tag for child in error] == ["{jabber:client}error"], "the original XML is not sent back"
        assert can_log_in(server, "bill", "pencil")

    def test_too_short(self, bill: Client, server: Server) -> None:
        """A password that does not do is refused, and the old one stays."""
        bill.sends(change("<username>bill</username><password>x</password>"))
        bill.receives_error("not-acceptable", id="change1")
        assert can_log_in(server, "bill", "pencil")

    def test_not_in_the_clear(self, bill: Client, server: Server) -> None:
        """Not Authorized: the channel is not safe enough."""
        bill.connection.secure = False
        bill.sends(change("<username>bill</username><password>newpass99</password>"))
        bill.receives_error("not-authorized", id="change1")
        assert can_log_in(server, "bill", "pencil")

    @pytest.mark.parametrize("username", ["will", "b ill"])
    def test_password_of_another(self, bill: Client, server: Server, username: str) -> None:
        """Not Allowed: nobody changes another's."""
        server.account("will@shakespeare.example")
        bill.sends(change(f"<username>{username}</username><password>newpass99</password>"))
        bill.receives_error("not-allowed", type="cancel", id="change1")
        assert can_log_in(server, "will", "pencil")

    def test_somebody_of_another_host(self, bill: Client) -> None:
        """A host changes the passwords of its own accounts."""
        bill.sends(change("<username>bill</username><password>newpass99</password>", " to='capulet.example'"))
        bill.receives_error("registration-required", id="change1")

    def test_account_that_has_just_gone(self, bill: Client, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """There is no password to change when the account was cancelled meanwhile."""

        async def gone(*_: Any) -> None:
            raise AccountUnknown("bill@shakespeare.example")

        monkeypatch.setattr(server.node.store, "set_credentials", gone)
        bill.sends(change("<username>bill</username><password>newpass99</password>"))
        bill.receives_error("registration-required", id="change1")


def test_determining_support(bill: Client) -> None:
    """Determining Support: the host says so, since passwords can be changed even where strangers cannot register."""
    bill.sends(
        "<iq to='shakespeare.example' id='d' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    features = bill.receives_any().iter("{http://jabber.org/protocol/disco#info}feature")
    assert "jabber:iq:register" in {feature.get("var") for feature in features}
