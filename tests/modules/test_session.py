"""RFC 3921, 3: sessions, for clients that still ask for one."""

import pytest

from tests.scenario.server import Server

NS = "urn:ietf:params:xml:ns:xmpp-session"


def test_feature(server: Server) -> None:
    """It is offered beside resource binding, as optional."""
    server.account("juliet@capulet.example")
    juliet = server.connection()
    assert juliet.opens("capulet.example").find(f"{{{NS}}}session") is None
    juliet.authenticates("juliet", "pencil")
    feature = juliet.opens("capulet.example").find(f"{{{NS}}}session")
    assert feature is not None
    assert feature.find(f"{{{NS}}}optional") is not None


@pytest.mark.parametrize(("to", "by"), [("", "juliet@capulet.example"), ("to='capulet.example'", "capulet.example")])
def test_request(server: Server, to: str, by: str) -> None:
    """Who asks is granted a session, whether it asks the host or nobody in particular."""
    juliet = server.connect("juliet@capulet.example/balcony")
    juliet.sends(f"<iq {to} type='set' id='sess_1'><session xmlns='{NS}'/></iq>")
    juliet.receives(f"<iq from='{by}' to='juliet@capulet.example/balcony' type='result' id='sess_1'/>")
