"""Resource binding, as RFC 6120, 7 tells it."""

import pytest

from tests.core.logins import (
    BIND,
    Notes,
    authenticated,
)
from tests.scenario.server import Server
from xmppd.protocol.jid import Jid


class TestBinding:
    """RFC 6120, 7."""

    def test_resource(self, server: Server) -> None:
        """7.7: the client's resource, prepared."""
        assert authenticated(server).binds("Balcony") == "juliet@capulet.example/Balcony"

    def test_server_chooses(self, server: Server) -> None:
        """7.6: two clients that ask for none get two that nobody can guess."""
        one, two = authenticated(server).binds(""), authenticated(server).binds("")
        assert one != two
        assert len(Jid.parse(one).resourcepart) >= 12

    @pytest.mark.parametrize("resource", ["a" * 1024, "a\u0000b".replace("\0", "&#x1;"), "\u200b"])
    def test_bad_resource(self, server: Server, resource: str) -> None:
        """7.7.2.1: what cannot be a resource is a bad request, and the client may try again."""
        client = authenticated(server)
        client.sends(BIND.replace("balcony", resource))
        if "&#" in resource:  # no character of XML at all
            client.receives_stream_error("not-well-formed")
            return
        client.receives_error("bad-request", type="modify", id="bind")
        assert client.binds("balcony") == "juliet@capulet.example/balcony"

    @pytest.mark.parametrize(
        "given", [BIND.replace(" id='bind'", ""), BIND.replace("</iq>", "<a xmlns='urn:x'/></iq>")]
    )
    def test_bad_request(self, server: Server, given: str) -> None:
        """8.2.3: the request to bind is an IQ like any other."""
        client = authenticated(server)
        client.sends(given)
        client.receives_error("bad-request")

    @pytest.mark.parametrize(
        "given", ["<presence/>", "<message/>", BIND.replace("set", "get"), "<iq id='1' type='error'/>"]
    )
    def test_stanzas_before(self, server: Server, given: str) -> None:
        """7.1: no stanza comes before a resource is bound."""
        client = authenticated(server)
        client.sends(given)
        client.receives_stream_error("not-authorized")

    def test_conflict(self, server: Server, notes: Notes) -> None:
        """7.7.2.2: the newer session wins, the older one is told."""
        old = server.connect("juliet@capulet.example/balcony")
        new = server.connect("juliet@capulet.example/balcony")
        old.receives_stream_error("conflict")
        assert new.jid == "juliet@capulet.example/balcony"
        assert notes.ended == ["juliet@capulet.example/balcony"]
        session = server.node.sessions.at(Jid.parse(new.jid))
        assert session is not None
        assert session.wire is new.driver
        assert len(server.node.sessions) == 1

    def test_too_many_sessions(self) -> None:
        """7.6.2.1: the limit is told as resource-constraint; replacing a session of one's own is no further one."""
        server = Server(limits={"sessions_per_account": 2})
        server.connect("juliet@capulet.example/1")
        server.connect("juliet@capulet.example/2")
        client = authenticated(server)
        client.sends(BIND)
        client.receives_error("resource-constraint", type="wait", id="bind")
        assert client.binds("2") == "juliet@capulet.example/2"

    def test_second_bind(self, server: Server) -> None:
        """7.1: one stream, one resource; another one is not allowed."""
        client = server.connect("juliet@capulet.example/balcony")
        client.sends(BIND.replace("balcony", "chamber"))
        client.receives_error("not-allowed", type="cancel", id="bind")
        assert len(server.node.sessions) == 1

    @pytest.mark.parametrize("closing", ["disable", "delete"])
    def test_account_is_closed_between(self, server: Server, closing: str) -> None:
        """An account that is disabled or removed between authentication and binding gets no session."""
        client = authenticated(server)
        jid = Jid.parse("juliet@capulet.example")
        accounts = server.node.accounts
        server.wait(accounts.delete(jid) if closing == "delete" else accounts.set_enabled(jid, False))
        client.receives_stream_error("not-authorized" if closing == "delete" else "policy-violation")
        assert len(server.node.sessions) == 0
