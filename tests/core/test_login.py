"""A client's way to its session, as RFC 6120 tells it: header, STARTTLS, the order of the steps, and waits between them."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import Deferred

from tests.core.logins import (
    BIND,
    HOST,
    STARTTLS,
    Notes,
    Waits,
    auth,
    authenticated,
    failed,
    header,
    opened,
)
from tests.scenario.client import Client
from tests.scenario.server import PASSWORD, Server
from xmppd.core.events import StreamFeatures
from xmppd.core.hooks import collect
from xmppd.protocol.jid import Jid


class TestHeader:
    """RFC 6120, 4.7 to 4.9."""

    def test_answer(self, server: Server) -> None:
        """4.7.1 and 4.7.3: from the host, with an unguessable id; 4.7.2: to nobody if the client did not say who it is."""
        one, two = opened(server), opened(server)
        assert one.header["from"] == HOST
        assert one.header["version"] == "1.0"
        assert "to" not in one.header
        assert len(one.header["id"]) >= 16
        assert one.header["id"] != two.header["id"]

    def test_sender(self, server: Server) -> None:
        """4.7.2: `to` is the bare JID that the client gave as `from`."""
        client = server.connection()
        client.sends_bytes(header(from_="Juliet@capulet.example/balcony"))
        assert client.header["to"] == "juliet@capulet.example"

    def test_sender_behind_the_login(self, server: Server) -> None:
        """4.9.3.9: behind the login the sender must be the account that logged in."""
        for sender, fits in (("juliet@capulet.example", True), (HOST, True), ("nurse@capulet.example", False)):
            client = opened(server)
            server.account("juliet@capulet.example")
            client.authenticates("juliet", PASSWORD)
            client.sends_bytes(header(from_=sender))
            if fits:
                assert client.receives_any().tag.endswith("features")
                assert client.header.get("to", sender) == sender
            else:
                client.receives_stream_error("invalid-from")

    @pytest.mark.parametrize(
        ("given", "condition"),
        [
            (header(to=None), "improper-addressing"),
            (header(to=""), "improper-addressing"),
            (header(to="not a domain"), "improper-addressing"),
            (header(from_="@"), "improper-addressing"),
            (header(to="verona.example"), "host-unknown"),
            (header(to="juliet@capulet.example"), "host-unknown"),
            (header(version="0.9"), "unsupported-version"),
            (header(version=None), "unsupported-version"),
            (header().replace(b"jabber:client", b"jabber:server"), "invalid-namespace"),
            (header().replace(b"etherx", b"wrong"), "invalid-namespace"),
            (b"<?xml version='1.0' encoding='iso-8859-1'?>", "unsupported-encoding"),
            (b"<!DOCTYPE a>", "restricted-xml"),
            (b"nonsense <a>", "not-well-formed"),
        ],
    )
    def test_faults(self, server: Server, given: bytes, condition: str) -> None:
        """4.9.3: each fault has its condition, and 4.9.1.2: the error stands in a stream of ours."""
        client = server.connection()
        client.sends_bytes(given)
        client.receives_stream_error(condition)
        assert client.raw.count(b"<stream:stream ") == 1
        assert client.header["from"]
        assert client.header["id"]

    def test_version_2(self, server: Server) -> None:
        """4.7.5: a higher version is answered by ours."""
        client = server.connection()
        client.sends_bytes(header(version="2.0"))
        assert client.header["version"] == "1.0"

    def test_another_host_behind_the_login(self, server: Server) -> None:
        """A login at one host is none at another."""
        client = opened(server)
        server.account("juliet@capulet.example")
        client.authenticates("juliet", PASSWORD)
        client.sends_bytes(header(to="montague.example"))
        client.receives_stream_error("host-unknown")

    def test_host_is_prepared(self, server: Server) -> None:
        """RFC 7622: a domain is compared in its canonical form."""
        client = server.connection()
        client.opens("Capulet.EXAMPLE")
        assert client.header["from"] == HOST


class TestStartTls:
    """RFC 6120, 5.4."""

    @pytest.mark.parametrize("required", [True, False])
    def test_negotiation(self, server: Server, required: bool) -> None:
        """5.4: proceed, TLS, a new stream with mechanisms, a session."""
        server.account("juliet@capulet.example")
        client = server.connection(secure=False, tls_required=required)
        client.opens(HOST)
        client.sends(STARTTLS)
        client.receives("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        assert client.connection.secure
        client.logs_in("juliet", HOST, "balcony", PASSWORD)
        assert client.jid == "juliet@capulet.example/balcony"

    def test_again_behind_a_failure(self, server: Server) -> None:
        """TLS is for good: a failed login does not make it possible to ask for it again."""
        client = server.connection(secure=False, tls_required=False)
        client.opens(HOST)
        client.sends(STARTTLS)
        client.receives_any()
        client.opens(HOST)
        assert failed(client.authenticates("juliet", "wrong")) == "not-authorized"
        client.sends(STARTTLS)
        client.receives_stream_error("not-authorized")

    @pytest.mark.parametrize("more", ["x", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'/>"])
    def test_injection(self, server: Server, more: str) -> None:
        """5.3.1: bytes behind <starttls/> are never interpreted."""
        client = server.connection(secure=False)
        client.opens(HOST)
        client.sends(STARTTLS + more)
        client.receives_stream_error("policy-violation")
        assert b"proceed" not in client.raw
        assert not client.connection.secure

    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1"])
    def test_password_in_clear(self, server: Server, mechanism: str) -> None:
        """6.5.4: a mechanism that wants TLS is answered `encryption-required`."""
        client = server.connection(secure=False, tls_required=False)
        client.opens(HOST)
        client.sends(auth(mechanism, b"\0juliet\0pencil"))
        assert failed(client.receives_any()) == "encryption-required"


class TestPipelining:
    """What is sent ahead is read when its time has come, and not before."""

    def test_everything_at_once(self, server: Server) -> None:
        """A whole session in one packet."""
        server.account("juliet@capulet.example")
        client = server.connection()
        client.sends_bytes(
            header() + auth("PLAIN", b"\0juliet\0pencil").encode() + b"\n" + header() + BIND.encode()
            + b"<iq id='p' type='get' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq></stream:stream>"
        )  # fmt: skip
        assert [client.receives_any().tag.rpartition("}")[2] for _ in range(5)] == [
            "features", "success", "features", "iq", "iq",
        ]  # fmt: skip
        client.is_disconnected()

    def test_byte_by_byte(self, server: Server) -> None:
        """The same, one byte a packet."""
        server.account("juliet@capulet.example")
        client = server.connection()
        for byte in header() + auth("PLAIN", b"\0juliet\0pencil").encode() + header() + BIND.encode():
            client.sends_bytes(bytes([byte]))
        assert [client.receives_any().tag.rpartition("}")[2] for _ in range(4)] == [
            "features",
            "success",
            "features",
            "iq",
        ]

    def test_while_the_session_begins(self, server: Server) -> None:
        """What follows the request to bind waits until everybody knows of the session, and is paced like the rest."""
        waits = Waits()
        server.node.hooks.bind("waits", waits)
        client = authenticated(server)
        ping = b"<iq id='p' type='get' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>"
        client.sends_bytes(BIND.encode() + ping * 50)
        client.receives_any()
        client.receives_nothing()
        assert client.connection.is_paused
        client.sends_bytes(ping)
        waits.waiting.callback(None)
        assert client.connection.is_paused, "a turn's worth was handled, the rest waits for the next turn"
        assert len(client.inbox) == 20
        server.run()
        assert len(client.inbox) == 51
        assert not client.connection.is_paused


STAGES: dict[str, Callable[[Server], Client]] = {
    "connected": lambda server: server.connection(),
    "opened": opened,
    "authenticated": authenticated,
    "bound": lambda server: server.connect("juliet@capulet.example/balcony"),
}


@pytest.mark.parametrize("stage", STAGES)
class TestEnds:
    """RFC 6120, 4.4 and 4.6, at each stage."""

    def test_client_closes(self, server: Server, stage: str) -> None:
        """4.4: the end tag is answered, and the connection closed."""
        client = STAGES[stage](server)
        if stage == "connected":
            client.sends_bytes(header())
            client.receives_any()
        client.disconnects()
        client.receives_nothing()
        client.is_disconnected()
        assert server.node.upkeep.counts() == (0, 0)

    def test_connection_is_lost(self, server: Server, stage: str) -> None:
        """4.6: nothing is left of the stream."""
        STAGES[stage](server).loses_connection()
        assert server.node.upkeep.counts() == (0, 0)
        assert len(server.node.sessions) == 0

    def test_time_is_up(self, server: Server, stage: str) -> None:
        """Architecture rule 9: a stream without a session ends within 30 s, trickling or not; a session does not."""
        client = STAGES[stage](server)
        for _ in range(29):
            client.sends_bytes(b" ")
            server.advance(1)
        client.receives_nothing()
        server.advance(1)
        if stage == "bound":
            client.receives_nothing()
        else:
            client.receives_stream_error("connection-timeout")


class TestWaiting:
    """What happens while a login waits for the database."""

    def begun(self, server: Server) -> Client:
        server.account("juliet@capulet.example")
        client = opened(server)
        server.store.hold()
        client.sends(auth("PLAIN", b"\0juliet\0pencil"))
        client.receives_nothing()
        assert client.connection.is_paused
        return client

    def test_goes_on(self, server: Server) -> None:
        """The answer comes when the database has answered; what was sent meanwhile is read then."""
        client = self.begun(server)
        client.sends_bytes(header() + BIND.encode())
        server.store.release()
        server.run()
        assert [client.receives_any().tag.rpartition("}")[2] for _ in range(3)] == ["success", "features", "iq"]

    @pytest.mark.parametrize("ends", ["release", "fail"])
    def test_connection_is_lost(self, server: Server, ends: str) -> None:
        """An answer for nobody is dropped."""
        client = self.begun(server)
        client.loses_connection()
        if ends == "release":
            server.store.release()
        else:
            server.store.fail(RuntimeError("a bug"))
        server.run()
        assert len(server.node.sessions) == 0
        assert server.node.sessions.close("juliet@capulet.example", None) == 0  # type: ignore[arg-type]  # nobody is told

    def test_time_is_up(self, server: Server) -> None:
        """A database that does not answer does not keep the stream; the late answer is dropped."""
        client = self.begun(server)
        server.advance(30)
        client.receives_stream_error("connection-timeout")
        server.store.release()
        server.run()
        client.receives_nothing()

    def test_bug_behind_the_wait(self, server: Server) -> None:
        """A fault of our own ends the stream with internal-server-error."""
        client = self.begun(server)
        server.store.fail(RuntimeError("a bug"))
        client.receives_stream_error("internal-server-error")

    def test_bug_before_the_wait(self, server: Server) -> None:
        """The same if nothing waited; the transport hears of nothing."""
        client = opened(server)
        server.store.credentials = None  # calling it raises
        client.sends(auth("PLAIN", b"\0juliet\0pencil"))
        client.receives_stream_error("internal-server-error")

    def test_features_wait(self, server: Server) -> None:
        """A connection that is lost while a module thinks about its features is no mistake of ours."""
        waiting: Deferred[None] = Deferred()

        class Slow:
            @collect(StreamFeatures)
            async def think(self, event: StreamFeatures) -> None:
                await waiting

        server.node.hooks.bind("slow", Slow())
        for ends in (True, False):
            client = server.connection()
            client.sends_bytes(header())
            client.receives_nothing()
            if ends:
                client.loses_connection()
                waiting.callback(None)
                client.receives_nothing()
                waiting = Deferred()
                server.node.clients.offers.forget()
            else:
                waiting.callback(None)
                assert client.receives_any().tag.endswith("features")

    def test_flood_meanwhile(self, server: Server) -> None:
        """Who sends on although reading is paused gets no more memory than one element."""
        client = self.begun(server)
        client.driver.data_received(b" " * 10_001)
        client.receives_stream_error("policy-violation")

    @pytest.mark.parametrize("ends", ["lost", "closed"])
    def test_session_that_ends_while_it_begins(self, server: Server, notes: Notes, ends: str) -> None:
        """Who goes while the others are told of the session is gone, and what it sent ahead is not handled."""
        waits = Waits()
        server.node.hooks.bind("waits", waits)
        client = authenticated(server)
        client.sends(BIND + "<iq id='p' type='get' to='capulet.example'><ping xmlns='urn:xmpp:ping'/></iq>")
        client.receives_any()
        if ends == "lost":
            client.loses_connection()
        else:
            client.driver.close()
        server.run()
        assert notes.ended == ["juliet@capulet.example/balcony"]
        waits.waiting.callback(None)
        client.receives_nothing()
        assert len(server.node.sessions) == 0
        assert server.node.upkeep.counts() == (0, 0)

    @pytest.mark.parametrize("early", [True, False])
    def test_account_is_closed_meanwhile(self, server: Server, early: bool) -> None:
        """An account that is disabled while its password is checked gets no session."""
        client = self.begun(server)
        jid = Jid.parse("juliet@capulet.example")
        if early:
            server.store.release()
            server.wait(server.node.accounts.set_enabled(jid, False))
        else:
            waiting, server.store.waiting = server.store.waiting, type(server.store.waiting)()
            server.store.release()
            server.wait(server.node.accounts.set_enabled(jid, False))
            waiting.popleft().callback(None)
        client.forgets()
        client.is_disconnected()
        assert len(server.node.sessions) == 0
