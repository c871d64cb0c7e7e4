"""What may be asked before there is a session is asked a bounded number of times (XEP-0077; RFC 6120, 7.6)."""

import pytest
from twisted.internet.defer import Deferred

from tests.core.logins import (
    HOST,
    opened,
)
from tests.scenario.server import PASSWORD, Server
from xmppd.core.early_requests import REQUESTS
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.protocol.errors import Conflict

FORM = "<iq type='get' id='{n}'><query xmlns='jabber:iq:register'/></iq>"
NO_RESOURCE = (
    "<iq type='set' id='{n}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>\u200b</resource></bind></iq>"
)


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
    client.sends("".join(NO_RESOURCE.format(n=number) for number in range(REQUESTS + 1)))
    assert {client.receives_any().get("type") for _ in range(REQUESTS)} == {"error"}
    client.receives_stream_error("policy-violation")


@pytest.mark.parametrize("fault", [None, Conflict(), KeyError("a bug")])
@pytest.mark.parametrize("ends", [False, True])
def test_request_before_login(server: Server, fault: Exception | None, ends: bool) -> None:
    """An answer that comes late is an answer, unless nobody is there any more to hear it."""
    waiting: Deferred[None] = Deferred()

    class Desk:
        @iq("get", "{urn:x}a", Target.BEFORE_LOGIN)
        async def answer(self, request: IqRequest) -> None:
            await waiting
            if fault is not None:
                raise fault

    server.node.iqs.bind("desk", Desk())
    client = opened(server)
    client.sends("<iq type='get' id='1'><a xmlns='urn:x'/></iq>")
    client.receives_nothing()
    if ends:
        client.loses_connection()
    waiting.callback(None)
    if ends:
        client.receives_nothing()
    elif fault is None:
        client.receives("<iq type='result' id='1'/>")
    else:
        client.receives_error("conflict" if isinstance(fault, Conflict) else "internal-server-error", id="1")


def test_malformed_request_before_login(server: Server) -> None:
    """RFC 6120, 8.2.3 holds before the login, too."""
    client = opened(server)
    client.sends("<iq type='get'><a xmlns='urn:x'/></iq>")
    client.receives_error("bad-request")
    client.sends("<iq type='get' id='1'><a xmlns='urn:x'/></iq>")
    client.receives_stream_error("not-authorized")


def test_registration_in_clear() -> None:
    """What a client would register with is a secret, too."""
    server = Server(modules={"register": {"enabled": True}})
    client = server.connection(secure=False, tls_required=False)
    features = client.opens(HOST)
    assert features.find("{http://jabber.org/features/iq-register}register") is None
    client.sends("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>")
    client.receives_error("policy-violation", id="1")
