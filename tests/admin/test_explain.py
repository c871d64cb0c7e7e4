"""`explain`: which handler decides what."""

import pytest

from xmppd.admin.explain import read_element, read_stanza
from xmppd.core.commands import CommandError, Exit
from xmppd.modules.roster.api import Rosters
from xmppd.protocol.jid import Jid

from .office import Office

PING = """
    <iq type='get' id='1' from='romeo@montague.example/orchard' to='montague.example'>
      <ping xmlns='urn:xmpp:ping'/>
    </iq>
"""


def explained(office: Office, stanza: str) -> list[tuple[str, str]]:
    """Return who did what."""
    return [(row[2], row[3]) for row in office.rows("explain", stanza=stanza)]


def test_a_request(office: Office) -> None:
    """Who answers it, by which rule, and what goes back."""
    rows = office.rows("explain", stanza=PING)
    event, phase, who, outcome, rule = rows[-2]
    assert (event, phase, who, outcome) == ("get {urn:xmpp:ping}ping", "host", "ping.pong", "answers")
    assert rule
    assert rows[-1][2] == "router"
    assert rows[-1][3].startswith("delivers to romeo@montague.example/orchard: <iq from='montague.example'")


def test_a_request_that_is_refused(office: Office) -> None:
    """Who refuses it, and with which error."""
    office.server.account("juliet@capulet.example")
    found = explained(
        office,
        "<iq type='get' id='1' from='romeo@montague.example/orchard' to='juliet@capulet.example'>"
        "<query xmlns='jabber:iq:roster'/></iq>",
    )
    assert found[-2:] == [
        ("roster.refuse", "refuses: service-unavailable"),
        ("router", "answers romeo@montague.example/orchard with the error service-unavailable"),
    ]


def test_a_request_that_nobody_answers(office: Office) -> None:
    """It is said that there is no answerer."""
    found = explained(office, PING.replace("urn:xmpp:ping", "urn:example"))
    assert ("router", "nobody answers this: service-unavailable") in found


def test_a_message_for_nobody(office: Office) -> None:
    """Nobody is connected there: it is stored, and waits."""
    office.server.account("juliet@capulet.example")
    found = explained(
        office,
        "<message type='chat' from='romeo@montague.example/orchard' to='juliet@capulet.example'><body>x</body></message>",
    )
    route = "routes message chat of romeo@montague.example/orchard to juliet@capulet.example, who is not connected"
    assert ("router", route) in found
    assert ("log", "appends a row to the log of juliet@capulet.example") in found
    assert ("log", "appends a row to the log of romeo@montague.example") in found
    assert found[-1] == ("messages.deliver", "settles it: handled")


def test_a_subscription(office: Office) -> None:
    """Where the request goes, and what changes in both rosters; nothing does."""
    romeo, juliet = office.server.account("romeo@montague.example"), office.server.online("juliet@capulet.example/b")
    found = explained(
        office, "<presence type='subscribe' from='romeo@montague.example/orchard' to='juliet@capulet.example'/>"
    )
    assert ("roster.send", "settles it: handled") in found
    assert ("presence.send", "lets it pass") in found
    assert (
        "router",
        "routes presence subscribe of romeo@montague.example to juliet@capulet.example: 1 connected, 1 available",
    ) in found
    assert any(outcome.startswith("delivers to juliet@capulet.example/b: <presence") for _, outcome in found)
    assert [outcome for who, outcome in found if who == "roster"] == [
        "the roster of romeo@montague.example: juliet@capulet.example "
        "changes None (not in the roster) -> None + Pending Out",
        "the roster of juliet@capulet.example: romeo@montague.example "
        "changes None (not in the roster) -> None + Pending In (not in the roster)",
    ]
    juliet.receives_nothing()
    rosters = office.server.node.loader.offered(Rosters)
    assert len(office.server.wait(rosters.get(romeo))) == 0


def test_from_another_server(office: Office) -> None:
    """A stanza of a stranger comes by the router."""
    found = explained(office, PING.replace("montague.example/", "verona.example/"))
    assert found[0] == ("router", "romeo@verona.example/orchard is not of this server")
    assert ("ping.pong", "answers") in found


@pytest.mark.parametrize(
    ("stanza", "text"),
    [
        ("<message to='a@b.example'/>", "the stanza has no from"),
        ("<message from='@'/>", "from: "),
        ("<message from='montague.example'/>", "a local user's stanza has a full address in from"),
        ("<message from='romeo@montague.example'/>", "a local user's stanza has a full address in from"),
        ("<presence from='romeo@verona.example/a'/>", "a stanza of another server has a to"),
        ("<iq from='romeo@montague.example/a' type='get'/>", "this is no stanza: "),
        ("<a xmlns='urn:example' from='romeo@montague.example/a'/>", "{urn:example}a is no stanza"),
        ("<message", "the file holds no stanza, or more than one"),
        ("", "the file holds no stanza, or more than one"),
        ("<message/><message/>", "the file holds no stanza, or more than one"),
        ("<message></presence>", "this is no XML that a client may send: "),
        ("<?xml version='1.0'?><message/>", "this is no XML that a client may send: "),
        ("<!-- x --><message/>", "this is no XML that a client may send: "),
        ("</stream:stream>", "the file holds no stanza, or more than one"),
        ("hello", "this is no XML that a client may send: "),
    ],
)
def test_what_is_no_stanza(office: Office, stanza: str, text: str) -> None:
    """What cannot be explained is told as wrong usage."""
    with pytest.raises(CommandError) as caught:
        office.run("explain", stanza=stanza)
    assert caught.value.text.startswith(text)
    assert caught.value.code is Exit.USAGE


def test_namespace_is_the_clients() -> None:
    """A stanza without a namespace is one of a client's stream; one with it is the same."""
    assert read_element("<message/>").name == "{jabber:client}message"
    assert read_element("<message xmlns='jabber:client'/>").name == "{jabber:client}message"


def test_addresses_are_prepared() -> None:
    """The sender is what the stanza's from denotes."""
    assert read_stanza("<message from='Romeo@Montague.example/a'/>").from_ == Jid("romeo@montague.example/a")
