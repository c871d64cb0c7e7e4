"""XEP-0133, 4.23 to 4.28: announcements, messages of the day, welcome messages."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.schema import Duration
from xmppd.core.accounts import Role
from xmppd.core.commands import Caller, CommandError, Done, Exit, Origin
from xmppd.core.events import Delivering
from xmppd.core.hooks import Phase, on
from xmppd.core.session import Session
from xmppd.modules.announcements import SLICE
from xmppd.protocol.errors import PolicyViolation
from xmppd.protocol.jid import Jid

ADMIN = "http://jabber.org/protocol/admin"
COMMANDS = "http://jabber.org/protocol/commands"
X = "{jabber:x:data}"
HOST = "shakespeare.example"
BILL = "bill@shakespeare.example"
SHUTDOWN = "Attention! This service will be going down for\nmaintenance in 2 minutes. Please log off now!"
GLOBE = "Don't forget: the grand re-opening of the\nGlobe Theatre will occur tomorrow night.\n\n--The Globe Staff"
WELCOME = "Welcome to Shakespeare.lit, your home for\ninstant messaging with a literary touch."


@pytest.fixture
def server(server: Server) -> Server:
    """A server whose clients need not answer pings while a test lets time pass."""
    server.node.config.limits.idle_ping = Duration("1d")
    return server


@pytest.fixture
def bard(server: Server) -> Client:
    """An administrator of shakespeare.example."""
    server.account("bard@shakespeare.example", Role.ADMIN)
    return server.connect("bard@shakespeare.example/globe")


def run(server: Server, words: str, **given: object) -> Any:
    """Run a command as xmppctl does."""
    found = server.node.registry.find(words.split())
    return server.wait(server.node.administration.run(Caller(Origin.SOCKET), found, given))


def is_told(client: Client, text: str, type: str | None = "headline", host: str = HOST) -> None:
    """Check that the next stanza is that message, addressed to the resource."""
    got = client.receives_any()
    assert (got.tag, got.get("type"), got.get("from"), got.get("to")) == (
        "{jabber:client}message",
        type,
        host,
        client.jid,
    )
    assert got.findtext("{jabber:client}body") == text


def messages(client: Client) -> list[str]:
    """Return the texts of the messages that came, and drop everything else."""
    client.server.run()
    found = [one.findtext("{jabber:client}body") or "" for one in client.inbox if one.tag.endswith("message")]
    client.inbox.clear()
    return found


def comes(server: Server, jid: str, presence: str = "<presence/>") -> Client:
    """Log in and become available."""
    client = server.connect(jid)
    client.sends(presence)
    return client


def execute(client: Client, node: str, text: str = "", session: str = "", to: str = HOST) -> ET.Element:
    """Run one stage of a command; return the `<command/>`."""
    values = "".join(f"<value>{line}</value>" for line in text.split("\n"))
    field = {"announce": "announcement", "set-welcome": "welcome"}.get(node, "motd")
    form = f"<x xmlns='jabber:x:data' type='submit'><field var='{field}'>{values}</field></x>" if text else ""
    extra = f" sessionid='{session}'" if session else " action='execute'"
    client.sends(
        f"<iq to='{to}' type='set' id='e'><command xmlns='{COMMANDS}' node='{ADMIN}#{node}'{extra}>{form}</command></iq>"
    )
    (got,) = [one for one in client.inbox if one.tag.endswith("iq")]
    client.inbox.remove(got)
    assert got.get("type") == "result", ET.tostring(got)
    return got[0]


def submits(client: Client, node: str, text: str) -> ET.Element:
    """Ask for the form of a command and submit it; return the form."""
    executing = execute(client, node)
    assert executing.get("status") == "executing"
    completed = execute(client, node, text, executing.get("sessionid", ""))
    assert completed.get("status") == "completed"
    (form,) = executing.findall(f"{X}x")
    return form


def proposed(form: ET.Element, var: str) -> str:
    """Return what stands in the field of several lines of a form."""
    (field,) = [field for field in form.findall(f"{X}field") if field.get("var") == var]
    assert field.get("type") == "text-multi"
    assert field.find(f"{X}required") is not None
    return "\n".join(value.text or "" for value in field.findall(f"{X}value"))


class TestAnnouncement:
    """Send Announcement to Online Users."""

    def test_announcement(self, server: Server, bard: Client) -> None:
        """It goes to all users of the host who have a session, and to nobody of another host."""
        globe, home = comes(server, f"{BILL}/globe"), server.connect(f"{BILL}/home")
        juliet = comes(server, "juliet@capulet.example/balcony")
        for client in (globe, home, juliet):
            client.forgets()
        form = submits(bard, "announce", SHUTDOWN)
        assert proposed(form, "announcement") == ""
        for client in (bard, globe, home):
            is_told(client, SHUTDOWN)
            client.receives_nothing()
        juliet.receives_nothing()

    def test_who_comes_later(self, server: Server) -> None:
        """Who has no session now is not told."""
        server.account(BILL)
        run(server, "announce online", text=SHUTDOWN)
        assert messages(comes(server, f"{BILL}/globe")) == []

    def test_all_hosts(self, server: Server) -> None:
        """On the command line an announcement goes to every host, from that host, and may have a subject."""
        bill, juliet = server.connect(f"{BILL}/globe"), server.connect("juliet@capulet.example/balcony")
        assert run(server, "announce online", text=SHUTDOWN, subject="Maintenance") == Done("sent to 2 sessions")
        for client, host in ((bill, HOST), (juliet, "capulet.example")):
            assert client.inbox[0].findtext("{jabber:client}subject") == "Maintenance"
            is_told(client, SHUTDOWN, host=host)

    def test_one_host(self, server: Server) -> None:
        """Or to one."""
        bill, juliet = server.connect(f"{BILL}/globe"), server.connect("juliet@capulet.example/balcony")
        assert run(server, "announce online", text=SHUTDOWN, host=HOST) == Done("sent to 1 sessions")
        is_told(bill, SHUTDOWN)
        juliet.receives_nothing()

    def test_many_sessions(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a large host a few sessions are told in each turn of the loop; others have theirs in between."""
        wires = [Wire() for _ in range(3 * SLICE + 1)]
        for number, wire in enumerate(wires):
            server.node.sessions.add(Session(Jid.parse(f"u{number}@{HOST}/globe"), wire))
        turns: list[int] = []
        soon = server.soon

        def counted(function: Any) -> None:
            turns.append(sum(len(wire.written) for wire in wires))
            soon(function)

        monkeypatch.setattr(server.node.clients, "soon", counted)
        assert run(server, "announce online", text=SHUTDOWN) == Done(f"sent to {3 * SLICE + 1} sessions")
        assert turns == [SLICE, 2 * SLICE, 3 * SLICE]
        assert {len(wire.written) for wire in wires} == {1}

    def test_session_that_takes_nothing(self, server: Server) -> None:
        """What keeps the announcement from one keeps it from nobody else, and is not counted."""
        one, two = server.connect(f"{BILL}/one"), server.connect(f"{BILL}/two")

        class Closed:
            @on(Delivering, Phase.GUARD)
            async def refuse(self, event: Delivering) -> None:
                if event.session.resource == "one":
                    raise PolicyViolation("not today")

        server.node.hooks.bind("closed", Closed())
        assert run(server, "announce online", text=SHUTDOWN) == Done("sent to 1 sessions")
        one.receives_nothing()
        is_told(two, SHUTDOWN)


class Wire:
    """The far end of a session that is only written to."""

    peer_address = "192.0.2.1"
    secure = True
    connected_at = 0.0
    acknowledges = False

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write_stanza(self, data: bytes, row: int = 0) -> bool:
        self.written.append(data)
        return True

    def close(self, error: object = None) -> None: ...


class TestMessageOfTheDay:
    """Set, Edit and Delete Message of the Day."""

    def test_once_for_each_account(self, server: Server, bard: Client) -> None:
        """It is delivered to any user who logs in, to one resource, once."""
        form = submits(bard, "set-motd", GLOBE)
        assert proposed(form, "motd") == ""
        globe = comes(server, f"{BILL}/globe")
        globe.receives_any()  # its own presence
        is_told(globe, GLOBE)
        assert messages(comes(server, f"{BILL}/home")) == []
        globe.disconnects()
        assert messages(comes(server, f"{BILL}/globe")) == []
        assert messages(comes(server, "will@shakespeare.example/globe")) == [GLOBE]

    def test_next_available(self, server: Server) -> None:
        """Who is online already sees it when they next become available, not when they change their presence."""
        bill = comes(server, f"{BILL}/globe")
        run(server, "motd set", text=GLOBE)
        bill.sends("<presence><show>away</show></presence>")
        assert messages(bill) == []
        bill.sends("<presence type='unavailable'/>")
        bill.sends("<presence/>")
        assert messages(bill) == [GLOBE]
        bill.sends("<presence type='unavailable'/>")
        bill.sends("<presence/>")
        assert messages(bill) == []

    def test_negative_priority(self, server: Server) -> None:
        """A resource that takes no messages of the account's does not see it in the user's place."""
        run(server, "motd set", text=GLOBE)
        bot = comes(server, f"{BILL}/bot", "<presence><priority>-1</priority></presence>")
        assert messages(bot) == []
        bot.sends("<presence><priority>1</priority></presence>")
        assert messages(bot) == [GLOBE]

    def test_of_its_host(self, server: Server, bard: Client) -> None:
        """Each host has its own."""
        submits(bard, "set-motd", GLOBE)
        assert messages(comes(server, "juliet@capulet.example/balcony")) == []

    def test_another_one(self, server: Server) -> None:
        """Another message is for everybody again."""
        run(server, "motd set", text="Good morrow")
        assert messages(comes(server, f"{BILL}/globe")) == ["Good morrow"]
        run(server, "motd set", text="Good night")
        assert messages(comes(server, f"{BILL}/home")) == ["Good night"]

    def test_edit(self, server: Server, bard: Client) -> None:
        """The form has the message that is set; nobody who has seen it is shown the correction."""
        run(server, "motd set", text=GLOBE.replace("Staff", "Stuff"))
        assert messages(comes(server, f"{BILL}/globe")) == [GLOBE.replace("Staff", "Stuff")]
        form = submits(bard, "edit-motd", GLOBE)
        assert proposed(form, "motd") == GLOBE.replace("Staff", "Stuff")
        assert messages(comes(server, f"{BILL}/home")) == []
        assert messages(comes(server, "will@shakespeare.example/globe")) == [GLOBE]

    def test_subject(self, server: Server, bard: Client) -> None:
        """It may have a subject, which the form that edits it proposes, and which goes with it."""
        run(server, "motd set", text=GLOBE, subject=" The\nGlobe ")
        bill = comes(server, f"{BILL}/globe")
        bill.receives_any()  # its own presence
        assert bill.inbox[0].findtext("{jabber:client}subject") == "The Globe"
        is_told(bill, GLOBE)
        (form,) = execute(bard, "edit-motd").findall(f"{X}x")
        fields = {field.get("var"): field for field in form.findall(f"{X}field")}
        assert fields["subject"].findtext(f"{X}value") == "The Globe"
        submits(bard, "edit-motd", GLOBE)
        will = comes(server, "will@shakespeare.example/globe")
        will.receives_any()
        assert will.inbox[0].find("{jabber:client}subject") is None

    def test_edit_what_is_not_set(self, server: Server, bard: Client) -> None:
        """Without a message the form is empty, and what is submitted is the message."""
        form = submits(bard, "edit-motd", GLOBE)
        assert proposed(form, "motd") == ""
        assert messages(comes(server, f"{BILL}/globe")) == [GLOBE]

    def test_delete(self, server: Server, bard: Client) -> None:
        """The service simply deletes the message; one that is set later is seen by all."""
        run(server, "motd set", text=GLOBE)
        assert messages(comes(server, f"{BILL}/globe")) == [GLOBE]
        assert execute(bard, "delete-motd").get("status") == "completed"
        assert messages(comes(server, "will@shakespeare.example/globe")) == []
        run(server, "motd set", text=GLOBE)
        assert messages(comes(server, f"{BILL}/home")) == [GLOBE]

    def test_nothing_to_delete(self, server: Server) -> None:
        """Deleting what is not there is done already."""
        run(server, "motd set", text=GLOBE, host=HOST)
        assert run(server, "motd delete") == Done(f"deleted for {HOST}")
        assert run(server, "motd delete") == Done("there was none")

    def test_show(self, server: Server) -> None:
        """On the command line it can be seen, of all hosts or of one."""
        run(server, "motd set", text=GLOBE, host=HOST)
        assert [HOST, "", GLOBE] in [list(row) for row in run(server, "motd show").rows]
        run(server, "motd edit", text=GLOBE, subject="The Globe", host=HOST)
        assert [HOST, "The Globe", GLOBE] in [list(row) for row in run(server, "motd show").rows]
        other = run(server, "motd show", host="capulet.example")
        assert [list(row) for row in other.rows] == [["capulet.example", "", ""]]

    def test_account_that_is_removed(self, server: Server) -> None:
        """Nothing is kept of an account that is gone: another one of its name sees the message."""
        run(server, "motd set", text=GLOBE)
        assert messages(comes(server, f"{BILL}/globe")) == [GLOBE]
        server.wait(server.node.accounts.delete(Jid.parse(BILL)))
        assert messages(comes(server, f"{BILL}/globe")) == [GLOBE]

    def test_guests(self) -> None:
        """A guest sees it, and nothing is kept of them."""
        server = Server(anonymous=True)
        run(server, "motd set", text=GLOBE, host=HOST)
        guest = server.connection()
        guest.opens(HOST)
        guest.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>")
        guest.receives_any()
        guest.opens(HOST)
        guest.binds("")
        for expected in ([GLOBE], []):
            guest.sends("<presence/>")
            assert messages(guest) == expected
            guest.sends("<presence type='unavailable'/>")
        with server.database.blocking() as connection:
            assert connection.exec_driver_sql("select count(*) from announcement_readers").scalar() == 0

    def test_other_nodes(self, server: Server) -> None:
        """What another node has set is seen within a minute, and logins do not ask the database for it each time."""
        assert messages(comes(server, f"{BILL}/globe")) == []
        with server.database.blocking() as connection:
            connection.exec_driver_sql(
                "insert into announcement_texts values ('shakespeare.example','motd','New',1,'')"
            )
        assert messages(comes(server, "will@shakespeare.example/one")) == []
        server.advance(61)
        assert messages(comes(server, f"{BILL}/home")) == ["New"]

    def test_changed_while_it_is_read(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was read before a change is not remembered behind it."""
        for account in (BILL, "will@shakespeare.example"):
            server.account(account)
        server.advance(61)
        module: Any = server.node.loader.loaded["announcements"]
        read = module._store.texts

        async def slow(host: str) -> Any:
            texts = await read(host)
            monkeypatch.undo()
            await module.set_motd(GLOBE)
            return texts

        monkeypatch.setattr(type(module._store), "texts", lambda _, host: slow(host))
        assert messages(comes(server, f"{BILL}/globe")) == []
        assert messages(comes(server, "will@shakespeare.example/globe")) == [GLOBE]


class TestWelcomeMessage:
    """Set and Delete Welcome Message."""

    def test_new_account(self, server: Server, bard: Client) -> None:
        """Users who registered newly see it when they first log in, before the message of the day."""
        server.account("will@shakespeare.example")
        assert proposed(submits(bard, "set-welcome", WELCOME), "welcome") == ""
        run(server, "motd set", text=GLOBE)
        bill = comes(server, f"{BILL}/globe")
        bill.receives_any()
        is_told(bill, WELCOME, type=None)
        is_told(bill, GLOBE)
        assert messages(comes(server, f"{BILL}/home")) == []
        assert messages(comes(server, "will@shakespeare.example/globe")) == [GLOBE], "will is no newcomer"

    def test_in_band_registration(self) -> None:
        """It does not matter how the account came to be."""
        server = Server(modules={"register": {"enabled": True}})
        run(server, "welcome set", text=WELCOME)
        client = server.connection()
        client.opens(HOST)
        client.sends(
            "<iq type='set' id='reg2'><query xmlns='jabber:iq:register'><username>bill</username>"
            "<password>Calliope1</password></query></iq>"
        )
        client.receives("<iq type='result' id='reg2'/>")
        client.authenticates("bill", "Calliope1")
        client.opens(HOST)
        client.binds("globe")
        client.sends("<presence/>")
        assert messages(client) == [WELCOME]

    def test_current_message(self, server: Server, bard: Client) -> None:
        """The form has the message that is set already."""
        run(server, "welcome set", text=WELCOME)
        assert proposed(submits(bard, "set-welcome", "Hail"), "welcome") == WELCOME
        assert [list(row) for row in run(server, "welcome show", host=HOST).rows] == [[HOST, "Hail"]]

    def test_delete(self, server: Server, bard: Client) -> None:
        """The service simply deletes it; who has not come yet is not welcomed any more."""
        run(server, "welcome set", text=WELCOME)
        server.account(BILL)
        assert execute(bard, "delete-welcome").get("status") == "completed"
        assert messages(comes(server, f"{BILL}/globe")) == []
        assert run(server, "welcome delete", host=HOST) == Done("there was none")

    def test_new_account_without_a_welcome(self, server: Server) -> None:
        """Who registered while there was none is not welcomed later."""
        server.account(BILL)
        run(server, "welcome set", text=WELCOME)
        assert messages(comes(server, f"{BILL}/globe")) == []


class TestAddresses:
    """The addresses that administrators have always sent messages to."""

    def sends(self, client: Client, resource: str, body: str = "", subject: str = "", type: str = "normal") -> None:
        inner = f"<subject>{subject}</subject>" * bool(subject) + f"<body>{body}</body>" * bool(body)
        client.sends(f"<message id='m' type='{type}' to='{HOST}/{resource}'>{inner}</message>")

    def test_online(self, server: Server, bard: Client) -> None:
        """HOST/announce/online is an announcement; the subject goes with it."""
        bill, juliet = server.connect(f"{BILL}/globe"), server.connect("juliet@capulet.example/balcony")
        self.sends(bard, "announce/online", SHUTDOWN, "Maintenance")
        for client in (bard, bill):
            assert client.inbox[0].findtext("{jabber:client}subject") == "Maintenance"
            is_told(client, SHUTDOWN)
        juliet.receives_nothing()
        bard.receives_nothing()

    def test_message_of_the_day(self, server: Server, bard: Client) -> None:
        """HOST/announce/motd sets the message of the day, .../update edits it, .../delete deletes it."""
        self.sends(bard, "announce/motd", "Good morrow")
        assert messages(comes(server, f"{BILL}/globe")) == ["Good morrow"]
        self.sends(bard, "announce/motd/update", "Good night")
        assert messages(comes(server, f"{BILL}/home")) == []
        assert messages(comes(server, "will@shakespeare.example/globe")) == ["Good night"]
        self.sends(bard, "announce/motd/delete")
        assert messages(comes(server, "kit@shakespeare.example/globe")) == []
        bard.receives_nothing()

    @pytest.mark.parametrize("resource", ["announce/motd", "announce/motd/update"])
    def test_subject_of_the_message_of_the_day(self, server: Server, bard: Client, resource: str) -> None:
        """The subject goes with it, too."""
        self.sends(bard, resource, GLOBE, "The Globe")
        bill = comes(server, f"{BILL}/globe")
        bill.receives_any()  # its own presence
        assert bill.inbox[0].findtext("{jabber:client}subject") == "The Globe"
        is_told(bill, GLOBE)

    @pytest.mark.parametrize("resource", ["online", "motd", "motd/update", "motd/delete"])
    def test_others_are_refused(self, server: Server, bard: Client, resource: str) -> None:
        """Security Considerations: neither users nor administrators of other hosts may do this."""
        server.account("duke@capulet.example", Role.ADMIN)
        for jid in (f"{BILL}/globe", "duke@capulet.example/palace"):
            client = server.connect(jid)
            self.sends(client, f"announce/{resource}", "Hail")
            client.receives_error("forbidden", id="m")
        bard.receives_nothing()

    def test_nothing_to_tell(self, bard: Client) -> None:
        """A message without a body says nothing."""
        self.sends(bard, "announce/online")
        bard.receives_error("bad-request", id="m")

    def test_what_cannot_be_done(self, bard: Client, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
        """What keeps a command from being done is told."""

        async def unavailable(*_: Any, **__: Any) -> None:
            raise CommandError("the database does not answer")

        monkeypatch.setattr(server.node.administration, "run", unavailable)
        self.sends(bard, "announce/motd", "Hail")
        bard.receives_error("not-acceptable", id="m")

    @pytest.mark.parametrize("resource", ["announce", "announce/all", "globe"])
    def test_other_addresses(self, bard: Client, resource: str) -> None:
        """A host has no other resources of this kind."""
        self.sends(bard, resource, "Hail")
        bard.receives_error("service-unavailable", id="m")

    def test_errors_are_not_announced(self, server: Server, bard: Client) -> None:
        """An error that comes back from somewhere is nothing to tell."""
        self.sends(bard, "announce/online", "Hail", type="error")
        bard.receives_nothing()


class TestTexts:
    """What can be told."""

    @pytest.mark.parametrize("text", ["", " \n\n", "a\0b", "\ufffe", "x" * 10_001])
    @pytest.mark.parametrize("words", ["announce online", "motd set", "motd edit", "welcome set"])
    def test_refused(self, server: Server, words: str, text: str) -> None:
        """Nothing, too much, and what XML does not allow."""
        with pytest.raises(CommandError) as caught:
            run(server, words, text=text)
        assert caught.value.code is Exit.USAGE

    def test_length_is_configured(self) -> None:
        """How long a text may be is the administrator's choice."""
        server = Server(modules={"announcements": {"length": 100}})
        run(server, "motd set", text="x" * 100)
        with pytest.raises(CommandError, match="100 characters"):
            run(server, "motd set", text="x" * 101)

    def test_lines(self, server: Server) -> None:
        """A file's line ends are those of XML, and what is blank at its end is left out."""
        run(server, "motd set", text="one\r\ntwo\r\n\r\n", host=HOST)
        assert run(server, "motd show", host=HOST).rows[0][2] == "one\ntwo"

    @pytest.mark.parametrize("words", ["announce online", "motd set", "motd show", "motd delete", "welcome set"])
    def test_unknown_host(self, server: Server, words: str) -> None:
        """A host that is not served here has no users to tell."""
        given = {} if words.endswith(("show", "delete")) else {"text": "Hail"}
        with pytest.raises(CommandError) as caught:
            run(server, words, host="verona.example", **given)
        assert caught.value.code is Exit.UNKNOWN
