"""What senders cannot say in the name of a server, an account or a room never arrives."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.protocol.element import E, Element
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"
BALCONY, ORCHARD = f"{JULIET}/balcony", f"{ROMEO}/orchard"
ROOM = Jid("coven@chat.shakespeare.lit")
STAMP = "stamp='2002-10-13T23:58:37Z'"
MUC = "xmlns='http://jabber.org/protocol/muc#user'"
SID = "xmlns='urn:xmpp:sid:0'"

FORGED = {
    "delay of the sender's host": f"<delay xmlns='urn:xmpp:delay' from='montague.example' {STAMP}/>",
    "delay of the recipient's host": f"<delay xmlns='urn:xmpp:delay' from='capulet.example' {STAMP}/>",
    "delay of an account": f"<delay xmlns='urn:xmpp:delay' from='{JULIET}' {STAMP}/>",
    "delay of a service": f"<delay xmlns='urn:xmpp:delay' from='rooms.capulet.example' {STAMP}/>",
    "delay in capitals": f"<delay xmlns='urn:xmpp:delay' from='Capulet.EXAMPLE' {STAMP}/>",
    "delay behind references": f"<delay xmlns='urn:xmpp:dela&#x79;' from='capul&#101;t.example' {STAMP}/>",
    "delay with a prefix": f"<d:delay xmlns:d='urn:xmpp:delay' from='capulet.example' {STAMP}/>",
    "id by the recipient": f"<stanza-id {SID} by='{JULIET}' id='f'/>",
    "id by the sender": f"<stanza-id {SID} by='{ROMEO}' id='f'/>",
    "id by a host": f"<stanza-id {SID} by='capulet.example' id='f'/>",
    "id by a service": f"<stanza-id {SID} by='coven@rooms.capulet.example' id='f'/>",
    "id by an address that is none": f"<stanza-id {SID} by='@capulet.example' id='f'/>",
    "id by nobody": f"<stanza-id {SID} id='f'/>",
    "occupant": "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='f'/>",
    "carbon received": "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></received>",
    "carbon sent": "<sent xmlns='urn:xmpp:carbons:2'/>",
    "room's item": f"<x {MUC}><item affiliation='owner' role='moderator'/></x>",
    "room's status": f"<x {MUC}><status code='100'/></x>",
    "room's end": f"<x {MUC}><destroy/></x>",
    "room's invitation": f"<x {MUC}><invite from='{JULIET}'/></x>",
    "room's refusal": f"<x {MUC}><decline from='{JULIET}'/></x>",
    "invitation and more": f"<x {MUC}><invite to='{JULIET}'/><status code='110'/></x>",
}
"""What a client must not say to anybody."""

HONEST = {
    "delay of nobody": f"<delay xmlns='urn:xmpp:delay' {STAMP}/>",
    "delay of somebody elsewhere": f"<delay xmlns='urn:xmpp:delay' from='verona.example' {STAMP}/>",
    "id by somebody elsewhere": f"<stanza-id {SID} by='coven@chat.shakespeare.lit' id='5f3dbc5e'/>",
    "origin": f"<origin-id {SID} id='de305d54'/>",
    "receipt": "<received xmlns='urn:xmpp:receipts' id='1'/>",
    "wish for no carbons": "<private xmlns='urn:xmpp:carbons:2'/>",
    "form": "<x xmlns='jabber:x:data' type='submit'/>",
    "direct invitation": "<x xmlns='jabber:x:conference' jid='coven@chat.shakespeare.lit'/>",
    "mark of a private message": f"<x {MUC}/>",
    "invitation": f"<x {MUC}><invite to='{JULIET}'><reason>Come</reason></invite><password>cauldron</password></x>",
    "refusal": f"<x {MUC}><decline to='{JULIET}'><reason>No</reason></decline></x>",
}
"""What looks like that, and is anybody's to say."""


class Rooms:
    """A service; keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[Stanza] = []

    async def receive(self, stanza: Stanza) -> None:
        self.received.append(stanza)


@pytest.fixture
def rooms(server: Server) -> Rooms:
    rooms = Rooms()
    server.node.router.add_service(Jid("rooms.capulet.example"), rooms)
    return rooms


@pytest.fixture
def romeo(server: Server, rooms: Rooms) -> Client:
    return server.connect(ORCHARD)


@pytest.fixture
def juliet(server: Server, rooms: Rooms) -> Client:
    return server.online(BALCONY)


def arrives(client: Client, content: str, from_: str = ORCHARD, to: str = JULIET, type: str = "chat") -> None:
    """Check that a message with that content is the next to arrive, with nothing else but its number if it is kept."""
    number = f"<stanza-id {SID} by='{JULIET}' id='{{any}}'/>" if type == "chat" else ""
    client.receives(f"<message from='{from_}' to='{to}' type='{type}'>{content}{number}</message>")


class TestClients:
    """RFC 6120 lets a client say what it likes; here is what it cannot say."""

    @pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
    def test_forged_in_a_message(self, romeo: Client, juliet: Client, forged: str) -> None:
        """The message arrives without it; what stands beside it is not touched."""
        romeo.sends(
            f"<message to='{JULIET}' type='chat'><body>a &lt; b</body>{forged}<origin-id {SID} id='1'/></message>"
        )
        arrives(juliet, f"<body>a &lt; b</body><origin-id {SID} id='1'/>")

    @pytest.mark.parametrize("honest", HONEST.values(), ids=HONEST)
    def test_honest_in_a_message(self, romeo: Client, juliet: Client, honest: str) -> None:
        """What is anybody's to say arrives, to the byte."""
        romeo.sends(f"<message to='{JULIET}' type='chat'><body>c</body>{honest}</message>")
        assert f"<body>c</body>{honest}".encode() in juliet.raw
        arrives(juliet, f"<body>c</body>{honest}")

    @pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
    @pytest.mark.parametrize("to", ["", f" to='{ORCHARD}'"], ids=["broadcast", "directed"])
    def test_forged_in_presence(self, romeo: Client, juliet: Client, forged: str, to: str) -> None:
        """Neither does presence carry it: not to one's own resources, and not to others."""
        seer = romeo if to else juliet
        juliet.sends(f"<presence{to}>{forged}<show>away</show></presence>")
        addressee = ORCHARD if to else JULIET
        seer.receives(f"<presence from='{BALCONY}' to='{addressee}'><show>away</show></presence>")

    def test_presence_that_is_shown_later(self, server: Server, juliet: Client) -> None:
        """What is kept of a resource to be shown to others is clean, too."""
        juliet.sends(f"<presence>{FORGED['occupant']}<show>away</show></presence>")
        chamber = server.connect(f"{JULIET}/chamber")
        chamber.sends("<presence/>")
        chamber.receives(f"<presence from='{BALCONY}' to='{JULIET}/chamber'><show>away</show></presence>")

    def test_several(self, romeo: Client, juliet: Client) -> None:
        """All of them go."""
        romeo.sends(f"<message to='{JULIET}' type='chat'>{''.join(FORGED.values())}<body>c</body></message>")
        arrives(juliet, "<body>c</body>")

    def test_below_the_first_level(self, romeo: Client, juliet: Client) -> None:
        """What is quoted is nobody's claim: only the stanza's own children are looked at."""
        quoted = f"<forwarded xmlns='urn:xmpp:forward:0'>{FORGED['delay of an account']}</forwarded>"
        romeo.sends(f"<message to='{JULIET}' type='chat'>{quoted}</message>")
        arrives(juliet, quoted)


class TestRoomHistory:
    """XEP-0045, Continuing the Discussion: the owner of a room gives it what was said before, with its times."""

    TOLD = f"<body>Thrice</body><delay xmlns='urn:xmpp:delay' from='{JULIET}' {STAMP}/>"

    def test_to_a_room(self, rooms: Rooms, romeo: Client) -> None:
        """Who said it is an account of ours; the room is told."""
        romeo.sends(f"<message to='coven@rooms.capulet.example' type='groupchat'>{self.TOLD}</message>")
        assert rooms.received[0].child("{urn:xmpp:delay}delay") is not None

    @pytest.mark.parametrize("by", ["capulet.example", "coven@rooms.capulet.example"])
    def test_in_the_name_of_the_room(self, rooms: Rooms, romeo: Client, by: str) -> None:
        """But a server, and the room, speak for themselves."""
        delay = f"<delay xmlns='urn:xmpp:delay' from='{by}' {STAMP}/>"
        romeo.sends(f"<message to='coven@rooms.capulet.example' type='groupchat'><body>c</body>{delay}</message>")
        assert [child.name for child in rooms.received[0].elements()] == ["{jabber:client}body"]

    def test_to_an_account(self, romeo: Client, juliet: Client) -> None:
        """An account is no room."""
        romeo.sends(f"<message to='{BALCONY}' type='groupchat'>{self.TOLD}</message>")
        arrives(juliet, "<body>Thrice</body>", to=BALCONY, type="groupchat")


def delay(from_: str) -> Element:
    return E("{urn:xmpp:delay}delay", from_=from_, stamp="2002-10-13T23:58:37Z")


def stanza_id(by: str) -> Element:
    return E("{urn:xmpp:sid:0}stanza-id", by=by, id="1")


class TestElsewhere:
    """What comes in from other servers, or from a service of ours."""

    WORD = (
        E("{urn:xmpp:occupant-id:0}occupant-id", id="dd72"),
        E("{http://jabber.org/protocol/muc#user}x", E("{http://jabber.org/protocol/muc#user}status", code="100")),
    )

    def comes(self, server: Server, *children: Element, from_: str | Jid = ROOM, type: str = "groupchat") -> list[str]:
        """Let a message come in for Juliet; return the names of what she gets."""
        kind = "message" if type else "presence"
        sent = Stanza.build(kind, *children, to=Jid(BALCONY), from_=Jid(from_), type=type)
        server.wait(server.node.router.route(sent))
        (juliet,) = server.node.sessions.of(Jid(JULIET))
        got = juliet.wire.connection.client.receives_any()  # type: ignore[attr-defined]
        return [child.tag for child in got]

    def test_rooms_elsewhere(self, server: Server, juliet: Client) -> None:
        """A room says who its occupants are, what it numbered and what it delayed."""
        word = (*self.WORD, stanza_id(ROOM), delay(ROOM))
        assert self.comes(server, *word) == [child.name for child in word]
        assert self.comes(server, *self.WORD, type="") == [child.name for child in self.WORD]

    @pytest.mark.parametrize(("type", "number"), [("chat", ["{urn:xmpp:sid:0}stanza-id"]), ("", [])])
    def test_in_our_name(self, server: Server, juliet: Client, type: str, number: list[str]) -> None:
        """Nobody elsewhere numbers or delays stanzas for us, or has our carbons."""
        forged = (
            stanza_id(JULIET), stanza_id("capulet.example"), delay("capulet.example"), delay(JULIET),
            E("{urn:xmpp:carbons:2}received"), E("{urn:xmpp:carbons:2}sent"),
        )  # fmt: skip
        got = self.comes(server, *forged, E("{urn:x}x"), from_="mab@verona.example/x", type=type)
        assert got == ["{urn:x}x", *number], "a message that is kept has the number that we gave it"

    @pytest.mark.parametrize("from_", ["mab@verona.example/x", ROOM, "coven@chat.shakespeare.lit/thirdwitch"])
    @pytest.mark.parametrize("way", ["received", "sent"])
    def test_carbons_elsewhere(self, server: Server, juliet: Client, way: str, from_: str) -> None:
        """XEP-0280, Security Considerations: whoever it comes from, a carbon of somebody else's is none."""
        message = E("{jabber:client}message", E("{jabber:client}body", "Thou shall meet me tonite"), from_=ROMEO)
        forged = E(f"{{urn:xmpp:carbons:2}}{way}", E("{urn:xmpp:forward:0}forwarded", message))
        assert self.comes(server, forged, E("{urn:x}x"), from_=from_, type="headline") == ["{urn:x}x"]

    def test_history_elsewhere(self, server: Server, juliet: Client) -> None:
        """A room's history may name the accounts of ours that spoke, not our host."""
        assert self.comes(server, delay(ROMEO)) == ["{urn:xmpp:delay}delay"]
        assert self.comes(server, delay("montague.example"), E("{urn:x}x")) == ["{urn:x}x"]

    def test_our_services(self, server: Server, juliet: Client) -> None:
        """A service of ours is believed."""
        room = "coven@rooms.capulet.example"
        word = (*self.WORD, stanza_id(room), delay(room))
        assert self.comes(server, *word, from_=room) == [child.name for child in word]

    def test_our_own(self, server: Server, juliet: Client) -> None:
        """And so is the server itself, for what it kept."""
        word = (stanza_id(JULIET), delay("capulet.example"))
        assert self.comes(server, *word, from_=ORCHARD, type="chat") == [child.name for child in word]


def test_whole_when_nothing_is_forged(romeo: Client, juliet: Client) -> None:
    """What holds a suspect that turns out honest is relayed as it came, white space and all."""
    inner = f"<body >c</body>\n <delay  xmlns='urn:xmpp:delay' {STAMP} />"
    romeo.sends(f"<message to='{JULIET}' type='chat'>{inner}</message>")
    assert inner.encode() in juliet.raw
