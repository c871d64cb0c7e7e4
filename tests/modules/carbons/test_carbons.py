"""XEP-0280: Message Carbons, in the examples' cast."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.server import Store
from xmppd.core.events import BindInline, Delivering, Distributing, InlineFeatures, MessageSent
from xmppd.core.hooks import Phase, Verdict, on
from xmppd.core.iq import IqRequest
from xmppd.core.message_log import Query
from xmppd.core.session import Session
from xmppd.modules.carbons import Carbons
from xmppd.modules.carbons.api import ENABLED
from xmppd.protocol.element import E
from xmppd.protocol.errors import NotAllowed, ServiceUnavailable
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

WIRE: Any = None
SID = "{urn:xmpp:sid:0}stanza-id"
JULIET, ROMEO = "juliet@capulet.example", "romeo@montague.example"
ENABLE = "<iq id='enable1' type='set'><enable xmlns='urn:xmpp:carbons:2'/></iq>"
DISABLE = "<iq id='disable1' type='set'><disable xmlns='urn:xmpp:carbons:2'/></iq>"
BODY = "<body>What man art thou?</body>"


@pytest.fixture
def server() -> Server:
    """A server that keeps no messages: ids of rows are given by the tests."""
    return Server(store=Store.NEVER)


def enabled(server: Server, jid: str, presence: str = "<presence/>") -> Client:
    """Log in with carbons."""
    client = server.connect(jid)
    client.sends(ENABLE)
    client.sends(presence)
    client.forgets()
    return client


def silent(server: Server, jid: str) -> Client:
    """Log in with carbons and without presence."""
    return enabled(server, jid, "<iq id='v' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")


def all_forget(*clients: Client) -> None:
    """Drop what came by way of presence."""
    for client in clients:
        client.forgets()


def carbon(way: str, to: str, message: str, type: str = "chat") -> str:
    """Return a copy as it comes to Romeo."""
    kind = f" type='{type}'" if type != "normal" else ""
    return (
        f"<message from='{ROMEO}' to='{to}'{kind}><{way} xmlns='urn:xmpp:carbons:2'>"
        f"<forwarded xmlns='urn:xmpp:forward:0'>{message}</forwarded></{way}></message>"
    )


class Stage:
    """Romeo in the garden, where carbons are not enabled, and at home and in the orchard, where they are; and Juliet."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.juliet = server.online(f"{JULIET}/balcony")
        self.garden = server.online(f"{ROMEO}/garden")
        self.home = enabled(server, f"{ROMEO}/home")
        self.orchard = enabled(server, f"{ROMEO}/orchard")
        all_forget(self.juliet, self.garden, self.home, self.orchard)

    def nothing_else(self) -> None:
        for client in (self.juliet, self.garden, self.home, self.orchard):
            client.receives_nothing()


@pytest.fixture
def stage(server: Server) -> Stage:
    return Stage(server)


class TestEnabling:
    """Discovering Support, Enabling and Disabling Carbons."""

    def test_discovery(self, server: Server) -> None:
        """Discovering Support: the protocol, and its rules."""
        romeo = server.connect(f"{ROMEO}/garden")
        romeo.sends(
            "<iq to='montague.example' id='info1' type='get'>"
            "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        )
        features = {child.get("var") for child in romeo.receives_any()[0]}
        assert features >= {"urn:xmpp:carbons:2", "urn:xmpp:carbons:rules:0"}

    def test_many_times(self, server: Server) -> None:
        """Handling Multiple Enable/Disable Requests: none of them is an error."""
        romeo = server.connect(f"{ROMEO}/garden")
        for request, id in ((DISABLE, "disable1"), (ENABLE, "enable1"), (ENABLE, "enable1"), (DISABLE, "disable1")):
            romeo.sends(request)
            romeo.receives(f"<iq id='{id}' type='result' from='{ROMEO}' to='{ROMEO}/garden'/>")

    def test_disabled_again(self, stage: Stage) -> None:
        """Disabling Carbons: no copies any more."""
        stage.home.sends(DISABLE)
        stage.home.forgets()
        stage.juliet.sends(f"<message to='{ROMEO}/garden' type='chat'>{BODY}</message>")
        stage.garden.receives(f"<message from='{JULIET}/balcony' to='{ROMEO}/garden' type='chat'>{BODY}</message>")
        stage.orchard.receives_any()
        stage.nothing_else()

    def test_of_somebody_else(self, stage: Stage) -> None:
        """Nobody enables carbons for others."""
        stage.juliet.sends(f"<iq to='{ROMEO}' id='1' type='set'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        stage.juliet.receives_error("service-unavailable", id="1")

    def test_without_a_session(self, server: Server) -> None:
        """Who asks by another way than a session of this server has nothing to be copied to."""
        module = server.node.loader.loaded["carbons"]
        assert isinstance(module, Carbons)
        payload = E("{urn:xmpp:carbons:2}enable")
        asked = Stanza.build("iq", payload, to=Jid(ROMEO), from_=Jid(f"{ROMEO}/x"), type="set", id="1")
        with pytest.raises(NotAllowed):
            server.wait(module.switch_on(IqRequest(asked, Jid(ROMEO), asked.from_, payload)))

    def test_with_the_login(self, server: Server) -> None:
        """XEP-0386: enabled when the session is bound, if the client asks for it."""
        offered = InlineFeatures(server.node.hosts.all()[0], True, ())
        server.wait(server.node.hooks.collect(offered))
        assert "urn:xmpp:carbons:2" in offered.bind
        for children, is_enabled in (((E("{urn:xmpp:carbons:2}enable"),), True), ((), False)):
            session = Session(Jid(f"{ROMEO}/home"), WIRE)
            server.wait(server.node.hooks.collect(BindInline(session, E("{urn:xmpp:bind:0}bind", *children))))
            assert session[ENABLED] is is_enabled


class TestReceived:
    """Receiving Messages."""

    def test_to_a_full_jid(self, stage: Stage) -> None:
        """Examples 9 and 10: all enabled resources but the one that it is for."""
        stage.juliet.sends(f"<message to='{ROMEO}/home' type='chat' id='m1'>{BODY}</message>")
        message = f"from='{JULIET}/balcony' to='{ROMEO}/home' type='chat' id='m1'>{BODY}</message>"
        stage.home.receives(f"<message {message}")
        stage.orchard.receives(carbon("received", f"{ROMEO}/orchard", f"<message xmlns='jabber:client' {message}"))
        stage.nothing_else()

    def test_to_the_bare_jid(self, stage: Stage) -> None:
        """What all resources get is not copied to those that get it."""
        stage.juliet.sends(f"<message to='{ROMEO}' type='chat'>{BODY}</message>")
        for client in (stage.garden, stage.home, stage.orchard):
            client.receives(f"<message from='{JULIET}/balcony' to='{ROMEO}' type='chat'>{BODY}</message>")
        stage.nothing_else()

    def test_to_the_bare_jid_and_not_to_all(self, stage: Stage) -> None:
        """A resource of negative priority, or without presence, did not get it and has a copy."""
        low = enabled(stage.server, f"{ROMEO}/low", "<presence><priority>-1</priority></presence>")
        absent = silent(stage.server, f"{ROMEO}/absent")
        all_forget(stage.garden, stage.home, stage.orchard)
        stage.juliet.sends(f"<message to='{ROMEO}' type='chat'>{BODY}</message>")
        message = f"<message xmlns='jabber:client' from='{JULIET}/balcony' to='{ROMEO}' type='chat'>{BODY}</message>"
        for client, resource in ((low, "low"), (absent, "absent")):
            client.receives(carbon("received", f"{ROMEO}/{resource}", message))
            client.receives_nothing()
        for client in (stage.garden, stage.home, stage.orchard):
            client.receives_any()
        stage.nothing_else()

    def test_to_a_resource_that_is_gone(self, stage: Stage) -> None:
        """It goes to all that are reachable, who get no copy on top."""
        stage.juliet.sends(f"<message to='{ROMEO}/gone' type='chat'>{BODY}</message>")
        for client in (stage.garden, stage.home, stage.orchard):
            client.receives(f"<message from='{JULIET}/balcony' to='{ROMEO}/gone' type='chat'>{BODY}</message>")
        stage.nothing_else()

    def test_the_only_resource(self, server: Server) -> None:
        """One that is reachable needs no copies; one of negative priority does."""
        juliet = server.online(f"{JULIET}/balcony")
        romeo = enabled(server, f"{ROMEO}/home")
        juliet.sends(f"<message to='{ROMEO}' type='chat'>{BODY}</message>")
        romeo.receives(f"<message from='{JULIET}/balcony' to='{ROMEO}' type='chat'>{BODY}</message>")
        romeo.sends("<presence><priority>-1</priority></presence>")
        romeo.forgets()
        juliet.sends(f"<message to='{ROMEO}' type='chat'>{BODY}</message>")
        assert romeo.receives_any()[0].tag == "{urn:xmpp:carbons:2}received"
        romeo.receives_nothing()

    def test_private(self, stage: Stage) -> None:
        """Avoiding Carbons for a single message: no copies on either side; the recipient may see the wish."""
        inner = f"{BODY}<private xmlns='urn:xmpp:carbons:2'/><no-copy xmlns='urn:xmpp:hints'/>"
        stage.home.sends(f"<message to='{JULIET}/balcony' type='chat'>{inner}</message>")
        stage.juliet.receives(f"<message from='{ROMEO}/home' to='{JULIET}/balcony' type='chat'>{inner}</message>")
        stage.juliet.sends(f"<message to='{ROMEO}/home' type='chat'>{inner}</message>")
        stage.home.receives(f"<message from='{JULIET}/balcony' to='{ROMEO}/home' type='chat'>{inner}</message>")
        stage.nothing_else()

    def test_row(self, stage: Stage) -> None:
        """A message with a row has its id by now, and so has the copy."""
        message = Stanza.build(
            "message", E("{jabber:client}body", "Ay me!"), to=Jid(f"{ROMEO}/home"), from_=Jid(JULIET), type="chat"
        ).with_added(E("{urn:xmpp:sid:0}stanza-id", by=ROMEO, id="7"))
        stage.server.wait(stage.server.node.hooks.decide(Distributing(Jid(ROMEO), message, 7)))
        copy = stage.orchard.receives_any()
        (got,) = copy.iter("{urn:xmpp:sid:0}stanza-id")
        assert (got.get("by"), got.get("id")) == (ROMEO, "7")


class TestSent:
    """Sending Messages."""

    def test_to_somebody(self, stage: Stage) -> None:
        """Examples 12 and 13: all enabled resources but the sender, whether the sender has carbons or not."""
        for sender, others in ((stage.home, [stage.orchard]), (stage.garden, [stage.home, stage.orchard])):
            message = f"to='{JULIET}/balcony' type='chat' id='m1'>{BODY}</message>"
            sender.sends(f"<message {message}")
            stage.juliet.receives(f"<message from='{sender.jid}' {message}")
            for other in others:
                copied = f"<message xmlns='jabber:client' from='{sender.jid}' {message}"
                other.receives(carbon("sent", other.jid, copied))
            stage.nothing_else()

    def test_normal(self, stage: Stage) -> None:
        """The wrapper is of the same type."""
        stage.home.sends(f"<message to='{JULIET}/balcony'>{BODY}</message>")
        copied = f"<message xmlns='jabber:client' from='{ROMEO}/home' to='{JULIET}/balcony'>{BODY}</message>"
        stage.orchard.receives(carbon("sent", f"{ROMEO}/orchard", copied, "normal"))

    def test_what_failed(self, stage: Stage) -> None:
        """A message that its sender saw fail was not sent."""
        stage.home.sends(f"<message to='nobody@capulet.example' type='chat' id='m1'>{BODY}</message>")
        stage.home.receives_error("service-unavailable", id="m1")
        stage.nothing_else()

    def test_to_oneself(self, stage: Stage) -> None:
        """Everybody has it once: as the message, or as received."""
        absent = silent(stage.server, f"{ROMEO}/absent")
        stage.home.sends(f"<message to='{ROMEO}' type='chat'>{BODY}</message>")
        for client in (stage.garden, stage.home, stage.orchard):
            client.receives(f"<message from='{ROMEO}/home' to='{ROMEO}' type='chat'>{BODY}</message>")
        assert absent.receives_any()[0].tag == "{urn:xmpp:carbons:2}received"
        absent.receives_nothing()
        stage.nothing_else()

    def test_to_an_own_resource(self, stage: Stage) -> None:
        """The sender knows what it said."""
        stage.home.sends(f"<message to='{ROMEO}/garden' type='chat'>{BODY}</message>")
        stage.garden.receives(f"<message from='{ROMEO}/home' to='{ROMEO}/garden' type='chat'>{BODY}</message>")
        assert stage.orchard.receives_any()[0].tag == "{urn:xmpp:carbons:2}received"
        stage.nothing_else()

    def test_row(self, stage: Stage) -> None:
        """The copy has the id of the sender's own row, so that clients find it in the archive again."""
        home = stage.server.node.sessions.at(Jid(f"{ROMEO}/home"))
        assert home is not None
        message = Stanza.build(
            "message", E("{jabber:client}body", "Ay me!"), to=Jid(JULIET), from_=home.jid, type="chat"
        )
        stage.server.wait(stage.server.node.hooks.notify(MessageSent(home, message, 9)))
        (got,) = stage.orchard.receives_any().iter("{urn:xmpp:sid:0}stanza-id")
        assert (got.get("by"), got.get("id")) == (ROMEO, "9")
        assert not message.added


class TestErrors:
    """Recommended Rules and Handling of Errors."""

    ERROR = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"

    def test_error_of_a_copied_message(self, stage: Stage) -> None:
        """It is copied to those who had the message."""
        stage.home.sends(f"<message to='{JULIET}/balcony' type='chat' id='m1'>{BODY}</message>")
        all_forget(stage.juliet, stage.orchard)
        stage.juliet.sends(f"<message to='{ROMEO}/home' type='error' id='m1'>{self.ERROR}</message>")
        stage.home.receives_error("gone", id="m1")
        copy = stage.orchard.receives_any()
        assert copy.get("type") == "error"
        assert copy[0].tag == "{urn:xmpp:carbons:2}received"
        stage.nothing_else()

    def test_error_of_anything_else(self, stage: Stage) -> None:
        """Who was not copied the message is not copied its error."""
        inner = f"{BODY}<private xmlns='urn:xmpp:carbons:2'/>"
        stage.home.sends(f"<message to='{JULIET}/balcony' type='chat' id='m1'>{inner}</message>")
        stage.juliet.forgets()
        for id in ("m1", "m2"):
            stage.juliet.sends(f"<message to='{ROMEO}/home' type='error' id='{id}'>{self.ERROR}</message>")
            stage.home.receives_error("gone", id=id)
        stage.nothing_else()

    def test_error_that_is_sent(self, stage: Stage) -> None:
        """What one resource answers to a message that all had, all hear of."""
        stage.juliet.sends(f"<message to='{ROMEO}/home' type='chat' id='m1'>{BODY}</message>")
        all_forget(stage.home, stage.orchard)
        stage.home.sends(f"<message to='{JULIET}/balcony' type='error' id='m1'>{self.ERROR}</message>")
        stage.juliet.receives_error("gone", id="m1")
        assert stage.orchard.receives_any()[0].tag == "{urn:xmpp:carbons:2}sent"
        stage.nothing_else()

    def test_copy_that_is_not_taken(self, stage: Stage) -> None:
        """What befalls a copy is nothing to the sender; the others get theirs."""
        hall = enabled(stage.server, f"{ROMEO}/hall")
        all_forget(stage.garden, stage.home, stage.orchard)
        stage.server.node.hooks.bind("refuser", Refuser("home"))
        stage.juliet.sends(f"<message to='{ROMEO}/garden' type='chat' id='m1'>{BODY}</message>")
        stage.garden.receives_any()
        for client in (stage.orchard, hall):
            assert client.receives_any()[0].tag == "{urn:xmpp:carbons:2}received"
        stage.nothing_else()


class Refuser:
    """Refuses what is for one resource."""

    def __init__(self, resource: str) -> None:
        self.resource = resource

    @on(Delivering, Phase.GUARD)
    async def refuse(self, event: Delivering) -> Verdict | None:
        if event.session.resource == self.resource:
            raise ServiceUnavailable()
        return None


def test_counted(stage: Stage) -> None:
    """Copies are counted by direction."""
    module = stage.server.node.loader.loaded["carbons"]
    assert isinstance(module, Carbons)
    stage.garden.sends(f"<message to='{JULIET}/balcony' type='chat'>{BODY}</message>")
    stage.juliet.sends(f"<message to='{ROMEO}/home' type='chat'>{BODY}</message>")
    assert dict(module.counters.copies) == {"sent": 2, "received": 1}


def test_rooms_messages_are_not_copied(stage: Stage) -> None:
    """Recommended Rules: groupchat comes to each client that is in the room."""
    stage.juliet.sends(f"<message to='{ROMEO}/home' type='groupchat'>{BODY}</message>")
    stage.home.receives_any()
    stage.nothing_else()


class TestKept:
    """With the log: copies say which row they are of."""

    @pytest.fixture
    def server(self) -> Server:
        return Server()

    def rows(self, stage: Stage, account: str) -> list[str]:
        """Return the ids of an account's archive."""
        return [str(row.id) for row in stage.server.wait(stage.server.log.page(Query(Jid(account))))]

    def ids(self, element: ET.Element) -> list[str | None]:
        """Return the ids that Romeo's account has given to a message, be it in a copy."""
        return [found.get("id") for found in element.iter(SID) if found.get("by") == ROMEO]

    def test_received(self, stage: Stage) -> None:
        """The recipient's row."""
        stage.juliet.sends(f"<message to='{ROMEO}/home' type='chat'>{BODY}</message>")
        message, copy = stage.home.receives_any(), stage.orchard.receives_any()
        assert self.ids(message) == self.ids(copy) == self.rows(stage, ROMEO)
        stage.nothing_else()

    def test_sent(self, stage: Stage) -> None:
        """The sender's own; who gets the message sees nothing of it."""
        stage.home.sends(f"<message to='{JULIET}/balcony' type='chat'>{BODY}</message>")
        copy = stage.orchard.receives_any()
        assert self.ids(copy) == self.rows(stage, ROMEO)
        assert len(list(copy.iter(SID))) == 1
        assert self.ids(stage.juliet.receives_any()) == []

    def test_not_before_the_commit(self, stage: Stage) -> None:
        """Nobody sees a copy of what may not be there tomorrow."""
        stage.server.log.hold()
        stage.home.sends(f"<message to='{JULIET}/balcony' type='chat'>{BODY}</message>")
        stage.nothing_else()
        stage.server.log.release()
        assert stage.juliet.receives_any()[0].text == "What man art thou?"
        assert stage.orchard.receives_any()[0].tag == "{urn:xmpp:carbons:2}sent"

    def test_nobody_is_reachable(self, server: Server) -> None:
        """A copy is no delivery: the row waits for a resource that may have it."""
        juliet, romeo = server.online(f"{JULIET}/balcony"), silent(server, f"{ROMEO}/home")
        juliet.sends(f"<message to='{ROMEO}' type='chat'>{BODY}</message>")
        assert romeo.receives_any()[0].tag == "{urn:xmpp:carbons:2}received"
        juliet.receives_nothing()
        orchard = server.connect(f"{ROMEO}/orchard")
        orchard.sends("<presence/>")
        server.run()
        assert [body.text for each in orchard.inbox for body in each.findall("{jabber:client}body")] == [
            "What man art thou?"
        ]
