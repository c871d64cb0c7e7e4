"""What an administrator does to an account while somebody logs in to it."""

from base64 import b64encode

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.protocol.jid import Jid

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


def challenged(server: Server) -> Client:
    """A client in the middle of SCRAM: its account was looked up, and is not looked up again."""
    server.account("juliet@capulet.example")
    client = server.connection()
    client.opens("capulet.example")
    first = b64encode(b"n,,n=juliet,r=abc").decode()
    client.sends(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>")
    assert client.receives_any().tag == f"{{{SASL}}}challenge"
    return client


def test_disabled_during_the_exchange(server: Server) -> None:
    """An account that is disabled between look-up and proof gets no session."""
    client = challenged(server)
    server.wait(server.node.accounts.set_enabled(Jid.parse("juliet@capulet.example"), False))
    client.receives_stream_error("policy-violation")


def test_removed_during_the_exchange(server: Server) -> None:
    """Nor does one that is removed."""
    client = challenged(server)
    server.wait(server.node.accounts.delete(Jid.parse("juliet@capulet.example")))
    client.receives_stream_error("not-authorized")


def test_nothing_is_kept_of_those_who_give_up(server: Server) -> None:
    """Whoever aborts, fails or leaves is not expected any more."""
    client = challenged(server)
    client.sends(f"<abort xmlns='{SASL}'/>")
    client.receives_any()
    left = challenged(server)
    left.loses_connection()
    wrong = challenged(server)
    wrong.sends(f"<response xmlns='{SASL}'>{b64encode(b'c=biws,r=abc,p=AAAA').decode()}</response>")
    assert wrong.receives_any().tag == f"{{{SASL}}}failure"
    assert not server.node.sessions._unbound
