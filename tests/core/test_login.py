"""A client's way to its session, as RFC 6120 tells it: header, STARTTLS, SASL, resource binding."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from scramp import ScramClient
from twisted.internet.defer import Deferred

from tests.scenario.client import Client
from tests.scenario.server import PASSWORD, Server
from xmppd.core.credentials import derive_all
from xmppd.core.events import LoginFailed, SessionBound, SessionEnded, StreamFeatures
from xmppd.core.hooks import collect, notice
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.errors import Conflict
from xmppd.protocol.jid import Jid

HOST = "capulet.example"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
BIND = (
    "<iq id='bind' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>"
)
MECHANISMS = "{urn:ietf:params:xml:ns:xmpp-sasl}mechanisms"


def header(**attributes: str | None) -> bytes:
    """Return a stream header."""
    named = {"version": "1.0", "to": HOST, **attributes}
    written = "".join(f" {key.rstrip('_')}='{value}'" for key, value in named.items() if value is not None)
    return (
        f"<?xml version='1.0'?><stream:stream xmlns='jabber:client'{written}"
        " xmlns:stream='http://etherx.jabber.org/streams'>"
    ).encode()


def auth(mechanism: str, data: bytes | None) -> str:
    """Return an <auth/>."""
    text = "" if data is None else b64encode(data).decode() or "="
    return f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{text}</auth>".replace(
        "></auth>", "/>"
    )


def response(data: bytes) -> str:
    """Return a <response/>."""
    return f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{b64encode(data).decode()}</response>"


def failed(element: ET.Element) -> str:
    """Return the condition of a <failure/>."""
    assert element.tag == f"{SASL}failure", element.tag
    return element[0].tag.removeprefix(SASL)


def offered(features: ET.Element) -> list[str]:
    """Return the names of the mechanisms that the features offer."""
    return [mechanism.text or "" for mechanism in features.iter(f"{SASL}mechanism")]


def opened(server: Server, **options: Any) -> Client:
    """Return a client that has opened a stream to the Capulets."""
    client = server.connection(**options)
    client.opens(HOST)
    return client


def real_account(server: Server) -> None:
    """Register Juliet with as many iterations as a client that is not ours insists on."""
    server.wait(server.node.accounts.create(Jid.parse("juliet@capulet.example"), derive_all(PASSWORD)))


def authenticated(server: Server, localpart: str = "juliet") -> Client:
    """Return a client that is authenticated and has opened its stream anew."""
    server.account(f"{localpart}@{HOST}")
    client = opened(server)
    assert client.authenticates(localpart, PASSWORD).tag == f"{SASL}success"
    client.opens(HOST)
    return client


class Waits:
    """Handlers that wait for a Deferred that the test fires."""

    def __init__(self) -> None:
        self.waiting: Deferred[None] = Deferred()

    @notice(SessionBound)
    async def bound(self, event: SessionBound) -> None:
        await self.waiting


class Notes:
    """Handlers that keep what they were told."""

    def __init__(self) -> None:
        self.failures: list[tuple[str | None, str]] = []
        self.ended: list[str] = []
        self.features: list[tuple[bool, bool]] = []

    @notice(LoginFailed)
    async def failed(self, event: LoginFailed) -> None:
        self.failures.append((event.username, event.address))

    @notice(SessionEnded)
    async def session_ended(self, event: SessionEnded) -> None:
        self.ended.append(event.session.jid)

    @collect(StreamFeatures)
    async def offer(self, event: StreamFeatures) -> None:
        self.features.append((event.authenticated, event.secure))


@pytest.fixture
def notes(server: Server) -> Notes:
    notes = Notes()
    server.node.hooks.bind("notes", notes)
    return notes


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


class TestFeatures:
    """RFC 6120, 4.3.2, 5.3.1, 6.3.3 and 7.3."""

    def test_tls_required(self, server: Server, notes: Notes) -> None:
        """5.3.1: before TLS nothing is offered but STARTTLS, and it is said to be required."""
        client = server.connection(secure=False)
        features = client.opens(HOST)
        starttls = features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls")
        assert starttls is not None
        assert [child.tag for child in starttls] == ["{urn:ietf:params:xml:ns:xmpp-tls}required"]
        assert features.find(MECHANISMS) is None
        assert notes.features == [(False, False)]

    def test_tls_optional(self, server: Server, notes: Notes) -> None:
        """Where TLS is optional but passwords may not pass in the clear, STARTTLS alone is offered."""
        features = server.connection(secure=False, tls_required=False).opens(HOST)
        starttls = features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls")
        assert starttls is not None
        assert not list(starttls)
        assert features.find(MECHANISMS) is None
        assert notes.features == [(False, False)]

    def test_scram_in_clear(self, server: Server, notes: Notes) -> None:
        """SCRAM is offered in the clear only if the listener says so, PLAIN never."""
        features = server.connection(secure=False, tls_required=False, scram_without_tls=True).opens(HOST)
        assert features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is not None
        assert offered(features) == ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"]
        assert notes.features == [(False, True)]

    def test_scram_in_clear_is_nothing_where_tls_is_required(self, server: Server) -> None:
        """The stricter of two settings counts."""
        client = server.connection(secure=False, scram_without_tls=True)
        assert offered(client.opens(HOST)) == []
        client.sends(auth("SCRAM-SHA-1", b"n,,n=juliet,r=abc"))
        client.receives_stream_error("policy-violation")

    def test_no_tls(self, server: Server) -> None:
        """A port without TLS offers none, and refuses it."""
        client = server.connection(secure=False, tls_allowed=False, tls_required=False, scram_without_tls=True)
        features = client.opens(HOST)
        assert features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is None
        client.sends(STARTTLS)
        client.receives_stream_error("unsupported-feature")

    def test_direct_tls(self, server: Server) -> None:
        """With TLS from the start there is nothing left to offer but mechanisms, the strongest first."""
        features = server.connection().opens(HOST)
        assert features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls") is None
        assert offered(features) == ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]

    def test_channel_binding(self, server: Server) -> None:
        """XEP-0440: the types stand beside the mechanisms that use them."""
        client = server.connection()
        client.connection.bindings = {"tls-exporter": b"data"}
        features = client.opens(HOST)
        assert "SCRAM-SHA-256-PLUS" in offered(features)
        assert features.find("{urn:xmpp:sasl-cb:0}sasl-channel-binding") is not None

    def test_anonymous(self) -> None:
        """XEP-0175: only where the host says so."""
        client = Server(anonymous=True).connection()
        assert offered(client.opens(HOST))[-1] == "ANONYMOUS"

    def test_behind_the_login(self, server: Server, notes: Notes) -> None:
        """7.3: resource binding is offered, authentication no longer."""
        client = authenticated(server)
        assert notes.features == [(False, True), (True, True)]
        features = client.raw.decode().rpartition("<stream:features>")[2]
        assert "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" in features
        assert "mechanism" not in features


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

    def test_registration_in_clear(self) -> None:
        """What a client would register with is a secret, too."""
        server = Server(modules={"register": {"enabled": True}})
        client = server.connection(secure=False, tls_required=False)
        features = client.opens(HOST)
        assert features.find("{http://jabber.org/features/iq-register}register") is None
        client.sends("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>")
        client.receives_error("policy-violation", id="1")


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
        """7.1: one stream, one resource; on a bound stream the request is one that nobody answers."""
        client = server.connect("juliet@capulet.example/balcony")
        client.sends(BIND.replace("balcony", "chamber"))
        client.receives_error("service-unavailable", id="bind")
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

    @pytest.mark.parametrize("fault", [None, Conflict(), KeyError("a bug")])
    @pytest.mark.parametrize("ends", [False, True])
    def test_request_before_login(self, server: Server, fault: Exception | None, ends: bool) -> None:
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

    def test_malformed_request_before_login(self, server: Server) -> None:
        """RFC 6120, 8.2.3 holds before the login, too."""
        client = opened(server)
        client.sends("<iq type='get'><a xmlns='urn:x'/></iq>")
        client.receives_error("bad-request")
        client.sends("<iq type='get' id='1'><a xmlns='urn:x'/></iq>")
        client.receives_stream_error("not-authorized")

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
