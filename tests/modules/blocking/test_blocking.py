"""XEP-0191: Blocking Command."""

from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.server import Store
from xmppd.core.events import InboundIq
from xmppd.core.hooks import notice
from xmppd.core.message_log import Query
from xmppd.core.shards import StorageUnavailable
from xmppd.modules.blocking.api import Blocklists, JidsBlocked
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import ResourceConstraint, ServiceUnavailable
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .cast import BODY, JULIET, LIST, NS, NURSE, ROMEO, block, items, lists, pushed, refused, unblock

BALCONY, ORCHARD = f"{JULIET}/balcony", f"{ROMEO}/orchard"
IAGO = "iago@shakespeare.example"
ROOM = "coven@chat.shakespeare.lit"
MUC = "xmlns='http://jabber.org/protocol/muc#user'"
PING = "<ping xmlns='urn:xmpp:ping'/>"


@pytest.fixture
def server() -> Server:
    """A server that keeps no messages."""
    return Server(store=Store.NEVER)


@pytest.fixture
def romeo(server: Server) -> Client:
    return server.online(ORCHARD)


@pytest.fixture
def juliet(server: Server, romeo: Client) -> Client:
    return server.online(BALCONY)


def comes(server: Server, stanza: Stanza) -> None:
    """Let a stanza come in from elsewhere."""
    server.wait(server.node.router.route(stanza))


def message(from_: str, type: str, *children: Element) -> Stanza:
    return Stanza.build("message", *children, to=Jid(BALCONY), from_=Jid(from_), type=type)


class TestList:
    """User Discovers Support, User Retrieves Block List, User Blocks JID, User Unblocks JID."""

    def test_discovery(self, juliet: Client) -> None:
        """Example 2: a feature of the server."""
        juliet.sends(
            "<iq to='capulet.example' id='d' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        )
        assert "urn:xmpp:blocking" in {child.get("var") for child in juliet.receives_any()[0]}

    def test_empty(self, juliet: Client) -> None:
        """Example 5: an empty list is an empty element."""
        juliet.sends(LIST)
        juliet.receives(f"<iq id='blocklist1' type='result' from='{JULIET}' to='{BALCONY}'><blocklist {NS}/></iq>")

    def test_block_and_unblock(self, juliet: Client) -> None:
        """Examples 4 to 14: what is blocked is listed, in canonical form, until it is not."""
        block(juliet, "ROMEO@Montague.Example", IAGO)
        assert lists(juliet) == [IAGO, ROMEO]
        juliet.sends(f"<iq id='u' type='set'><unblock {NS}>{items(ROMEO)}</unblock></iq>")
        juliet.receives(pushed(juliet, "unblock", ROMEO))
        juliet.receives(f"<iq id='u' type='result' from='{JULIET}' to='{BALCONY}'/>")
        assert lists(juliet) == [IAGO]

    def test_unblock_all(self, juliet: Client) -> None:
        """Examples 15 to 17: an empty request is about all of them."""
        block(juliet, ROMEO, IAGO)
        unblock(juliet)
        assert lists(juliet) == []

    def test_lasts(self, server: Server, juliet: Client) -> None:
        """User Blocks JID: the block applies across sessions, and whatever is in memory."""
        block(juliet, ROMEO)
        juliet.disconnects()
        server.wait(server.node.loader.reload("blocking"))
        assert lists(server.connect(BALCONY)) == [ROMEO]

    def test_pushes(self, server: Server, juliet: Client) -> None:
        """Examples 7, 13 and 17: all resources that have asked for the list are told, and no others."""
        chamber, garden = server.connect(f"{JULIET}/chamber"), server.connect(f"{JULIET}/garden")
        lists(chamber)
        block(juliet, ROMEO)
        chamber.receives(pushed(chamber, "block", ROMEO))
        unblock(juliet, ROMEO)
        chamber.receives(pushed(chamber, "unblock", ROMEO))
        unblock(juliet)
        chamber.receives(pushed(chamber, "unblock"))
        garden.receives_nothing()

    def test_reports(self, server: Server, juliet: Client) -> None:
        """XEP-0377: what a client says beside an address is for whoever knows it."""
        heard = Heard()
        server.node.hooks.bind("heard", heard)
        report = "<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/>"
        juliet.sends(f"<iq id='b' type='set'><block {NS}><item jid='{ROMEO}'>{report}</item></block></iq>")
        assert juliet.receives_any().get("type") == "result"
        ((account, (item,)),) = heard.told
        assert account == JULIET
        assert item.first is not None
        assert item.first.get("reason") == "urn:xmpp:reporting:spam"

    def test_others(self, romeo: Client, juliet: Client) -> None:
        """A list is its owner's."""
        for request in (f"<blocklist {NS}/>", f"<block {NS}>{items(ROMEO)}</block>", f"<unblock {NS}/>"):
            kind = "get" if "blocklist" in request else "set"
            romeo.sends(f"<iq id='1' type='{kind}' to='{JULIET}'>{request}</iq>")
            romeo.receives_error("service-unavailable", id="1")
        assert lists(juliet) == []

    def test_removed_account(self, server: Server, juliet: Client) -> None:
        """Who has an account's name next has not its list."""
        block(juliet, ROMEO)
        server.wait(server.node.accounts.delete(Jid(JULIET)))
        server.run()
        assert lists(server.connect(BALCONY)) == []


class Heard:
    """Hears who is blocked."""

    def __init__(self) -> None:
        self.told: list[tuple[Jid, list[Element]]] = []

    @notice(JidsBlocked)
    async def hear(self, event: JidsBlocked) -> None:
        self.told.append((event.account, list(event.items)))


class TestRefusals:
    """What cannot be blocked."""

    @pytest.mark.parametrize(
        ("inner", "condition"),
        [
            ("", "bad-request"),
            ("<item/>", "bad-request"),
            ("<item jid='@montague.example'/>", "jid-malformed"),
            (items(ROMEO, JULIET), "not-allowed"),
            (items(BALCONY), "not-allowed"),
        ],
    )
    def test_request(self, juliet: Client, inner: str, condition: str) -> None:
        """User Blocks JID: at least one item, all of them addresses of others; all are blocked or none."""
        juliet.sends(f"<iq id='b' type='set'><block {NS}>{inner}</block></iq>")
        juliet.receives_error(condition, id="b")
        assert lists(juliet) == []

    def test_too_many(self) -> None:
        """A list has its bounds."""
        server = Server(modules={"blocking": {"items": 2}})
        juliet = server.connect(BALCONY)
        block(juliet, ROMEO, IAGO)
        juliet.sends(f"<iq id='b' type='set'><block {NS}>{items(NURSE)}</block></iq>")
        juliet.receives_error("resource-constraint", id="b")
        assert lists(juliet) == [IAGO, ROMEO]

    def test_anonymous(self) -> None:
        """An account without a password keeps no list."""
        server = Server(anonymous=True)
        client = server.connection()
        client.opens("capulet.example")
        client.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
        client.receives_any()
        client.opens("capulet.example")
        client.jid = client.binds("")
        client.sends(f"<iq id='b' type='set'><block {NS}>{items(ROMEO)}</block></iq>")
        client.receives_error("not-allowed", id="b")
        assert lists(client) == []


class TestInbound:
    """User Blocks JID: what a blocked JID sends to the user."""

    @pytest.mark.parametrize("item", [ROMEO, ORCHARD, "montague.example"])
    @pytest.mark.parametrize("type", ["chat", "normal"])
    def test_message(self, juliet: Client, romeo: Client, item: str, type: str) -> None:
        """A message is answered service-unavailable, to whatever address it goes."""
        block(juliet, item)
        for to in (JULIET, BALCONY, f"{JULIET}/gone"):
            romeo.sends(f"<message id='m' to='{to}' type='{type}'>{BODY}</message>")
            romeo.receives_error("service-unavailable", type="cancel", id="m")
        juliet.receives_nothing()

    @pytest.mark.parametrize("type", ["headline", "groupchat", "error"])
    def test_in_silence(self, juliet: Client, romeo: Client, type: str) -> None:
        """What is no conversation is dropped."""
        block(juliet, ROMEO)
        romeo.sends(f"<message id='m' to='{BALCONY}' type='{type}'>{BODY}</message>")
        romeo.receives_nothing()
        juliet.receives_nothing()

    def test_other_resources(self, server: Server, juliet: Client, romeo: Client) -> None:
        """JID Matching: an item with a resource covers that one alone."""
        block(juliet, f"{ROMEO}/elsewhere", "montague.example/orchard")
        romeo.sends(f"<message id='m' to='{BALCONY}' type='chat'>{BODY}</message>")
        assert juliet.receives_any().get("from") == ORCHARD

    def test_unblocked(self, juliet: Client, romeo: Client) -> None:
        """User Unblocks JID: what is sent afterwards is delivered."""
        block(juliet, ROMEO)
        unblock(juliet, ROMEO)
        romeo.sends(f"<message id='m' to='{BALCONY}' type='chat'>{BODY}</message>")
        assert juliet.receives_any().get("id") == "m"

    @pytest.mark.parametrize(
        "type", ["subscribe", "unsubscribe", "subscribed", "unsubscribed", "probe", "unavailable", ""]
    )
    def test_presence(self, juliet: Client, server: Server, type: str) -> None:
        """Presence, requests and probes: no delivery, no answer, no error."""
        block(juliet, "verona.example")
        comes(server, Stanza.build("presence", to=Jid(JULIET), from_=Jid("mab@verona.example"), type=type))
        juliet.receives_nothing()

    @pytest.mark.parametrize("type", ["get", "set"])
    def test_request_to_a_resource(self, juliet: Client, romeo: Client, type: str) -> None:
        """A request is answered service-unavailable."""
        block(juliet, ROMEO)
        romeo.sends(f"<iq id='i' to='{BALCONY}' type='{type}'>{PING}</iq>")
        romeo.receives_error("service-unavailable", id="i")
        juliet.receives_nothing()

    def test_request_to_the_account(self, juliet: Client, romeo: Client) -> None:
        """One to the bare JID, too, though the server would answer it; and who blocks may not ask the other either."""
        info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
        block(juliet, ROMEO)
        romeo.sends(f"<iq id='i' to='{JULIET}' type='get'>{info}</iq>")
        romeo.receives_error("service-unavailable", id="i")
        juliet.sends(f"<iq id='j' to='{ROMEO}' type='get'>{info}</iq>")
        juliet.receives_error("not-acceptable", id="j")

    @pytest.mark.parametrize("type", ["result", "error"])
    def test_answer_to_a_resource(self, juliet: Client, romeo: Client, type: str) -> None:
        """An answer is dropped."""
        block(juliet, ROMEO)
        romeo.sends(f"<iq id='i' to='{BALCONY}' type='{type}'/>")
        romeo.receives_nothing()
        juliet.receives_nothing()

    def test_own_resources(self, server: Server, juliet: Client) -> None:
        """Relationship to Privacy Lists: the user's own resources go on talking to each other."""
        chamber = server.online(f"{JULIET}/chamber")
        juliet.forgets()
        block(juliet, "capulet.example")
        chamber.sends(f"<message id='m' to='{BALCONY}' type='chat'>{BODY}</message>")
        assert juliet.receives_any().get("id") == "m"
        chamber.sends(f"<iq id='i' to='{BALCONY}' type='get'>{PING}</iq>")
        assert juliet.receives_any().get("id") == "i"
        chamber.sends("<presence><show>away</show></presence>")
        assert juliet.receives_any().get("from") == f"{JULIET}/chamber"


class TestRooms:
    """Somebody in a room, elsewhere."""

    def test_occupant(self, server: Server, juliet: Client) -> None:
        """Their words and their presence are not heard, and nothing comes back: the room would take it for an end."""
        block(juliet, f"{ROOM}/thirdwitch")
        for sent in (
            message(f"{ROOM}/thirdwitch", "groupchat", E("{jabber:client}body", "Thrice")),
            message(
                f"{ROOM}/thirdwitch",
                "chat",
                E("{jabber:client}body", "Thrice"),
                E("{http://jabber.org/protocol/muc#user}x"),
            ),
            Stanza.build("presence", to=Jid(BALCONY), from_=Jid(f"{ROOM}/thirdwitch")),
        ):
            comes(server, sent)
        juliet.receives_nothing()

    def test_others(self, server: Server, juliet: Client) -> None:
        """The room, and the others in it, are heard."""
        block(juliet, f"{ROOM}/thirdwitch")
        for from_ in (ROOM, f"{ROOM}/firstwitch"):
            comes(server, message(from_, "groupchat", E("{jabber:client}body", "Thrice")))
            assert juliet.receives_any().get("from") == from_

    @pytest.mark.parametrize(("inviter", "arrives"), [(ORCHARD, False), (NURSE, True), ("@", True)])
    def test_invitation(self, server: Server, juliet: Client, inviter: str, arrives: bool) -> None:
        """XEP-0045, Mediated Invitation: what a room passes on is its inviter's."""
        block(juliet, ROMEO)
        invite = E("{http://jabber.org/protocol/muc#user}invite", from_=inviter)
        comes(server, message(ROOM, "normal", E("{http://jabber.org/protocol/muc#user}x", invite)))
        server.run()
        assert bool(juliet.inbox) is arrives

    def test_room_without_an_inviter(self, server: Server, juliet: Client) -> None:
        """Whatever else a room says of its occupants passes."""
        block(juliet, ROMEO)
        for x in (
            E("{http://jabber.org/protocol/muc#user}x"),
            E("{http://jabber.org/protocol/muc#user}x", E("{http://jabber.org/protocol/muc#user}invite")),
        ):
            comes(server, message(ROOM, "normal", x))
            juliet.receives_any()


class TestOutbound:
    """User Blocks JID: what the user sends to a blocked JID."""

    @pytest.mark.parametrize("item", [ROMEO, "montague.example"])
    def test_message(self, juliet: Client, romeo: Client, item: str) -> None:
        """Example 8: not-acceptable, with the reason."""
        block(juliet, item)
        juliet.sends(f"<message id='m' to='{ROMEO}' type='chat'>{BODY}</message>")
        refused(juliet, "m")
        romeo.receives_nothing()

    @pytest.mark.parametrize("type", ["", " type='subscribe'"])
    def test_presence(self, juliet: Client, romeo: Client, type: str) -> None:
        """Presence for somebody, and requests."""
        block(juliet, ROMEO)
        juliet.sends(f"<presence id='p' to='{ROMEO}'{type}/>")
        refused(juliet, "p")
        romeo.receives_nothing()

    def test_request(self, juliet: Client, romeo: Client) -> None:
        """Requests to a resource, here or elsewhere."""
        block(juliet, ROMEO, "verona.example")
        for to in (ORCHARD, "verona.example", "mab@verona.example"):
            juliet.sends(f"<iq id='i' to='{to}' type='get'>{PING}</iq>")
            refused(juliet, "i")
        romeo.receives_nothing()

    @pytest.mark.parametrize("stanza", ["<message to='{}' type='error'/>", "<iq id='i' to='{}' type='result'/>"])
    def test_in_silence(self, juliet: Client, romeo: Client, stanza: str) -> None:
        """RFC 6120, 8.3.1: errors and answers are not answered."""
        block(juliet, ROMEO)
        juliet.sends(stanza.format(ORCHARD))
        juliet.receives_nothing()
        romeo.receives_nothing()

    def test_anybody_else(self, server: Server, juliet: Client) -> None:
        """Who is not blocked is reached."""
        nurse = server.online(f"{NURSE}/hall")
        block(juliet, ROMEO)
        juliet.sends(f"<message id='m' to='{NURSE}' type='chat'>{BODY}</message>")
        assert nurse.receives_any().get("id") == "m"

    def test_presence_for_all(self, juliet: Client) -> None:
        """A broadcast has no addressee."""
        block(juliet, ROMEO)
        juliet.sends("<presence><show>away</show></presence>")
        assert juliet.receives_any().get("from") == BALCONY


class TestKept:
    """With the log: what is stopped is in nobody's archive."""

    @pytest.fixture
    def server(self) -> Server:
        return Server()

    def test_nothing_is_kept(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Neither what a blocked JID sends nor what the user sends there."""
        block(juliet, ROMEO)
        romeo.sends(f"<message id='m1' to='{JULIET}' type='chat'>{BODY}</message>")
        romeo.receives_error("service-unavailable", id="m1")
        juliet.sends(f"<message id='m2' to='{ROMEO}' type='chat'>{BODY}</message>")
        refused(juliet, "m2")
        for account in (JULIET, ROMEO):
            assert server.wait(server.log.page(Query(Jid(account)))) == []


class TestStorage:
    """A list that cannot be read lets nobody through (architecture: fails closed)."""

    @pytest.fixture
    def broken(self, server: Server, juliet: Client, romeo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """Juliet's list is in the database alone, and that is down."""
        lists_ = server.node.loader.offered(Blocklists)  # type: ignore[type-abstract]
        assert lists_ is not None
        lists_.forget(Jid(JULIET))  # type: ignore[attr-defined]

        async def fail(*_: object) -> None:
            raise StorageUnavailable("down")

        monkeypatch.setattr(lists_._store, "load", fail)  # type: ignore[attr-defined]

    def test_message(self, broken: None, romeo: Client, juliet: Client) -> None:
        """Its sender may try again later."""
        romeo.sends(f"<message id='m' to='{JULIET}' type='chat'>{BODY}</message>")
        romeo.receives_error("resource-constraint", id="m")
        juliet.receives_nothing()

    def test_what_juliet_sends(self, broken: None, romeo: Client, juliet: Client) -> None:
        """And so may she."""
        juliet.sends(f"<message id='m' to='{ROMEO}' type='chat'>{BODY}</message>")
        juliet.receives_error("resource-constraint", id="m")
        romeo.receives_nothing()

    def test_presence(self, broken: None, server: Server, juliet: Client) -> None:
        """Presence is not let in either."""
        with pytest.raises(ResourceConstraint):
            comes(server, Stanza.build("presence", to=Jid(JULIET), from_=Jid("mab@verona.example")))
        juliet.receives_nothing()

    def test_login(self, broken: None, server: Server) -> None:
        """A session begins all the same."""
        assert server.connect(f"{JULIET}/chamber").jid == f"{JULIET}/chamber"


def test_list_that_is_not_in_memory(server: Server, juliet: Client) -> None:
    """What is in the database holds, whatever a node remembers."""
    block(juliet, "verona.example")
    server.wait(server.node.loader.reload("blocking"))
    comes(server, Stanza.build("presence", to=Jid(JULIET), from_=Jid("mab@verona.example")))
    juliet.receives_nothing()


def test_resource_that_is_elsewhere(server: Server) -> None:
    """An account may change its list by a resource that another node has."""
    server.account(JULIET)
    payload = E("{urn:xmpp:blocking}block", E("{urn:xmpp:blocking}item", jid=ROMEO))
    comes(server, Stanza.build("iq", payload, to=Jid(JULIET), from_=Jid(BALCONY), type="set", id="b"))
    assert lists(server.connect(f"{JULIET}/chamber")) == [ROMEO]


def test_fault_while_fetching_ahead(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong besides a database that is down is logged; the session begins."""
    lists_ = server.node.loader.offered(Blocklists)  # type: ignore[type-abstract]
    told: list[str] = []

    def note(event: dict[str, Any]) -> None:
        told.append(event.get("log_format") or "")

    async def fail(*_: object) -> None:
        raise ValueError("no list")

    monkeypatch.setattr(lists_, "get", fail)
    globalLogPublisher.addObserver(note)
    try:
        server.connect(BALCONY)
    finally:
        globalLogPublisher.removeObserver(note)
    assert [text for text in told if "block list" in text] == ["a block list could not be fetched ahead"]


def test_counted(server: Server, juliet: Client, romeo: Client) -> None:
    """What is stopped is counted by direction."""
    block(juliet, ROMEO)
    romeo.sends(f"<message to='{BALCONY}' type='chat'>{BODY}</message>")
    romeo.sends(f"<message to='{BALCONY}' type='headline'>{BODY}</message>")
    juliet.sends(f"<message to='{ROMEO}' type='chat'>{BODY}</message>")
    counters = server.node.loader.loaded["blocking"].counters  # type: ignore[attr-defined]
    assert dict(counters.stopped) == {"inbound": 2, "outbound": 1}


def test_requests_to_the_account(server: Server, juliet: Client) -> None:
    """User Blocks JID: whoever routes an IQ for the account's bare JID is told the same."""
    block(juliet, ROMEO)
    asked = Stanza.build("iq", E("{urn:xmpp:ping}ping"), to=Jid(JULIET), from_=Jid(ORCHARD), type="get", id="i")
    with pytest.raises(ServiceUnavailable):
        server.wait(server.node.hooks.decide(InboundIq(Jid(JULIET), asked)))
    assert ResourceConstraint.default_type == "wait"
