"""`explain`: which handler decides what."""

import pytest

from xmppd.admin.explain import read_element, read_stanza
from xmppd.core.commands import CommandError, Exit
from xmppd.protocol.jid import Jid

from .office import Office

PING = """
    <iq type='get' id='1' from='romeo@montague.example/orchard' to='montague.example'>
      <ping xmlns='urn:xmpp:ping'/>
    </iq>
"""


def test_explain(office: Office) -> None:
    """A file with a stanza is walked through the pipeline."""
    assert office.rows("explain", stanza=PING)[-1] == ["", "", "ping.pong", "would answer"]


def test_from_another_server(office: Office) -> None:
    """A stanza of a stranger is walked from the route on."""
    rows = office.rows("explain", stanza=PING.replace("montague.example/", "verona.example/"))
    assert rows[0][3] == "comes from verona.example, which is not served here"


@pytest.mark.parametrize(
    ("stanza", "text"),
    [
        ("<message to='a@b.example'/>", "the stanza has no from"),
        ("<message from='@'/>", "from: "),
        ("<message from='montague.example'/>", "a local user's stanza has a full address in from"),
        ("<message from='romeo@montague.example'/>", "a local user's stanza has a full address in from"),
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
