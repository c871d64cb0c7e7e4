"""XEP-0050: Ad-Hoc Commands, and XEP-0133: Service Administration."""

from enum import Enum
from typing import Annotated
from xml.etree import ElementTree as ET

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.schema import Duration
from xmppd.core.accounts import Role
from xmppd.core.commands import (
    Caller,
    CommandError,
    Document,
    Done,
    Exit,
    Fields,
    Origin,
    Row,
    Table,
    argument,
    command,
)
from xmppd.core.hooks import collect
from xmppd.modules.adhoc.api import CommandForm
from xmppd.protocol.jid import Jid

ADMIN = "http://jabber.org/protocol/admin"
COMMANDS = "http://jabber.org/protocol/commands"
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
X = "{jabber:x:data}"
C = f"{{{COMMANDS}}}"
BARD = "bard@shakespeare.example/globe"


class Mode(Enum):
    ON = "on"
    OFF = "off"


class Nouns:
    """Commands of the kinds that a server has."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []

    @command("service add", adhoc=f"{ADMIN}#add-thing", scoped=True)
    async def add(
        self, caller: Caller, jid: Annotated[Jid, argument("The thing", field="accountjid")], mode: Mode = Mode.ON
    ) -> Done:
        """Add a Thing.

        What a thing is.
        """
        self.callers.append(caller)
        errors = {
            "taken": CommandError("it exists", "choose another name"),
            "nobody": CommandError("there is no such account", code=Exit.UNKNOWN),
            "broken": CommandError("that did not work", code=Exit.INTERNAL),
        }
        if jid.localpart in errors:
            raise errors[jid.localpart]
        return Done(f"{jid} was added, {mode.value}")

    @command("service set-motto", adhoc=f"{ADMIN}#set-motto", scoped=True)
    async def set_motto(
        self, text: Annotated[Document, argument("Motto", field="motto")], host: str | None = None
    ) -> Done:
        """Set the motto of a host."""
        return Done(f"{host}: {text}")

    @command("service count", adhoc=f"{ADMIN}#get-things-num", scoped=True)
    async def count(self, host: str | None = None) -> Fields:
        """Count the things of a host."""
        return Fields({"things": len(host or "")}, form={"things": "thingsnum"})

    @command("service list", scoped=True)
    async def list_all(self, limit: int = 100, host: str | None = None) -> Table:
        """List things."""
        return Table(("thing", "host"), [["globe", host], ["rose", host]][:limit])

    @command("service restart", adhoc=f"{ADMIN}#restart-things")
    async def restart(self) -> None:
        """Restart all things."""

    @command("service follow")
    async def follow(self):  # type: ignore[no-untyped-def]
        """Follow things."""
        yield Row


@pytest.fixture
def nouns(server: Server) -> Nouns:
    found = Nouns()
    server.node.registry.register("test", found)
    return found


@pytest.fixture
def bard(server: Server, nouns: Nouns) -> Client:
    """An administrator of shakespeare.example."""
    server.account("bard@shakespeare.example", Role.ADMIN)
    return server.connect(BARD)


@pytest.fixture
def prince(server: Server, nouns: Nouns) -> Client:
    """An administrator of every host."""
    prince = server.account("prince@montague.example", Role.ADMIN)
    for host in server.node.hosts.all():
        host.admins = frozenset({prince})
    return server.connect("prince@montague.example/palace")


def execute(client: Client, node: str, inner: str = "", to: str = "shakespeare.example", **attributes: str) -> None:
    extra = "".join(f" {key}='{value}'" for key, value in attributes.items())
    client.sends(
        f"<iq to='{to}' type='set' id='exec1'><command xmlns='{COMMANDS}' node='{node}'{extra}>{inner}</command></iq>"
    )


def submit(form_type: str = "submit", **values: str) -> str:
    fields = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in values.items())
    return (
        f"<x xmlns='jabber:x:data' type='{form_type}'><field var='FORM_TYPE' type='hidden'><value>{ADMIN}</value>"
        f"</field>{fields}</x>"
    )


def answer(client: Client, status: str) -> ET.Element:
    """Return the `<command/>` of the next result."""
    got = client.receives_any()
    assert (got.get("type"), got.get("id")) == ("result", "exec1"), ET.tostring(got)
    (found,) = got
    assert (found.tag, found.get("status")) == (f"{C}command", status)
    assert found.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    return found


def begun(client: Client, node: str = f"{ADMIN}#add-thing") -> str:
    """Begin a command that asks with a form; return the session's id."""
    execute(client, node, action="execute")
    return answer(client, "executing").get("sessionid", "")


def refused(client: Client, condition: str, specific: str = "", type: str = "") -> None:
    error = client.receives_error(condition, type=type or None, id="exec1")
    assert [child.tag for child in error.iter() if child.tag.startswith(C)] == ([f"{C}{specific}"] if specific else [])


def listed(client: Client, to: str = "shakespeare.example") -> list[str]:
    client.sends(f"<iq to='{to}' type='get' id='l'><query xmlns='{ITEMS}' node='{COMMANDS}'/></iq>")
    (query,) = client.receives_any()
    assert {item.get("jid") for item in query} <= {to}
    return [item.get("node", "") for item in query]


class TestDiscovery:
    """Discovering Support, Retrieving the Command List."""

    def test_support(self, bard: Client) -> None:
        """A host says that it takes commands; data forms are implicit (XEP-0004, Service Discovery)."""
        bard.sends(f"<iq to='shakespeare.example' type='get' id='i'><query xmlns='{INFO}'/></iq>")
        told = {feature.get("var") for feature in bard.receives_any().iter(f"{{{INFO}}}feature")}
        assert COMMANDS in told
        assert "jabber:x:data" not in told

    def test_list(self, bard: Client) -> None:
        """An administrator of a host sees the commands that know hosts, each with its label."""
        nodes = listed(bard)
        assert {f"{ADMIN}#add-thing", f"{ADMIN}#set-motto", f"{ADMIN}#get-things-num", "xmppd/service-list"} <= set(
            nodes
        )
        assert f"{ADMIN}#restart-things" not in nodes
        assert "xmppd/service-follow" not in nodes, "a command that goes on for ever is none of XEP-0050"

    def test_list_of_an_administrator_of_all_hosts(self, prince: Client) -> None:
        """Who administers everything sees everything."""
        assert f"{ADMIN}#restart-things" in listed(prince)

    def test_list_at_another_host(self, bard: Client) -> None:
        """An administrator of another host has nothing to do here."""
        assert listed(bard, "capulet.example") == []

    def test_list_for_others(self, server: Server, nouns: Nouns) -> None:
        """The same list need not be sent to all: most get an empty one."""
        assert listed(server.connect("juliet@capulet.example/balcony")) == []

    def test_the_list_itself(self, bard: Client) -> None:
        """The fixed node is a list of commands, which can be asked for items."""
        bard.sends(f"<iq to='shakespeare.example' type='get' id='i'><query xmlns='{INFO}' node='{COMMANDS}'/></iq>")
        bard.receives(
            f"<iq from='shakespeare.example' to='{BARD}' type='result' id='i'><query xmlns='{INFO}' node='{COMMANDS}'>"
            f"<identity category='automation' type='command-list'/><feature var='{INFO}'/><feature var='{ITEMS}'/>"
            "</query></iq>"
        )

    def test_command_information(self, bard: Client) -> None:
        """A command node has its label, and works with data forms."""
        node = f"{ADMIN}#add-thing"
        bard.sends(f"<iq to='shakespeare.example' type='get' id='i'><query xmlns='{INFO}' node='{node}'/></iq>")
        bard.receives(
            f"<iq from='shakespeare.example' to='{BARD}' type='result' id='i'><query xmlns='{INFO}' node='{node}'>"
            "<identity category='automation' type='command-node' name='Add a Thing'/>"
            f"<feature var='{COMMANDS}'/><feature var='jabber:x:data'/></query></iq>"
        )

    @pytest.mark.parametrize("node", [f"{ADMIN}#add-thing", f"{ADMIN}#restart-things"])
    def test_command_that_is_not_available(self, bard: Client, server: Server, node: str) -> None:
        """If the command is not available to the requester, the answer is Forbidden."""
        juliet = server.connect("juliet@capulet.example/balcony")
        client = juliet if node.endswith("add-thing") else bard
        client.sends(f"<iq to='shakespeare.example' type='get' id='i'><query xmlns='{INFO}' node='{node}'/></iq>")
        client.receives_error("forbidden", id="i")

    @pytest.mark.parametrize(
        ("to", "node"), [("shakespeare.example", "nothing"), ("bard@shakespeare.example", COMMANDS)]
    )
    def test_other_nodes(self, bard: Client, to: str, node: str) -> None:
        """Neither does the host have other nodes, nor an account commands."""
        for namespace in (INFO, ITEMS):
            bard.sends(f"<iq to='{to}' type='get' id='i'><query xmlns='{namespace}' node='{node}'/></iq>")
            bard.receives_error("item-not-found", id="i")


class TestExecution:
    """Executing Commands."""

    def test_simple_execution(self, bard: Client) -> None:
        """A command that asks nothing is completed at once; XEP-0133, Get Number of ...: it is about the host asked."""
        execute(bard, f"{ADMIN}#get-things-num", action="execute")
        completed = answer(bard, "completed")
        assert completed.get("node") == f"{ADMIN}#get-things-num"
        assert completed.get("sessionid")
        form = completed.find(f"{X}x")
        assert form is not None
        assert form.get("type") == "result"
        values = {field.get("var"): field.findtext(f"{X}value") for field in form.findall(f"{X}field")}
        assert values == {"FORM_TYPE": ADMIN, "thingsnum": str(len("shakespeare.example"))}

    def test_action_is_implied(self, bard: Client) -> None:
        """The action of a request that names none is to execute; a status that it names is ignored."""
        execute(bard, f"{ADMIN}#get-things-num", status="completed")
        answer(bard, "completed")

    def test_nothing_to_tell(self, prince: Client) -> None:
        """A command without a result says that it was done."""
        execute(prince, f"{ADMIN}#restart-things")
        note = answer(prince, "completed").find(f"{C}note")
        assert note is not None
        assert (note.get("type"), bool(note.text)) == ("info", True)

    def test_table(self, bard: Client) -> None:
        """Available Services: a table is reported, item by item."""
        session = begun(bard, "xmppd/service-list")
        execute(bard, "xmppd/service-list", submit(limit="1"), sessionid=session, action="complete")
        completed = answer(bard, "completed")
        cells = [value.text for value in completed.findall(f".//{X}item/{X}field/{X}value")]
        assert cells == ["globe", "shakespeare.example"]

    def test_form(self, bard: Client) -> None:
        """Multiple Stages: the form with the fields that the specification names, and what may be done with it."""
        execute(bard, f"{ADMIN}#add-thing", action="execute")
        executing = answer(bard, "executing")
        (actions,) = executing.findall(f"{C}actions")
        assert (actions.get("execute"), [one.tag for one in actions]) == ("complete", [f"{C}complete"])
        (form,) = executing.findall(f"{X}x")
        assert form.get("type") == "form"
        assert form.findtext(f"{X}title") == "Add a Thing"
        assert form.findtext(f"{X}instructions") == "What a thing is."
        fields = [(field.get("var"), field.get("type")) for field in form.findall(f"{X}field")]
        assert fields == [("FORM_TYPE", "hidden"), ("accountjid", "jid-single"), ("mode", "list-single")]

    @pytest.mark.parametrize("action", ["", "execute", "complete"])
    @pytest.mark.parametrize("form_type", ["submit", "cancel"])
    def test_submission(self, bard: Client, nouns: Nouns, action: str, form_type: str) -> None:
        """The requester submits the form; Use of Data Forms: the session decides what it means, not the form."""
        session = begun(bard)
        attributes = {"action": action} if action else {}
        form = submit(form_type, accountjid="will@shakespeare.example", mode="off")
        execute(bard, f"{ADMIN}#add-thing", form, sessionid=session, **attributes)
        completed = answer(bard, "completed")
        assert completed.get("sessionid") == session
        assert completed.findtext(f"{C}note") == "will@shakespeare.example was added, off"
        assert nouns.callers == [Caller(Origin.ADHOC, Jid.parse("bard@shakespeare.example"))]

    def test_lines(self, bard: Client) -> None:
        """XEP-0133, Set Message of the Day: several lines are one text, about the host that was asked."""
        session = begun(bard, f"{ADMIN}#set-motto")
        lines = (
            "<x xmlns='jabber:x:data' type='submit'><field var='motto'><value>All the world</value>"
            "<value>is a stage</value></field></x>"
        )
        execute(bard, f"{ADMIN}#set-motto", lines, sessionid=session)
        assert answer(bard, "completed").findtext(f"{C}note") == "shakespeare.example: All the world\nis a stage"

    def test_current_values(self, server: Server, bard: Client) -> None:
        """XEP-0133, Edit Message of the Day: the form includes what is set already, if somebody knows."""

        class Mottos:
            @collect(CommandForm)
            async def propose(self, event: CommandForm) -> None:
                if event.command.node == f"{ADMIN}#set-motto":
                    event.values["motto"] = f"The motto\nof {event.target}"

        server.node.hooks.bind("mottos", Mottos())
        execute(bard, f"{ADMIN}#set-motto")
        (form,) = answer(bard, "executing").findall(f"{X}x")
        (field,) = [field for field in form.findall(f"{X}field") if field.get("var") == "motto"]
        assert field.get("type") == "text-multi"
        assert [value.text for value in field.findall(f"{X}value")] == ["The motto", "of shakespeare.example"]

    def test_cancel(self, bard: Client) -> None:
        """Canceling: the requester gives up, and the session is over."""
        session = begun(bard)
        execute(bard, f"{ADMIN}#add-thing", action="cancel", sessionid=session)
        canceled = answer(bard, "canceled")
        assert (canceled.get("sessionid"), len(canceled)) == (session, 0)
        execute(bard, f"{ADMIN}#add-thing", submit(accountjid="a@shakespeare.example"), sessionid=session)
        refused(bard, "not-allowed", "session-expired", "cancel")

    def test_two_sessions(self, bard: Client) -> None:
        """Session Lifetime: one requester may have more than one session of the same command."""
        one, two = begun(bard), begun(bard)
        assert one != two
        for session in (two, one):
            execute(bard, f"{ADMIN}#add-thing", submit(accountjid="a@shakespeare.example"), sessionid=session)
            answer(bard, "completed")


TWO_VALUES = (
    "<x xmlns='jabber:x:data' type='submit'><field var='accountjid'><value>a@shakespeare.example</value>"
    "<value>b@shakespeare.example</value></field></x>"
)


class TestPossibleErrors:
    """Possible Errors: the general condition, its type, and the specific one."""

    @pytest.mark.parametrize(
        ("attributes", "specific"),
        [
            ({"action": "fly"}, "malformed-action"),
            ({"action": "prev"}, "bad-action"),
            ({"action": "next"}, "bad-action"),
            ({"action": "cancel"}, "bad-action"),
            ({"sessionid": "unknown"}, "bad-sessionid"),
            ({"sessionid": ""}, "bad-sessionid"),
        ],
    )
    def test_at_the_beginning(self, bard: Client, attributes: dict[str, str], specific: str) -> None:
        """What cannot begin a session."""
        execute(bard, f"{ADMIN}#add-thing", **attributes)
        refused(bard, "bad-request", specific, "modify")

    @pytest.mark.parametrize("action", ["prev", "next"])
    def test_actions_that_were_not_offered(self, bard: Client, action: str) -> None:
        """The one stage has neither a previous nor a next one; the session goes on."""
        session = begun(bard)
        execute(bard, f"{ADMIN}#add-thing", action=action, sessionid=session)
        refused(bard, "bad-request", "bad-action", "modify")
        execute(bard, f"{ADMIN}#add-thing", submit(accountjid="a@shakespeare.example"), sessionid=session)
        answer(bard, "completed")

    @pytest.mark.parametrize(
        "payload",
        [
            "",
            submit(),
            submit(accountjid=""),
            submit(accountjid="@"),
            submit(accountjid="a@shakespeare.example", mode="loud"),
            TWO_VALUES,
            submit("form", accountjid="a@shakespeare.example"),
            "<x xmlns='jabber:x:data'/>",
        ],
    )
    def test_bad_payload(self, bard: Client, payload: str) -> None:
        """A form that is missing, or does not do, is refused, and may be corrected."""
        session = begun(bard)
        execute(bard, f"{ADMIN}#add-thing", payload, sessionid=session)
        refused(bard, "bad-request", "bad-payload", "modify")
        execute(bard, f"{ADMIN}#add-thing", submit(accountjid="a@shakespeare.example"), sessionid=session)
        answer(bard, "completed")

    @pytest.mark.parametrize(
        ("localpart", "condition", "text"),
        [
            ("taken", "conflict", "it exists; choose another name"),
            ("nobody", "item-not-found", "there is no such account"),
            ("broken", "internal-server-error", "that did not work"),
        ],
    )
    def test_command_that_fails(self, bard: Client, localpart: str, condition: str, text: str) -> None:
        """XEP-0133, Error Handling: what kept the command from being done, with the remedy if there is one."""
        session = begun(bard)
        execute(bard, f"{ADMIN}#add-thing", submit(accountjid=f"{localpart}@shakespeare.example"), sessionid=session)
        error = bard.receives_error(condition, type="cancel", id="exec1")
        assert error.findtext(".//{urn:ietf:params:xml:ns:xmpp-stanzas}text") == text

    @pytest.mark.parametrize(
        ("node", "condition"), [("nothing", "item-not-found"), (f"{ADMIN}#edit-blacklist", "feature-not-implemented")]
    )
    def test_unknown_command(self, bard: Client, node: str, condition: str) -> None:
        """There is no such node; of those that XEP-0133 defines it is said that they are not supported."""
        execute(bard, node)
        refused(bard, condition, type="cancel")

    def test_no_node(self, bard: Client) -> None:
        """The node must be present."""
        bard.sends(f"<iq to='shakespeare.example' type='set' id='exec1'><command xmlns='{COMMANDS}'/></iq>")
        refused(bard, "bad-request", type="modify")

    def test_session_that_timed_out(self, bard: Client, server: Server) -> None:
        """A session that was left alone for long is over."""
        session = begun(bard)
        server.node.config.limits.idle_ping = Duration("1d")
        server.advance(minutes=11)
        execute(bard, f"{ADMIN}#add-thing", submit(accountjid="a@shakespeare.example"), sessionid=session)
        refused(bard, "not-allowed", "session-expired", "cancel")

    def test_strangers(self, bard: Client, server: Server) -> None:
        """Others may neither begin a command nor go on with somebody's session."""
        session = begun(bard)
        juliet = server.connect("juliet@capulet.example/balcony")
        for attributes in ({}, {"sessionid": session}):
            execute(juliet, f"{ADMIN}#add-thing", submit(accountjid="a@shakespeare.example"), **attributes)
            refused(juliet, "forbidden", type="cancel")
        home = server.connect("bard@shakespeare.example/home")
        execute(home, f"{ADMIN}#add-thing", submit(accountjid="a@shakespeare.example"), sessionid=session)
        refused(home, "bad-request", "bad-sessionid")

    def test_an_administrator_of_one_host(self, bard: Client) -> None:
        """Security Considerations: an administrator of one host reaches that host alone."""
        session = begun(bard)
        execute(bard, f"{ADMIN}#add-thing", submit(accountjid="juliet@capulet.example"), sessionid=session)
        refused(bard, "forbidden", type="cancel")
        execute(bard, f"{ADMIN}#get-things-num", to="capulet.example")
        refused(bard, "forbidden", type="cancel")
        execute(bard, f"{ADMIN}#restart-things")
        refused(bard, "forbidden", type="cancel")

    def test_an_administrator_no_more(self, bard: Client, server: Server) -> None:
        """Rights are looked at in each stage."""
        session = begun(bard)
        server.wait(server.node.accounts.set_role(Jid.parse("bard@shakespeare.example"), Role.USER))
        execute(bard, f"{ADMIN}#add-thing", submit(accountjid="a@shakespeare.example"), sessionid=session)
        refused(bard, "forbidden", type="cancel")

    def test_command_that_is_gone(self, bard: Client, server: Server) -> None:
        """A command whose module is unloaded meanwhile is not run any more."""
        session = begun(bard, "xmppd/service-list")
        server.node.registry.unregister("test")
        execute(bard, "xmppd/service-list", submit(), sessionid=session)
        refused(bard, "item-not-found", type="cancel")

    def test_get(self, bard: Client) -> None:
        """A command is a set."""
        bard.sends(f"<iq to='shakespeare.example' type='get' id='exec1'><command xmlns='{COMMANDS}' node='x'/></iq>")
        refused(bard, "feature-not-implemented")
