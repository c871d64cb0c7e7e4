"""XEP-0199: XMPP Ping."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server

JULIET = "juliet@capulet.example/balcony"
ROMEO = "romeo@montague.example/home"


@pytest.fixture
def juliet(server: Server) -> Client:
    return server.connect(JULIET)


def test_client_to_server_ping(juliet: Client) -> None:
    """Client-To-Server Pings: the server answers with an empty result."""
    juliet.sends("<iq to='capulet.example' id='c2s1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.receives(f"<iq from='capulet.example' to='{JULIET}' id='c2s1' type='result'/>")


@pytest.mark.parametrize("to", ["", " to='juliet@capulet.example'"])
def test_ping_to_ones_own_account(juliet: Client, to: str) -> None:
    """Client-To-Server Pings: without an address, as with one's own bare JID, the server answers for the account."""
    juliet.sends(f"<iq{to} id='c2s1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.receives(f"<iq from='juliet@capulet.example' to='{JULIET}' id='c2s1' type='result'/>")


def test_client_to_client_ping(juliet: Client, server: Server) -> None:
    """Client-to-Client Pings: a ping to another's resource reaches it, and so does the pong."""
    romeo = server.connect(ROMEO)
    romeo.sends(f"<iq to='{JULIET}' id='e2e1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.receives(f"<iq from='{ROMEO}' to='{JULIET}' id='e2e1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.sends(f"<iq to='{ROMEO}' id='e2e1' type='result'/>")
    romeo.receives(f"<iq from='{JULIET}' to='{ROMEO}' id='e2e1' type='result'/>")


@pytest.mark.parametrize("to", ["juliet@capulet.example", "nobody@capulet.example", "juliet@capulet.example/gone"])
def test_no_presence_leaks(juliet: Client, server: Server, to: str) -> None:
    """Security Considerations: whether an account or a resource exists cannot be told from the answer."""
    romeo = server.connect(ROMEO)
    romeo.sends(f"<iq to='{to}' id='e2e1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    error = romeo.receives_error("service-unavailable", type="cancel", id="e2e1")
    assert error.get("from") == to
    juliet.receives_nothing()


def test_determining_support(juliet: Client) -> None:
    """Determining Support: host and account say that they answer pings."""
    for entity in ("capulet.example", "juliet@capulet.example"):
        juliet.sends(f"<iq to='{entity}' id='d' type='get'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        features = juliet.receives_any().iter("{http://jabber.org/protocol/disco#info}feature")
        assert "urn:xmpp:ping" in {feature.get("var") for feature in features}


PONG = "<iq to='capulet.example' id='{pinged}' type='result'/>"
NOT_SUPPORTED = (
    "<iq to='capulet.example' id='{pinged}' type='error'><error type='cancel'>"
    "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
)


@pytest.mark.parametrize("answer", [PONG, NOT_SUPPORTED, "<message to='romeo@montague.example'/>", " "])
def test_server_to_client_ping(juliet: Client, server: Server, answer: str) -> None:
    """Server-To-Client Pings: a client that is silent is asked, and lives as long as anything comes from it."""
    for _ in range(3):
        server.advance(minutes=5, seconds=40)
        juliet.receives(
            f"<iq from='capulet.example' to='{JULIET}' id='{{pinged}}' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"
        )
        juliet.sends_bytes(b" ") if answer == " " else juliet.sends(answer)
        juliet.forgets()
        server.captured.clear()
    assert not juliet.connection.closed


def test_client_that_does_not_answer(juliet: Client, server: Server) -> None:
    """Server-To-Client Pings: a client that does not answer is gone."""
    server.advance(minutes=5, seconds=30)
    juliet.forgets()
    server.advance(minutes=2)
    juliet.receives_stream_error("connection-timeout")


def test_without_the_module_silence_is_no_offence() -> None:
    """RFC 6120, 4.6.1: a space asks for nothing, so nobody is cut off for not answering it."""
    server = Server(disable=("ping",))
    juliet = server.connect(JULIET)
    server.advance(hours=1)
    assert juliet.raw.endswith(b" ")
    assert not juliet.connection.closed
