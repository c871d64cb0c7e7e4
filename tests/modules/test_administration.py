"""XEP-0133: Service Administration: rosters, statistics and administrators."""

from typing import Any

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.accounts import Role
from xmppd.core.commands import Caller, CommandError, Exit, Origin
from xmppd.protocol.jid import Jid

ADMIN = "http://jabber.org/protocol/admin"
COMMANDS = "http://jabber.org/protocol/commands"
BARD = "bard@shakespeare.example"
JULIET = "juliet@shakespeare.example"
SOCKET = Caller(Origin.SOCKET)


def run(server: Server, words: str, **given: object) -> Any:
    node = server.node
    return server.wait(node.administration.run(SOCKET, node.registry.find(words.split()), given))


@pytest.fixture
def juliet(server: Server) -> Client:
    """Somebody with two contacts."""
    client = server.connect(f"{JULIET}/balcony", peer_address="192.0.2.7")
    for number, item in enumerate((
        "<item jid='romeo@example.net' name='Romeo'><group>Friends</group><group>Lovers</group></item>",
        "<item jid='mercutio@example.org'/>",
    )):  # fmt: skip
        client.sends(f"<iq type='set' id='r{number}'><query xmlns='jabber:iq:roster'>{item}</query></iq>")
    client.sends("<presence type='subscribe' to='mercutio@example.org'/>")
    client.forgets()
    return client


@pytest.fixture
def bard(server: Server) -> Client:
    """An administrator of shakespeare.example."""
    server.account(BARD, Role.ADMIN)
    return server.connect(f"{BARD}/globe")


def submitted(bard: Client, node: str, var: str, *values: str) -> Any:
    """Run a command whose form has one field; return the answer's `<command/>`."""
    inner = "".join(f"<value>{value}</value>" for value in values)
    bard.sends(
        f"<iq to='shakespeare.example' type='set' id='1'><command xmlns='{COMMANDS}' node='{ADMIN}#{node}'/></iq>"
    )
    (begun,) = bard.receives_any()
    bard.sends(
        f"<iq to='shakespeare.example' type='set' id='2'><command xmlns='{COMMANDS}' node='{ADMIN}#{node}' "
        f"sessionid='{begun.get('sessionid')}'><x xmlns='jabber:x:data' type='submit'>"
        f"<field var='{var}'>{inner}</field></x></command></iq>"
    )
    return begun, bard.receives_any()


class TestRoster:
    """4.8 Get User Roster."""

    def test_table(self, server: Server, juliet: Client) -> None:
        """A row for each contact."""
        found = run(server, "account roster", jids=[JULIET])
        assert [list(row) for row in found.rows] == [
            [JULIET, "romeo@example.net", "Romeo", "none", False, ["Friends", "Lovers"]],
            [JULIET, "mercutio@example.org", "", "none", found.rows[1][4], []],
        ]

    def test_form(self, bard: Client, juliet: Client) -> None:
        """The roster stands in the form as RFC 6121 writes it."""
        _, got = submitted(bard, "get-user-roster", "accountjids", JULIET)
        (form,) = got[0]
        assert [value.text for value in form.iter("{jabber:x:data}value")] == [ADMIN, JULIET]
        query = form.find("{jabber:iq:roster}query")
        assert query is not None
        assert [(item.get("jid"), item.get("name"), item.get("subscription")) for item in query] == [
            ("romeo@example.net", "Romeo", "none"), ("mercutio@example.org", None, "none"),
        ]  # fmt: skip
        assert [group.text for group in query[0]] == ["Friends", "Lovers"]

    def test_somebody_without_contacts(self, server: Server, bard: Client) -> None:
        """Has an empty one."""
        found = run(server, "account roster", jids=[BARD])
        assert list(found.rows) == []
        assert len(found.elements) == 1


class TestStatistics:
    """4.10 Get User Statistics."""

    def test_fields(self, server: Server, juliet: Client) -> None:
        """Contacts, resources, addresses, under the specification's names."""
        found = run(server, "account stats", jid=JULIET)
        assert found.values == {"roster_size": 2, "resources": ["balcony"], "addresses": ["192.0.2.7"]}
        assert set(found.form.values()) == {"rostersize", "onlineresources", "ipaddresses"}


class TestAdministrators:
    """4.29 Edit Admin List."""

    def test_form(self, server: Server, bard: Client, juliet: Client) -> None:
        """The form includes those that there are; the list that comes back is the new one."""
        begun, got = submitted(bard, "edit-admin", "adminjids", BARD, JULIET)
        field = next(field for field in begun.iter("{jabber:x:data}field") if field.get("var") == "adminjids")
        assert [value.text for value in field.iter("{jabber:x:data}value")] == [BARD]
        assert got.get("type") == "result"
        assert server.wait(server.node.accounts.get(Jid(JULIET))).role is Role.ADMIN

    def test_set(self, server: Server, bard: Client, juliet: Client) -> None:
        """Those that are not named are administrators no more; of other hosts they stay."""
        server.account("prince@montague.example", Role.ADMIN)
        done = run(server, "host admins", host="shakespeare.example", jids=[JULIET])
        assert done.values == {"host": "shakespeare.example", "admins": [JULIET]}
        roles = {
            jid: server.wait(server.node.accounts.get(Jid(jid))).role
            for jid in (BARD, JULIET, "prince@montague.example")
        }
        assert roles == {BARD: Role.USER, JULIET: Role.ADMIN, "prince@montague.example": Role.ADMIN}

    def test_those_of_the_configuration(self, server: Server, bard: Client) -> None:
        """Stay what they are: they can be left in, and not be taken out."""
        chief = Jid("chris@marlowe.example")
        server.node.hosts.get("shakespeare.example").admins = frozenset({chief})  # type: ignore[union-attr]
        with pytest.raises(CommandError, match="named in the configuration"):
            run(server, "host admins", host="shakespeare.example", jids=[BARD])
        done = run(server, "host admins", host="shakespeare.example", jids=[BARD, str(chief)])
        assert done.values["admins"] == [BARD, chief]

    def test_of_another_host(self, server: Server, bard: Client) -> None:
        """Whoever administers a host by role has an account there."""
        server.account("romeo@montague.example")
        with pytest.raises(CommandError, match="is no account of"):
            run(server, "host admins", host="shakespeare.example", jids=["romeo@montague.example"])


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("account roster", {"jids": ["nobody@shakespeare.example"]}),
        ("account roster", {"jids": ["a@verona.example"]}),
        ("account roster", {"jids": ["shakespeare.example"]}),
        ("account stats", {"jid": "nobody@shakespeare.example"}),
        ("host admins", {"host": "verona.example", "jids": ["a@verona.example"]}),
        ("host admins", {"host": "shakespeare.example", "jids": ["nobody@shakespeare.example"]}),
    ],
)
def test_nobody(server: Server, words: str, given: dict[str, object]) -> None:
    """What does not exist is told."""
    with pytest.raises(CommandError) as caught:
        run(server, words, **given)
    assert caught.value.code is Exit.UNKNOWN
