"""Where stanzas go (RFC 6120, 10), and who is told if they go nowhere."""

from typing import Any

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.app.node import module_configs
from xmppd.core.events import (
    Delivering,
    InboundMessage,
    InboundPresence,
    OutboundMessage,
    ServiceMessage,
    ServicePresence,
)
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.router import may_be_answered
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import Forbidden, ItemNotFound, RemoteServerTimeout, ServiceUnavailable, StanzaError
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

JULIET = Jid("juliet@capulet.example/balcony")
ROMEO = Jid("romeo@montague.example/garden")
HOST = Jid("capulet.example")
QUERY = "<q xmlns='urn:x'/>"


class Road:
    """Notes what a stanza meets, and settles what it is told to."""

    def __init__(self) -> None:
        self.met: list[str] = []

    @on(OutboundMessage, Phase.GUARD)
    async def outbound(self, event: OutboundMessage) -> None:
        self.met.append(f"outbound {event.stanza.to}")

    @on(InboundMessage, Phase.GUARD)
    async def inbound(self, event: InboundMessage) -> Verdict | None:
        self.met.append(f"inbound {event.account}")
        return Verdict.HANDLED if event.stanza.id == "keep" else None

    @on(InboundPresence, Phase.GUARD)
    async def presence(self, event: InboundPresence) -> None:
        self.met.append(f"presence {event.account}")

    @on(ServiceMessage, Phase.GUARD)
    async def service(self, event: ServiceMessage) -> Verdict | None:
        self.met.append(f"service {event.host.name}")
        return Verdict.HANDLED if event.stanza.id == "keep" else None

    @on(ServicePresence, Phase.GUARD)
    async def service_presence(self, event: ServicePresence) -> None:
        self.met.append(f"service presence {event.host.name}")

    @on(Delivering, Phase.GUARD)
    async def delivering(self, event: Delivering) -> Verdict | None:
        self.met.append(f"delivering {event.session.jid}")
        return {"drop": Verdict.DROP, "later": Verdict.HANDLED}.get(event.stanza.id or "")


class Answers:
    """Answers to requests."""

    @iq("get", "{urn:x}any", Target.ANY_ACCOUNT)
    async def any(self, request: IqRequest) -> Element:
        return E("{urn:x}any", own=request.is_own, target=request.target, sender=request.sender is not None)

    @iq("get", "{urn:x}own", Target.ACCOUNT)
    async def own(self, request: IqRequest) -> None:
        """Answer nothing."""

    @iq("get", "{urn:x}host", Target.HOST)
    async def host(self, request: IqRequest) -> Element:
        return E("{urn:x}host")

    @iq("set", "{urn:x}host", Target.HOST)
    async def refuse(self, request: IqRequest) -> None:
        raise ItemNotFound("nothing here")

    @iq("get", "{urn:x}bug", Target.HOST)
    async def fail(self, request: IqRequest) -> None:
        raise KeyError("a bug")


@pytest.fixture
def server() -> Server:
    """A server whose messages nobody takes and whose presence nobody broadcasts."""
    server = Server(disable=tuple(module_configs()))
    server.node.iqs.bind("answers", Answers())
    return server


@pytest.fixture
def road(server: Server) -> Road:
    road = Road()
    server.node.hooks.bind("road", road)
    return road


@pytest.fixture
def juliet(server: Server) -> Client:
    return server.connect(JULIET)


def asks(client: Client, to: str | None, payload: str = "q", type: str = "get") -> None:
    """Send a request."""
    addressee = "" if to is None else f" to='{to}'"
    client.sends(f"<iq type='{type}' id='1'{addressee}><{payload} xmlns='urn:x'/></iq>")


class TestRequests:
    """RFC 6120, 8.2.3, 10.3.3 and 10.5: every get and set has one answer."""

    @pytest.mark.parametrize("to", [None, "juliet@capulet.example", "Juliet@Capulet.EXAMPLE"])
    def test_own_account(self, juliet: Client, to: str | None) -> None:
        """10.3.3: without an address, or to its own bare JID, the account itself answers."""
        asks(juliet, to, "own")
        juliet.receives(f"<iq type='result' id='1' from='juliet@capulet.example' to='{JULIET}'/>")
        asks(juliet, to, "any")
        juliet.receives(
            f"<iq type='result' id='1' from='juliet@capulet.example' to='{JULIET}'>"
            "<any xmlns='urn:x' own='True' target='juliet@capulet.example' sender='True'/></iq>"
        )

    def test_other_account(self, server: Server, juliet: Client) -> None:
        """Architecture rule 5: a request to another's bare JID is answered for that account, by who answers anybody."""
        server.account("romeo@montague.example")
        asks(juliet, "romeo@montague.example", "any")
        juliet.receives(
            f"<iq type='result' id='1' from='romeo@montague.example' to='{JULIET}'>"
            "<any xmlns='urn:x' own='False' target='romeo@montague.example' sender='True'/></iq>"
        )

    @pytest.mark.parametrize("payload", ["own", "any", "q"])
    @pytest.mark.parametrize("type", ["get", "set"])
    def test_unknown_and_other_accounts_look_alike(
        self, server: Server, juliet: Client, payload: str, type: str
    ) -> None:
        """What an account does not tell strangers is refused as if there were no such account."""
        server.account("romeo@montague.example")
        answers = []
        for localpart in ("romeo", "nobody"):
            asks(juliet, f"{localpart}@montague.example", payload, type)
            answers.append(juliet.receives_any())
        if (payload, type) == ("any", "get"):
            assert answers[0].get("type") == "result"
            answers = answers[1:]
        for answer in answers:
            error = answer[0]
            assert (error.get("type"), [child.tag.rpartition("}")[2] for child in error]) == (
                "cancel", ["service-unavailable"],
            )  # fmt: skip

    def test_strangers_cost_the_same(self, server: Server, juliet: Client) -> None:
        """What refuses a stranger is asked first, and for a name that nobody has, too: the time tells nothing."""

        class Refuses:
            @iq("get", "{urn:x}refused", Target.ANY_ACCOUNT)
            async def refuse(self, request: IqRequest) -> None:
                refused.append(request.target)
                raise ServiceUnavailable()

        refused: list[str] = []
        server.node.iqs.bind("refuses", Refuses())
        accounts = [server.account("romeo@montague.example"), Jid("nobody@montague.example")]
        server.store.hold()
        for account in accounts:
            asks(juliet, account, "refused")
            juliet.receives_error("service-unavailable")
        assert (refused, len(server.store.waiting)) == (accounts, 0)

    @pytest.mark.parametrize("type", ["get", "set"])
    def test_second_resource(self, juliet: Client, type: str) -> None:
        """RFC 6120, 7: a stream has one resource; asking for another is not allowed."""
        for to in ("", " to='capulet.example'", " to='juliet@capulet.example'"):
            juliet.sends(f"<iq type='{type}' id='b'{to}><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
            juliet.receives_error("not-allowed", type="cancel", id="b")

    def test_binding_for_others(self, server: Server, juliet: Client) -> None:
        """And nobody binds for somebody else."""
        server.account("romeo@montague.example")
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        juliet.sends(f"<iq type='set' id='b' to='romeo@montague.example'>{bind}</iq>")
        juliet.receives_error("service-unavailable", id="b")

    def test_host(self, juliet: Client) -> None:
        """10.5.1: a host answers for itself, each host of ours for itself."""
        for host in ("capulet.example", "montague.example"):
            asks(juliet, host, "host")
            juliet.receives(f"<iq type='result' id='1' from='{host}' to='{JULIET}'><host xmlns='urn:x'/></iq>")

    @pytest.mark.parametrize(
        ("payload", "type", "condition"),
        [
            ("host", "set", "item-not-found"),
            ("bug", "get", "internal-server-error"),
            ("bug", "set", "feature-not-implemented"),
            ("unheard-of", "get", "service-unavailable"),
        ],
    )
    def test_errors(self, juliet: Client, payload: str, type: str, condition: str) -> None:
        """8.2.3: a refusal, a bug, the wrong type, and a payload that nobody knows."""
        asks(juliet, "capulet.example", payload, type)
        error = juliet.receives_error(condition, id="1")
        assert error.get("from") == "capulet.example"

    def test_host_with_resource(self, juliet: Client) -> None:
        """10.5.2: a host has no resources."""
        asks(juliet, "capulet.example/x", "host")
        juliet.receives_error("feature-not-implemented", id="1")

    def test_other_resource(self, server: Server, juliet: Client) -> None:
        """10.5.4: a request to a connected resource goes there; a missing one is answered for."""
        romeo = server.connect(ROMEO)
        asks(juliet, ROMEO)
        romeo.receives(f"<iq type='get' id='1' from='{JULIET}' to='{ROMEO}'>{QUERY}</iq>")
        asks(juliet, "romeo@montague.example/orchard")
        juliet.receives_error("service-unavailable", id="1")
        asks(juliet, "nobody@montague.example/orchard")
        juliet.receives_error("service-unavailable", id="1")

    def test_remote_domain(self, juliet: Client) -> None:
        """10.4: a server that is not federated says so, for every kind of stanza that may be answered."""
        for stanza in ("<message id='1' to='a@verona.example'/>", "<presence id='1' to='a@verona.example'/>"):
            juliet.sends(stanza)
            juliet.receives_error("remote-server-not-found", id="1")
        asks(juliet, "verona.example")
        juliet.receives_error("remote-server-not-found", id="1")

    @pytest.mark.parametrize(
        "to", [None, "juliet@capulet.example", "capulet.example", "romeo@montague.example", "nobody@capulet.example"]
    )
    @pytest.mark.parametrize("type", ["result", "error"])
    def test_answers_that_nobody_asked_for(self, server: Server, juliet: Client, to: str | None, type: str) -> None:
        """8.2.3: they are ignored."""
        server.account("romeo@montague.example")
        addressee = "" if to is None else f" to='{to}'"
        juliet.sends(f"<iq type='{type}' id='1'{addressee}/>")
        juliet.receives_nothing()

    @pytest.mark.parametrize("type", ["result", "error"])
    def test_answers_to_nobody(self, juliet: Client, type: str) -> None:
        """8.3.1: an answer that finds nobody is dropped, not answered."""
        for to in ("romeo@montague.example/garden", "capulet.example/x", "verona.example"):
            juliet.sends(f"<iq type='{type}' id='1' to='{to}'/>")
        juliet.receives_nothing()

    def test_addressee_is_gone_in_between(self, server: Server, road: Road) -> None:
        """An answer of ours for a sender that is gone goes nowhere."""
        stanza = Stanza("iq", E("{jabber:client}iq", E("{urn:x}host")), HOST, ROMEO, "get", "1")
        server.wait(server.node.router.send(stanza))
        assert road.met == []


class TestMessages:
    """The road of a message, without the modules that deliver it."""

    @pytest.mark.parametrize("to", [None, "juliet@capulet.example"])
    def test_to_oneself(self, juliet: Client, road: Road, to: str | None) -> None:
        """10.3.1: a message without an address is one to the sender's own account."""
        juliet.sends("<message id='keep'/>" if to is None else f"<message id='keep' to='{to}'/>")
        assert road.met == ["outbound juliet@capulet.example", "inbound juliet@capulet.example"]

    def test_nobody_takes_it(self, server: Server, juliet: Client, road: Road) -> None:
        """A message that nobody takes is returned, and looks as if the account did not exist."""
        server.account("romeo@montague.example")
        shapes = set()
        for localpart in ("romeo", "nobody"):
            juliet.sends(f"<message id='1' to='{localpart}@montague.example'/>")
            error = juliet.receives_error("service-unavailable", id="1")
            shapes.add(tuple(child.tag for child in error.iter()))
        assert len(shapes) == 1
        assert "inbound romeo@montague.example" in road.met
        assert "inbound nobody@montague.example" not in road.met

    def test_to_a_host(self, juliet: Client, road: Road) -> None:
        """10.5.1: a host takes a message or returns it; an error it drops."""
        juliet.sends("<message id='keep' to='capulet.example'/>")
        juliet.receives_nothing()
        juliet.sends("<message id='e' type='error' to='capulet.example'/>")
        juliet.receives_nothing()
        juliet.sends("<message id='1' to='capulet.example/resource'/>")
        juliet.receives_error("service-unavailable", id="1")
        assert road.met.count("service capulet.example") == 3


class TestPresence:
    """The road of presence."""

    def test_to_accounts(self, server: Server, juliet: Client, road: Road) -> None:
        """Presence for who is not there concerns nobody; a subscription may wait for an account that exists."""
        server.account("romeo@montague.example")
        juliet.sends("<presence to='romeo@montague.example'/>")
        juliet.sends("<presence type='subscribe' to='nobody@montague.example'/>")
        assert road.met == []
        juliet.sends("<presence type='subscribe' to='romeo@montague.example'/>")
        assert road.met == ["presence romeo@montague.example"]
        server.connect(ROMEO)
        juliet.sends("<presence to='romeo@montague.example'/>")
        assert road.met[-1] == "presence romeo@montague.example"
        juliet.receives_nothing()

    def test_to_a_host(self, juliet: Client, road: Road) -> None:
        """Presence to a host is heard and needs no answer."""
        juliet.sends("<presence to='capulet.example'/>")
        assert road.met == ["service presence capulet.example"]
        juliet.receives_nothing()

    def test_broadcast(self, server: Server, juliet: Client, road: Road) -> None:
        """A broadcast reaches all whatever fails with one, and costs nothing for who is not there."""
        server.connect(ROMEO)
        stanza = Stanza.build("presence", to=None, from_=JULIET)
        addresses = [Jid("nobody@capulet.example"), Jid("verona.example"), ROMEO.bare]
        server.wait(server.node.router.broadcast(stanza, addresses))
        assert road.met == ["delivering juliet@capulet.example/balcony", "presence romeo@montague.example"]
        juliet.receives_error("remote-server-not-found")


class TestDelivery:
    """To one session."""

    @pytest.mark.parametrize(("id", "taken"), [("1", True), ("later", True), ("drop", False)])
    def test_verdicts(self, server: Server, road: Road, id: str, taken: bool) -> None:
        """A module may keep a stanza for later, which takes it, or drop it."""
        juliet = server.connect(JULIET)
        session = server.node.sessions.at(JULIET)
        assert session is not None
        stanza = Stanza("message", E("{jabber:client}message"), JULIET, ROMEO, "chat", id)
        assert server.wait(server.node.router.deliver(session, stanza)) is taken
        assert len(juliet.inbox) == (id == "1")

    def test_dropped_request(self, server: Server, juliet: Client, road: Road) -> None:
        """8.2.3: a request that is dropped on the way is answered nevertheless."""
        server.connect(ROMEO)
        juliet.sends(f"<iq type='get' id='drop' to='{ROMEO}'>{QUERY}</iq>")
        juliet.receives_error("service-unavailable", id="drop")
        assert road.met == [f"delivering {ROMEO}"]


class Service:
    """A service that takes what comes, or refuses it."""

    def __init__(self, error: StanzaError | None = None) -> None:
        self.error = error
        self.taken: list[Stanza] = []

    async def receive(self, stanza: Stanza) -> None:
        self.taken.append(stanza)
        if self.error is not None:
            raise self.error

    send = receive


class TestStorageThatIsDown:
    """What cannot be decided without a database is refused for now, not for ever."""

    @pytest.mark.parametrize(
        "stanza",
        [
            "<message id='1' to='romeo@montague.example'><body>c</body></message>",
            "<presence id='1' to='romeo@montague.example' type='subscribe'/>",
            "<iq id='1' to='romeo@montague.example' type='get'><any xmlns='urn:x'/></iq>",
        ],
    )
    def test_wait(self, server: Server, juliet: Client, stanza: str) -> None:
        """The sender may try again later; the session goes on."""
        server.store.hold()
        juliet.sends(stanza)
        server.store.fail(StorageUnavailable("db.example is down"))
        juliet.receives_error("resource-constraint", type="wait", id="1")
        asks(juliet, None, "own")
        assert juliet.receives_any().get("type") == "result"


class TestServices:
    """Domains that are neither hosts nor remote."""

    def test_service(self, server: Server, juliet: Client) -> None:
        """What is addressed to the domain, or anybody at it, goes to the service."""
        service = Service()
        router = server.node.router
        router.add_service(Jid("rooms.capulet.example"), service)
        assert router.services() == ["rooms.capulet.example"]
        for to in ("rooms.capulet.example", "hall@rooms.capulet.example/juliet"):
            asks(juliet, to)
            juliet.sends(f"<message to='{to}'/>")
            juliet.sends(f"<presence to='{to}'/>")
        assert [stanza.kind for stanza in service.taken] == ["iq", "message", "presence"] * 2
        juliet.receives_nothing()
        router.remove_service(Jid("rooms.capulet.example"))
        asks(juliet, "rooms.capulet.example")
        juliet.receives_error("remote-server-not-found")

    def test_taken(self, server: Server) -> None:
        """Two services, or a service and a host, cannot have one domain."""
        router = server.node.router
        router.add_service(Jid("rooms.capulet.example"), Service())
        assert router.domains() == {"rooms.capulet.example", *(host.name for host in server.node.hosts.all())}
        for domain in ("rooms.capulet.example", "capulet.example"):
            with pytest.raises(ValueError, match="taken"):
                router.add_service(Jid(domain), Service())

    def test_refusal(self, server: Server, juliet: Client) -> None:
        """What a service refuses is returned to a sender of ours."""
        server.node.router.add_service(Jid("rooms.capulet.example"), Service(Forbidden()))
        asks(juliet, "rooms.capulet.example")
        juliet.receives_error("forbidden", id="1")

    def test_remote(self, server: Server, juliet: Client) -> None:
        """What is addressed elsewhere goes to whoever speaks with other servers."""
        server.node.router.remote = remote = Service(RemoteServerTimeout())
        juliet.sends("<message id='1' to='a@verona.example'/>")
        juliet.receives_error("remote-server-timeout", id="1")
        assert remote.taken[0].from_ == JULIET


class TestErrorsOfOurs:
    """Stanzas of ours that go nowhere."""

    def test_error_goes_to_the_sender(self, server: Server, juliet: Client) -> None:
        """Who is still there learns of it."""
        server.wait(server.node.router.send(Stanza.build("message", to=Jid("nobody@capulet.example"), from_=JULIET)))
        juliet.receives_error("service-unavailable")

    @pytest.mark.parametrize("sender", [HOST, Jid("a@verona.example/x"), ROMEO, JULIET.bare])
    def test_nobody_to_tell(self, server: Server, juliet: Client, sender: Jid) -> None:
        """Hosts, strangers and who is gone are told nothing."""
        server.wait(server.node.router.send(Stanza.build("message", to=Jid("nobody@capulet.example"), from_=sender)))
        juliet.receives_nothing()


@pytest.mark.parametrize(
    ("kind", "type", "answered"),
    [
        ("message", "normal", True),
        ("message", "error", False),
        ("presence", "", True),
        ("presence", "subscribe", True),
        ("presence", "unsubscribe", True),
        ("presence", "unavailable", False),
        ("presence", "probe", False),
        ("presence", "subscribed", True),
        ("presence", "unsubscribed", False),
        ("presence", "error", False),
        ("iq", "get", True),
        ("iq", "set", True),
        ("iq", "", True),
        ("iq", "subscribe", True),
        ("iq", "result", False),
        ("iq", "error", False),
    ],
)
def test_what_may_be_answered(kind: str, type: str, answered: bool) -> None:
    """8.3.1: errors and results never; a farewell, or presence that nobody waits for an answer to, neither."""
    element: Any = E(f"{{jabber:client}}{kind}")
    assert may_be_answered(Stanza(kind, element, HOST, JULIET, type)) is answered
