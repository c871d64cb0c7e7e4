"""XEP-0050: Ad-Hoc Commands, and XEP-0133: Service Administration."""

from typing import Annotated
from xml.etree import ElementTree as ET

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.config.schema import Duration
from xmppd.core.accounts import Role
from xmppd.core.commands import CommandError, Done, Exit, Table, argument, command
from xmppd.protocol.jid import Jid

ADMIN = "http://jabber.org/protocol/admin"
X = "{jabber:x:data}"
C = "{http://jabber.org/protocol/commands}"


class Nouns:
    """Two commands of the kind that the server has."""

    @command("account add", adhoc=f"{ADMIN}#add-user", scoped=True)
    async def add(self, jid: Annotated[Jid, argument("The account", field="accountjid")], note: str = "") -> Done:
        """Add a User."""
        if jid.localpart == "taken":
            raise CommandError("it exists", code=Exit.FAILED)
        return Done(f"{jid} was added{note}")

    @command("account list", scoped=True)
    async def list_all(self, host: str | None = None) -> Table:
        """List accounts."""
        return Table(("jid",), [["a@capulet.example"]])

    @command("hooks")
    async def hooks(self) -> Table:
        """Show hooks."""
        return Table(("name",), [])


@pytest.fixture
def admin(server: Server) -> Client:
    """An administrator of capulet.example, at a server with a few commands."""
    server.node.registry.register("test", Nouns())
    server.account("bard@shakespeare.example", Role.ADMIN)
    return server.connect("bard@shakespeare.example/globe")


def execute(client: Client, node: str, inner: str = "", **attributes: str) -> None:
    extra = "".join(f" {key}='{value}'" for key, value in attributes.items())
    client.sends(
        f"<iq to='shakespeare.example' type='set' id='c1'>"
        f"<command xmlns='http://jabber.org/protocol/commands' node='{node}'{extra}>{inner}</command></iq>"
    )


def submit(**values: str) -> str:
    fields = "".join(f"<field var='{name}'><value>{value}</value></field>" for name, value in values.items())
    return (
        f"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>{ADMIN}</value></field>{fields}</x>"
    )


def begun(client: Client, node: str = f"{ADMIN}#add-user") -> tuple[str, ET.Element]:
    execute(client, node, action="execute")
    answer = client.receives_any()[0]
    assert answer.get("status") == "executing"
    return answer.get("sessionid", ""), answer


def test_list(admin: Client, server: Server) -> None:
    """Retrieving the Command List: an administrator sees the commands, others an empty list."""
    ask = (
        "<iq to='shakespeare.example' type='get' id='l'><query xmlns='http://jabber.org/protocol/disco#items'"
        " node='http://jabber.org/protocol/commands'/></iq>"
    )
    admin.sends(ask)
    nodes = [item.get("node") for item in admin.receives_any()[0]]
    assert f"{ADMIN}#add-user" in nodes
    juliet = server.connect("juliet@capulet.example/balcony")
    juliet.sends(ask)
    assert len(juliet.receives_any()[0]) == 0


def test_information(admin: Client) -> None:
    """Retrieving Command Information: what a command node is."""
    admin.sends(
        "<iq to='shakespeare.example' type='get' id='i'><query xmlns='http://jabber.org/protocol/disco#info'"
        f" node='{ADMIN}#add-user'/></iq>"
    )
    admin.receives(
        "<iq from='shakespeare.example' to='bard@shakespeare.example/globe' type='result' id='i'>"
        f"<query xmlns='http://jabber.org/protocol/disco#info' node='{ADMIN}#add-user'>"
        "<identity category='automation' type='command-node' name='Add a User'/>"
        "<feature var='http://jabber.org/protocol/commands'/><feature var='jabber:x:data'/></query></iq>"
    )


def test_add_user(admin: Client) -> None:
    """XEP-0133, Add User: a form with the field that the specification names, then the result."""
    session, answer = begun(admin)
    form = answer.find(f"{X}x")
    assert form is not None
    assert [field.get("var") for field in form.findall(f"{X}field")] == ["FORM_TYPE", "accountjid", "note"]
    actions = answer.find(f"{C}actions")
    assert actions is not None
    assert actions.get("execute") == "complete"
    execute(admin, f"{ADMIN}#add-user", submit(accountjid="will@shakespeare.example"), sessionid=session)
    done = admin.receives_any()[0]
    assert done.get("status") == "completed"
    assert done.findtext(f"{C}note") == "will@shakespeare.example was added"


def test_cancel(admin: Client) -> None:
    """Executing: the requester gives up, and the session is over."""
    session, _ = begun(admin)
    execute(admin, f"{ADMIN}#add-user", action="cancel", sessionid=session)
    assert admin.receives_any()[0].get("status") == "canceled"
    execute(admin, f"{ADMIN}#add-user", submit(accountjid="a@shakespeare.example"), sessionid=session)
    admin.receives_error("bad-request")


def test_mistakes_can_be_corrected(admin: Client) -> None:
    """A form that does not do is refused, and may be sent again."""
    session, _ = begun(admin)
    execute(admin, f"{ADMIN}#add-user", sessionid=session)
    error = admin.receives_error("bad-request")
    assert error.find(f".//{C}bad-payload") is not None
    execute(admin, f"{ADMIN}#add-user", submit(accountjid="@"), sessionid=session)
    admin.receives_error("not-acceptable")
    execute(admin, f"{ADMIN}#add-user", submit(accountjid="taken@shakespeare.example"), sessionid=session)
    admin.receives_error("not-acceptable")
    execute(admin, f"{ADMIN}#add-user", submit(accountjid="a@shakespeare.example"), sessionid=session)
    assert admin.receives_any()[0].get("status") == "completed"


@pytest.mark.parametrize(
    ("attributes", "condition", "specific"),
    [
        ({"action": "fly"}, "bad-request", "malformed-action"),
        ({"action": "prev"}, "bad-request", "bad-action"),
        ({"action": "next"}, "bad-request", "bad-action"),
        ({"sessionid": "unknown"}, "bad-request", "bad-sessionid"),
    ],
)
def test_possible_errors(admin: Client, attributes: dict[str, str], condition: str, specific: str) -> None:
    """Possible Errors: the specific condition beside the general one."""
    execute(admin, f"{ADMIN}#add-user", **attributes)
    assert admin.receives_error(condition).find(f".//{C}{specific}") is not None


def test_session_expires(admin: Client, server: Server) -> None:
    """Possible Errors: a session that was left alone for long is over."""
    session, _ = begun(admin)
    server.node.config.limits.idle_ping = Duration("1d")
    server.advance(minutes=11)
    execute(admin, f"{ADMIN}#add-user", submit(accountjid="a@shakespeare.example"), sessionid=session)
    assert admin.receives_error("not-allowed").find(f".//{C}session-expired") is not None


def test_unknown_command(admin: Client) -> None:
    """Possible Errors: there is no such node."""
    execute(admin, "nothing")
    admin.receives_error("item-not-found")


def test_strangers_are_refused(admin: Client, server: Server) -> None:
    """Security Considerations: others may neither begin a command nor take over somebody's session."""
    session, _ = begun(admin)
    juliet = server.connect("juliet@capulet.example/balcony")
    execute(juliet, f"{ADMIN}#add-user")
    juliet.receives_error("forbidden")
    execute(juliet, f"{ADMIN}#add-user", submit(accountjid="a@shakespeare.example"), sessionid=session)
    juliet.receives_error("forbidden")
    other = server.connect("bard@shakespeare.example/home")
    execute(other, f"{ADMIN}#add-user", submit(accountjid="a@shakespeare.example"), sessionid=session)
    other.receives_error("bad-request")


def test_an_administrator_of_one_host(admin: Client) -> None:
    """An administrator of one host reaches that host alone, with commands that know hosts."""
    session, _ = begun(admin)
    execute(admin, f"{ADMIN}#add-user", submit(accountjid="juliet@capulet.example"), sessionid=session)
    admin.receives_error("forbidden")
    execute(admin, "xmppd/hooks")
    admin.receives_error("forbidden")


def test_a_table(admin: Client) -> None:
    """A command without a form that answers with a table is completed at once."""
    session, _ = begun(admin, "xmppd/account-list")
    execute(admin, "xmppd/account-list", submit(host="shakespeare.example"), sessionid=session)
    answer = admin.receives_any()[0]
    assert answer.get("status") == "completed"
    assert answer.findtext(f".//{X}item/{X}field/{X}value") == "a@capulet.example"
