"""XEP-0199: XMPP Ping."""

from tests.scenario.server import Server


def test_client_to_server_ping(server: Server) -> None:
    """Client-To-Server Pings: the server answers with an empty result."""
    juliet = server.connect("juliet@capulet.example/balcony")
    juliet.sends("<iq to='capulet.example' id='c2s1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.receives(
        "<iq from='capulet.example' to='juliet@capulet.example/balcony' id='c2s1' type='result'/>"
    )


def test_ping_without_address(server: Server) -> None:
    """Client-To-Server Pings: without an address the account answers."""
    juliet = server.connect("juliet@capulet.example/balcony")
    juliet.sends("<iq id='c2s1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.receives(
        "<iq from='juliet@capulet.example' to='juliet@capulet.example/balcony' id='c2s1' type='result'/>"
    )


def test_ping_to_somebody_else_is_not_ours_to_answer(server: Server) -> None:
    """Client-To-Client Pings: a ping to another's resource reaches it; to an account that is not one's own it is refused."""
    juliet = server.connect("juliet@capulet.example/balcony")
    romeo = server.connect("romeo@montague.example/garden")
    juliet.sends("<iq to='romeo@montague.example/garden' id='e2e1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    romeo.receives(
        "<iq from='juliet@capulet.example/balcony' to='romeo@montague.example/garden' id='e2e1' type='get'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>"
    )
    romeo.sends("<iq to='juliet@capulet.example/balcony' id='e2e1' type='result'/>")
    juliet.receives(
        "<iq from='romeo@montague.example/garden' to='juliet@capulet.example/balcony' id='e2e1' type='result'/>"
    )
    juliet.sends("<iq to='romeo@montague.example' id='e2e2' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")
    juliet.receives_error("service-unavailable", id="e2e2")


def test_server_to_client_ping(server: Server) -> None:
    """Server-To-Client Pings: a client that is silent is asked, and lives as long as it answers."""
    juliet = server.connect("juliet@capulet.example/balcony")
    for _ in range(3):
        server.advance(minutes=5, seconds=40)
        juliet.receives(
            "<iq from='capulet.example' to='juliet@capulet.example/balcony' id='{ping}' type='get'>"
            "<ping xmlns='urn:xmpp:ping'/></iq>"
        )
        juliet.sends(
            "<iq to='capulet.example' id='{ping}' type='error'><error type='cancel'>"
            "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
        server.captured.clear()
    juliet.receives_nothing()


def test_client_that_does_not_answer(server: Server) -> None:
    """Server-To-Client Pings: a client that does not answer is gone."""
    juliet = server.connect("juliet@capulet.example/balcony")
    server.advance(minutes=5, seconds=30)
    juliet.forgets()
    server.advance(minutes=2)
    juliet.receives_stream_error("connection-timeout")


def test_without_the_module_silence_is_no_offence() -> None:
    """RFC 6120, 4.6.1: a space asks for nothing, so nobody is cut off for not answering it."""
    server = Server(disable=("ping",))
    juliet = server.connect("juliet@capulet.example/balcony")
    server.advance(hours=1)
    assert juliet.raw.endswith(b" ")
    assert not juliet.connection.closed
