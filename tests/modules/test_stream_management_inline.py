"""XEP-0198 with the authentication: resumed by SASL2 (XEP-0388), enabled with a resource by Bind 2 (XEP-0386)."""

import pytest

from tests.core.stream_management.clients import (
    JULIET,
    NS,
    REQUEST,
    ROMEO,
    SM,
    a,
    condition,
    message,
    resumable,
    server_knows,
    stanzas,
)
from tests.scenario.client import Client
from tests.scenario.sasl2 import BIND, SASL2, by_password, succeeded, user_agent
from tests.scenario.server import Server
from xmppd.core.events import BindInline
from xmppd.core.hooks import collect

HOST = "capulet.example"
BOUND = "{urn:xmpp:bind:0}bound"


def ready(server: Server) -> Client:
    """Return a connection of Juliet's that may authenticate."""
    server.account(JULIET)
    client = server.connection()
    client.opens(HOST)
    return client


def resume(id: str, h: int = 0) -> str:
    return f"<resume xmlns='{NS}' previd='{id}' h='{h}'/>"


def enable(attributes: str = " resume='true'") -> str:
    return BIND.replace("</bind>", f"<enable xmlns='{NS}'{attributes}/></bind>")


class TestOffer:
    def test_where_it_is_offered(self, server: Server) -> None:
        """Both: to resume with the authentication, and to enable with the resource."""
        inline = server.connection().opens(HOST).find(f"{SASL2}authentication/{SASL2}inline")
        assert inline is not None
        assert inline.find(f"{SM}sm") is not None
        assert NS in [each.get("var") for each in inline.iter("{urn:xmpp:bind:0}feature")]


class TestEnabling:
    """XEP-0386, Performing the bind: `<bound/>` must contain the answer."""

    def test_counted_from_the_start(self, server: Server) -> None:
        """What the client sends behind it counts, and what it gets, too."""
        client = ready(server)
        client.sends(by_password("juliet", user_agent(), enable()))
        enabled = succeeded(client).find(f"{BOUND}/{SM}enabled")
        assert enabled is not None
        assert enabled.attrib["resume"] == "true"
        client.sends("<presence/>" + REQUEST)
        client.receives_any()
        client.receives(a(1))
        client.loses_connection()
        assert server_knows(server, enabled.attrib["id"])

    def test_not_to_be_resumed(self, server: Server) -> None:
        """A client need not want that."""
        client = ready(server)
        client.sends(by_password("juliet", enable("")))
        enabled = succeeded(client).find(f"{BOUND}/{SM}enabled")
        assert enabled is not None
        assert "id" not in enabled.attrib

    def test_what_makes_no_sense(self, server: Server) -> None:
        """Then nothing is counted, and the session begins all the same."""
        client = ready(server)
        client.sends(by_password("juliet", enable(" resume='perhaps'")))
        failed = succeeded(client).find(f"{BOUND}/{SM}failed")
        assert failed is not None
        assert condition(failed) == "bad-request"
        client.sends(REQUEST)
        client.receives_stream_error("unsupported-stanza-type")

    def test_a_session_that_does_not_begin(self, server: Server) -> None:
        """Nothing remains of it: a connection that is lost meanwhile leaves no session to be resumed."""
        ids: list[str] = []

        class Leaves:
            @collect(BindInline)
            async def leave(self, event: BindInline) -> None:
                ids.extend(answer.attributes["id"] for answer in event.answers if answer.name == f"{SM}enabled")
                client.loses_connection()

        server.node.hooks.bind("zzz", Leaves())
        client = ready(server)
        client.sends(by_password("juliet", enable()))
        server.node.hooks.unbind("zzz")
        assert len(ids) == 1
        assert not server_knows(server, ids[0])


class TestResuming:
    """XEP-0388, Success: the answer is part of the success."""

    @pytest.fixture
    def id(self, server: Server) -> str:
        """A session of Juliet's that has lost its connection, and a message that came since."""
        juliet = server.online(JULIET)
        id = resumable(juliet)
        juliet.loses_connection()
        server.online(ROMEO).sends(message())
        return id

    def test_one_round_trip(self, server: Server, id: str) -> None:
        """The session goes on, and what the client missed follows; its request for a resource is ignored."""
        client = ready(server)
        client.sends(by_password("juliet", user_agent(), resume(id), enable()) + REQUEST)
        success = succeeded(client)
        assert client.jid == JULIET
        assert [child.tag for child in success][1:] == [f"{SM}resumed"]
        assert "m1" in stanzas(client)
        client.sends("<presence/>")
        client.forgets()
        client.sends(REQUEST)
        assert client.receives_any().tag == f"{SM}a"

    def test_it_cannot_be_resumed(self, server: Server, id: str) -> None:
        """XEP-0386, Performing the bind: the failure is told, and a new session begins."""
        client = ready(server)
        client.sends(by_password("juliet", user_agent(), resume("unknown"), enable()))
        success = succeeded(client)
        assert [child.tag for child in success][1:] == [f"{SM}failed", BOUND]
        assert condition(success[1]) == "item-not-found"

    def test_and_nothing_else_was_asked_for(self, server: Server, id: str) -> None:
        """The client is authenticated, and may bind as RFC 6120 has it."""
        client = ready(server)
        client.sends(by_password("juliet", resume("unknown")))
        success = succeeded(client)
        assert success.findtext(f"{SASL2}authorization-identifier") == "juliet@capulet.example"
        assert client.binds("chamber") == "juliet@capulet.example/chamber"

    def test_somebody_else_s(self, server: Server, id: str) -> None:
        """Nobody resumes a session of another account."""
        server.account("nurse@capulet.example")
        client = ready(server)
        client.sends(by_password("nurse", resume(id)))
        assert succeeded(client).find(f"{SM}failed") is not None

    def test_a_count_that_cannot_be(self, server: Server, id: str) -> None:
        """Acks: who counts more than was sent is told so, and is not let on."""
        client = ready(server)
        client.sends(by_password("juliet", resume(id, 1000), BIND))
        client.receives_stream_error("undefined-condition")

    def test_a_failed_authentication_resumes_nothing(self, server: Server, id: str) -> None:
        """XEP-0388, Failure: no inline request may be processed."""
        client = ready(server)
        client.sends(by_password("juliet", resume(id), password="wrong"))
        assert client.receives_any().tag == f"{SASL2}failure"
        assert server_knows(server, id)
