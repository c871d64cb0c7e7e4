"""What may be asked before there is a session is asked a bounded number of times (XEP-0077; RFC 6120, 7.6)."""

import pytest

from tests.scenario.server import PASSWORD, Server
from xmppd.core.early_requests import REQUESTS

FORM = "<iq type='get' id='{n}'><query xmlns='jabber:iq:register'/></iq>"
BIND = "<iq type='set' id='{n}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>\u200b</resource></bind></iq>"


@pytest.mark.parametrize("together", [True, False])
def test_before_authentication(together: bool) -> None:
    """The last request that is answered is followed by the end, whether they come together or not."""
    client = Server(modules={"register": {"enabled": True}}).connection(secure=True)
    client.opens("capulet.example")
    requests = [FORM.format(n=number) for number in range(REQUESTS + 1)]
    for request in ["".join(requests)] if together else requests:
        client.sends(request)
    assert [client.receives_any().get("id") for _ in range(REQUESTS)] == [str(number) for number in range(REQUESTS)]
    client.receives_stream_error("policy-violation")


def test_resources(server: Server) -> None:
    """Tries to bind a resource count as well."""
    server.account("juliet@capulet.example")
    client = server.connection(secure=True)
    client.opens("capulet.example")
    client.authenticates("juliet", PASSWORD)
    client.opens("capulet.example")
    client.sends("".join(BIND.format(n=number) for number in range(REQUESTS + 1)))
    assert {client.receives_any().get("type") for _ in range(REQUESTS)} == {"error"}
    client.receives_stream_error("policy-violation")
