"""Authentication, as RFC 6120, 6 and the mechanisms tell it, and what guessing costs."""

from base64 import b64decode
from xml.etree import ElementTree as ET

import pytest
from scramp import ScramClient

from tests.core.logins import (
    BIND,
    HOST,
    SASL,
    STARTTLS,
    Notes,
    auth,
    authenticated,
    failed,
    offered,
    opened,
    real_account,
    response,
)
from tests.scenario.server import PASSWORD, Server
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.jid import Jid


class TestSasl:
    """RFC 6120, 6."""

    @pytest.mark.parametrize("hash_name", ["SHA-1", "SHA-256", "SHA-512"])
    @pytest.mark.parametrize("plus", [False, True])
    def test_scram(self, server: Server, hash_name: str, plus: bool) -> None:
        """RFC 5802 and RFC 7677, against a client that is not ours."""
        real_account(server)
        client = server.connection()
        if plus:
            client.connection.bindings = {"tls-exporter": b"other", "tls-server-end-point": b"data"}
        client.opens(HOST)
        name = f"SCRAM-{hash_name}" + ("-PLUS" if plus else "")
        scram = ScramClient(
            [name], "juliet", PASSWORD, channel_binding=("tls-server-end-point", b"data") if plus else None
        )
        client.sends(auth(name, scram.get_client_first().encode()))
        scram.set_server_first(b64decode(client.receives_any().text or "").decode())
        client.sends(response(scram.get_client_final().encode()))
        success = client.receives_any()
        assert success.tag == f"{SASL}success"
        scram.set_server_final(b64decode(success.text or "").decode())

    def test_without_initial_response(self, server: Server) -> None:
        """6.4.2: a client may wait for the (empty) challenge."""
        server.account("juliet@capulet.example")
        client = opened(server)
        client.sends(auth("PLAIN", None))
        client.receives("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
        client.sends(response(b"\0juliet\0pencil"))
        assert client.receives_any().tag == f"{SASL}success"

    @pytest.mark.parametrize(
        ("given", "condition"),
        [
            (auth("X-UNHEARD-OF", b"x"), "invalid-mechanism"),
            (auth("", b"x"), "invalid-mechanism"),
            (auth("plain", b"\0juliet\0pencil"), "invalid-mechanism"),
            (auth("ANONYMOUS", b""), "invalid-mechanism"),
            (auth("EXTERNAL", b""), "invalid-mechanism"),
            (auth("PLAIN", b""), "malformed-request"),
            (auth("PLAIN", b"juliet\0pencil"), "malformed-request"),
            (auth("PLAIN", b"\0juliet\0pencil\0more"), "malformed-request"),
            (auth("PLAIN", b"nurse@capulet.example\0juliet\0pencil"), "invalid-authzid"),
            (auth("PLAIN", b"\0juliet\0wrong"), "not-authorized"),
            (auth("PLAIN", b"\0nobody\0pencil"), "not-authorized"),
            (auth("PLAIN", b"\0ju liet\0pencil"), "not-authorized"),
            (auth("PLAIN", b"x").replace("eA==", "eA"), "incorrect-encoding"),
            (auth("PLAIN", b"x").replace("eA==", "e A=="), "incorrect-encoding"),
            (auth("PLAIN", b"x").replace("eA==", "!!!!"), "incorrect-encoding"),
        ],
    )
    def test_failures(self, server: Server, given: str, condition: str) -> None:
        """6.5: each fault has its condition, and the stream stays open for another try."""
        server.account("juliet@capulet.example")
        client = opened(server)
        client.sends(given)
        assert failed(client.receives_any()) == condition
        assert client.authenticates("juliet", PASSWORD).tag == f"{SASL}success"

    def test_last_try(self, server: Server, notes: Notes) -> None:
        """6.4.5: after the last try the failure comes first, then the stream ends."""
        server.account("juliet@capulet.example")
        client = opened(server)
        for _ in range(3):
            assert failed(client.authenticates("juliet", "wrong")) == "not-authorized"
        client.receives_stream_error("policy-violation")
        assert notes.failures == [("juliet", "192.0.2.1")] * 3

    def test_aborts_are_tries(self, server: Server) -> None:
        """6.4.4: an abort is answered `aborted`; a client may not begin exchanges without end."""
        client = opened(server)
        for _ in range(3):
            client.sends(auth("PLAIN", None))
            client.receives_any()
            client.sends("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
            assert failed(client.receives_any()) == "aborted"
        client.receives_stream_error("policy-violation")

    @pytest.mark.parametrize(
        "given",
        [
            response(b"x"),
            "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<message to='romeo@montague.example'/>",
            "<presence/>",
            BIND,
            "<iq type='result' id='1'/>",
            "<a xmlns='urn:x'/>",
        ],
    )
    def test_out_of_order(self, server: Server, given: str) -> None:
        """4.9.3.12: before authentication nothing counts but authentication."""
        client = opened(server)
        client.sends(given)
        client.receives_stream_error("not-authorized")

    @pytest.mark.parametrize("given", [auth("PLAIN", None), STARTTLS, "<presence/>", BIND])
    def test_inside_an_exchange(self, server: Server, given: str) -> None:
        """An exchange is answered or aborted, and nothing else."""
        client = opened(server)
        client.sends(auth("PLAIN", None))
        client.receives_any()
        client.sends(given)
        client.receives_stream_error("not-authorized")

    def test_second_login(self, server: Server) -> None:
        """6.4.6: who is authenticated does not authenticate again."""
        client = authenticated(server)
        client.sends(auth("PLAIN", b"\0juliet\0pencil"))
        client.receives_stream_error("policy-violation")

    def test_disabled_account(self, server: Server) -> None:
        """6.5.2: a disabled account is told so if the password is right, and not otherwise."""
        jid = server.account("juliet@capulet.example")
        server.wait(server.node.accounts.set_enabled(jid, False))
        client = opened(server)
        assert failed(client.authenticates("juliet", "wrong")) == "not-authorized"
        assert failed(client.authenticates("juliet", PASSWORD)) == "account-disabled"

    def test_anonymous(self) -> None:
        """XEP-0175: a client without an account gets one for its session."""
        server = Server(anonymous=True)
        client = opened(server)
        client.sends(auth("ANONYMOUS", b""))
        assert client.receives_any().tag == f"{SASL}success"
        client.opens(HOST)
        jid = Jid.parse(client.binds(""))
        session = server.node.sessions.at(jid)
        assert session is not None
        assert session.is_anonymous
        assert jid.domainpart == HOST

    def test_certificate(self) -> None:
        """XEP-0178: the certificate says who it is."""
        server = Server()
        server.node.clients.authenticator.certificate_addresses = lambda der: [
            "juliet@capulet.example",
            "not an@@ address",
        ]
        for known in (False, True):
            if known:
                server.account("juliet@capulet.example")
            client = server.connection()
            client.connection.certificate = b"DER"
            assert offered(client.opens(HOST))[0] == "EXTERNAL"
            client.sends(auth("EXTERNAL", b""))
            answer = client.receives_any()
            if known:
                assert answer.tag == f"{SASL}success"
            else:
                assert failed(answer) == "not-authorized"

    def test_storage_is_down(self, server: Server, notes: Notes) -> None:
        """6.5.11: a database that is down is no fault of the client and locks nobody out."""
        server.account("juliet@capulet.example")
        for _ in range(30):
            client = opened(server)
            server.store.hold()
            client.sends(auth("PLAIN", b"\0juliet\0pencil"))
            server.store.fail(StorageUnavailable("shard 0", "down"))
            assert failed(client.receives_any()) == "temporary-auth-failure"
        assert notes.failures == []
        assert opened(server).authenticates("juliet", PASSWORD).tag == f"{SASL}success"


class TestNoOracle:
    """Architecture rule 4: an account that does not exist looks like a wrong password."""

    def dialogue(self, server: Server, localpart: str, mechanism: str, *, initial: bool) -> list[str]:
        """Fail to log in; return what was received, with what is random left out."""
        client = opened(server)
        seen = []

        def hear() -> ET.Element:
            element = client.receives_any()
            text = b64decode(element.text or "").decode()
            shape = ",".join(part if part[:2] == "i=" else f"{part[:2]}{len(part)}" for part in text.split(",") if part)
            seen.append(f"{element.tag} {element.attrib} {[child.tag for child in element]} {shape}")
            return element

        def say(data: bytes) -> None:
            if initial or seen:
                client.sends(response(data) if seen else auth(mechanism, data))
            else:
                client.sends(auth(mechanism, None))
                hear()
                client.sends(response(data))

        if mechanism == "PLAIN":
            say(f"\0{localpart}\0wrong".encode())
        else:
            scram = ScramClient([mechanism], localpart, "wrong")
            say(scram.get_client_first().encode())
            scram.set_server_first(b64decode(hear().text or "").decode())
            say(scram.get_client_final().encode())
        hear()
        client.receives_nothing()
        return seen

    @pytest.mark.parametrize("initial", [True, False])
    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    def test_same_steps(self, server: Server, mechanism: str, initial: bool) -> None:
        """The same elements in the same number of steps, with the same number of iterations and length of salt."""
        real_account(server)
        known = self.dialogue(server, "juliet", mechanism, initial=initial)
        assert known == self.dialogue(server, "nobody", mechanism, initial=initial)
        assert "not-authorized" in known[-1]

    def test_stable_salts(self, server: Server) -> None:
        """A stranger's salt is the same each time, as a real one is, and another for each name."""

        def salt(localpart: str) -> str:
            client = opened(server)
            client.sends(auth("SCRAM-SHA-256", f"n,,n={localpart},r=abc".encode()))
            return b64decode(client.receives_any().text or "").decode().split(",")[1]

        assert salt("nobody") == salt("nobody")
        assert salt("nobody") != salt("noone")


class TestThrottle:
    """Architecture rule 4: growing delays by account and address."""

    def test_attacked_account(self, server: Server) -> None:
        """Wrong passwords for one account are answered later and later; the right one is accepted at once."""
        server.account("juliet@capulet.example")
        for number in range(10):
            client = opened(server, peer_address=f"192.0.2.{number}")
            assert failed(client.authenticates("juliet", "wrong")) == "not-authorized"
        attacker = opened(server, peer_address="198.51.100.1")
        attacker.sends(auth("PLAIN", b"\0juliet\0wrong"))
        attacker.receives_nothing()
        assert opened(server).authenticates("juliet", PASSWORD).tag == f"{SASL}success"
        server.advance(1)
        assert failed(attacker.receives_any()) == "not-authorized"

    def test_account_is_known_behind_scram(self, server: Server) -> None:
        """The failed account is the one that the exchange was about, whatever the mechanism."""
        real_account(server)
        for number in range(10):
            client = opened(server, peer_address=f"192.0.2.{number}")
            scram = ScramClient(["SCRAM-SHA-1"], "juliet", "wrong")
            client.sends(auth("SCRAM-SHA-1", scram.get_client_first().encode()))
            scram.set_server_first(b64decode(client.receives_any().text or "").decode())
            client.sends(response(scram.get_client_final().encode()))
            client.receives_any()
        attacker = opened(server, peer_address="198.51.100.1")
        attacker.sends(auth("PLAIN", b"\0juliet\0wrong"))
        attacker.receives_nothing()

    def test_strangers_are_counted_alike(self, server: Server) -> None:
        """A name that does not exist is delayed like one that does, or the delay would tell."""
        for number in range(10):
            opened(server, peer_address=f"192.0.2.{number}").authenticates("nobody", "wrong")
        client = opened(server, peer_address="198.51.100.1")
        client.sends(auth("PLAIN", b"\0nobody\0wrong"))
        client.receives_nothing()

    def test_attacking_address(self, server: Server) -> None:
        """An address that has used up its failures is told to wait, and then is let in."""
        server.account("juliet@capulet.example")
        for number in range(21):
            client = opened(server)
            client.sends(auth("PLAIN", f"\0user{number}\0wrong".encode()))
        client = opened(server)
        assert failed(client.authenticates("juliet", PASSWORD)) == "temporary-auth-failure"
        server.advance(2)
        assert opened(server).authenticates("juliet", PASSWORD).tag == f"{SASL}success"

    def test_refusals_are_no_failures(self, server: Server) -> None:
        """A client that tries again by itself does not make its wait longer."""
        server.account("juliet@capulet.example")
        for number in range(21):
            opened(server).sends(auth("PLAIN", f"\0user{number}\0wrong".encode()))
        for _ in range(50):
            assert failed(opened(server).authenticates("juliet", PASSWORD)) == "temporary-auth-failure"
        server.advance(2)
        assert opened(server).authenticates("juliet", PASSWORD).tag == f"{SASL}success"

    def test_lost_while_waiting(self, server: Server) -> None:
        """Who goes away while the answer is held back harms nobody."""
        for number in range(21):
            client = opened(server)
            client.sends(auth("PLAIN", f"\0user{number}\0wrong".encode()))
        client.loses_connection()
        server.advance(2)
        client.receives_nothing()
