"""One stream's way through SASL2: XEP-0388 with Bind 2 (XEP-0386), on a server in memory."""

import hashlib
from base64 import b64decode, b64encode
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from twisted.internet.defer import Deferred

from tests.e2e.scram import Scram
from tests.scenario.client import Client
from tests.scenario.sasl2 import (
    BIND,
    LAPTOP,
    PHONE,
    SASL2,
    authenticate,
    base64,
    by_password,
    failed,
    succeeded,
    user_agent,
)
from tests.scenario.server import PASSWORD, Server
from tests.scenario.xml import show
from xmppd.core.credentials import derive_all
from xmppd.core.events import Authenticated, BindInline, InlineFeatures, LoginSucceeding, SessionBound
from xmppd.core.hooks import Phase, Verdict, collect, notice, on
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid

from .logins import header

HOST = "capulet.example"
JULIET = Jid.parse(f"juliet@{HOST}")
BOUND = "{urn:xmpp:bind:0}bound"


def ready(server: Server, *, account: bool = True, **options: Any) -> Client:
    """Return a client of Juliet's that may authenticate."""
    if account:
        server.account(JULIET)
    client = server.connection(**options)
    client.opens(HOST)
    return client


def response(data: bytes) -> str:
    return f"<response xmlns='urn:xmpp:sasl:2'>{base64(data)}</response>"


def sessions(server: Server) -> list[str]:
    return [session.jid for session in server.node.sessions.of(JULIET)]


class TestOffer:
    """SASL mechanism negotiation."""

    def test_the_same_mechanisms(self, server: Server) -> None:
        """They stand beside those of RFC 6120, with what can be asked for at once."""
        client = server.connection()
        features = client.opens(HOST)
        offered = features.find(f"{SASL2}authentication")
        assert offered is not None
        old = features.findall("{urn:ietf:params:xml:ns:xmpp-sasl}mechanisms/*")
        assert [each.text for each in offered.findall(f"{SASL2}mechanism")] == [each.text for each in old]
        assert offered.find(f"{SASL2}inline/{{urn:xmpp:bind:0}}bind") is not None
        tasks = [each.text for each in offered.findall("{urn:xmpp:sasl:upgrade:0}upgrade")]
        assert tasks == ["UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-512"]

    def test_not_before_tls(self, server: Server) -> None:
        """Security Considerations: SASL2 is offered behind TLS only."""
        client = server.connection(secure=False)
        assert client.opens(HOST).find(f"{SASL2}authentication") is None
        client.sends(by_password("juliet"))
        client.receives_stream_error("policy-violation")

    def test_where_tls_may_be_left_out(self, server: Server) -> None:
        """Such a port offers it where it was told that secrets may pass, and else says what is missing."""
        tunnel = server.connection(secure=False, tls_required=False, tls_allowed=False, scram_without_tls=True)
        assert tunnel.opens(HOST).find(f"{SASL2}authentication") is not None
        client = server.connection(secure=False, tls_required=False)
        assert client.opens(HOST).find(f"{SASL2}authentication") is None
        client.sends(by_password("juliet"))
        assert failed(client) == "encryption-required"

    def test_without_the_module(self) -> None:
        """Nobody is offered it, and who tries it all the same is told so."""
        server = Server(disable=("sasl2",))
        client = server.connection()
        assert client.opens(HOST).find(f"{SASL2}authentication") is None
        client.sends(by_password("juliet"))
        assert failed(client) == "invalid-mechanism"
        server.account(JULIET)
        assert client.authenticates("juliet", PASSWORD).tag.endswith("success")


class TestExchange:
    """Initiation to Failure."""

    def test_plain_authentication(self, server: Server) -> None:
        """Syntactic Equivalence: one element, then success and new features, and no restart."""
        client = ready(server)
        client.sends(by_password("juliet"))
        client.receives(
            "<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@capulet.example"
            "</authorization-identifier></success>"
        )
        features = client.receives_any()
        assert features.find("{urn:ietf:params:xml:ns:xmpp-bind}bind") is not None, show(features)
        assert client.binds("balcony") == f"{JULIET}/balcony"
        client.receives_nothing()

    @pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512-PLUS"])
    def test_challenges_and_responses(self, server: Server, mechanism: str) -> None:
        """The last message of SCRAM comes with the success, and the first one tells what was offered (XEP-0474)."""
        client = server.connection()
        binding = ("tls-exporter", b"e" * 32) if mechanism.endswith("-PLUS") else None
        if binding:
            client.connection.bindings = dict([binding])
        server.account(JULIET)
        client.opens(HOST)
        scram = Scram(mechanism, "juliet", PASSWORD, binding)
        client.sends(authenticate(mechanism, scram.first()))
        challenge = client.receives_any()
        assert challenge.tag == f"{SASL2}challenge"
        first = b64decode(challenge.text or "")
        assert b",h=" in first
        client.sends(response(scram.final(first)))
        success = succeeded(client)
        assert scram.accepts(b64decode(success.findtext(f"{SASL2}additional-data") or ""))

    def test_without_initial_response(self, server: Server) -> None:
        """Initiation: it is optional; an empty challenge asks for it."""
        client = ready(server)
        client.sends(authenticate("PLAIN", None))
        client.receives("<challenge xmlns='urn:xmpp:sasl:2'/>")
        client.sends(response(f"\0juliet\0{PASSWORD}".encode()))
        succeeded(client)

    @pytest.mark.parametrize(
        ("said", "condition"),
        [
            (by_password("juliet", password="wrong"), "not-authorized"),
            (by_password("nobody"), "not-authorized"),
            (authenticate("BLURDYBLOOP", b""), "invalid-mechanism"),
            (authenticate("HT-SHA-256-ENDP", b""), "invalid-mechanism"),
            ("<authenticate xmlns='urn:xmpp:sasl:2'/>", "invalid-mechanism"),
            (authenticate("PLAIN", b""), "malformed-request"),
        ],
    )
    def test_failures(self, server: Server, said: str, condition: str) -> None:
        """Failure: a condition of RFC 6120; the stream is as it was, and nothing inline was done."""
        client = ready(server)
        client.sends(said.replace("</authenticate>", f"{BIND}</authenticate>"))
        assert failed(client) == condition
        assert sessions(server) == []
        client.sends(by_password("juliet"))
        succeeded(client)

    def test_base64_is_strict(self, server: Server) -> None:
        """SASL Data Encoding: the sign for an empty response belongs to the old profile."""
        client = ready(server)
        client.sends(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>=</initial-response>"
            "</authenticate>"
        )
        assert failed(client) == "incorrect-encoding"

    def test_abort(self, server: Server) -> None:
        """Aborting: at any time before the end; then the client may try again."""
        client = ready(server)
        client.sends(authenticate("PLAIN", None))
        client.receives_any()
        client.sends("<abort xmlns='urn:xmpp:sasl:2'><text>I changed my mind</text></abort>")
        assert failed(client) == "aborted"
        client.sends(by_password("juliet"))
        succeeded(client)

    def test_both_profiles_on_one_stream(self, server: Server) -> None:
        """A client may fall back to the profile of RFC 6120, and the tries of both count."""
        client = ready(server)
        client.sends(by_password("juliet", password="wrong"))
        assert failed(client) == "not-authorized"
        assert client.authenticates("juliet", "wrong").tag.endswith("failure")
        client.sends(by_password("juliet", password="wrong"))
        assert failed(client) == "not-authorized"
        client.receives_stream_error("policy-violation")

    def test_the_old_profile_behind_a_failure(self, server: Server) -> None:
        """What follows `<auth/>` is the old profile's, whatever was tried before."""
        client = ready(server)
        client.sends(by_password("juliet", password="wrong"))
        assert failed(client) == "not-authorized"
        assert client.authenticates("juliet", PASSWORD).tag == "{urn:ietf:params:xml:ns:xmpp-sasl}success"
        client.opens(HOST)
        assert client.binds("balcony") == f"{JULIET}/balcony"

    @pytest.mark.parametrize(
        "more",
        [
            "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
            "<presence/>",
            "<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>",
            "<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>",
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>",
        ],
    )
    def test_nothing_else_during_authentication(self, server: Server, more: str) -> None:
        """During Authentication: a server must disconnect who sends anything else."""
        client = ready(server)
        client.sends(authenticate("PLAIN", None))
        client.receives_any()
        client.sends(more)
        client.receives_stream_error("not-authorized")

    def test_only_once(self, server: Server) -> None:
        """Multiple Authentication: behind the success it is a stream error."""
        client = ready(server)
        client.sends(by_password("juliet"))
        succeeded(client)
        client.sends(by_password("juliet"))
        client.receives_stream_error("policy-violation")

    def test_disabled(self, server: Server) -> None:
        """RFC 6120, 6.5.1: told to whoever has the password."""
        client = ready(server)
        server.wait(server.node.accounts.set_enabled(JULIET, False))
        client.sends(by_password("juliet", BIND))
        assert failed(client) == "account-disabled"

    def test_the_accounts_are_away(self, server: Server) -> None:
        """RFC 6120, 6.5.11: that is no failure of the client's."""
        client = ready(server)
        server.store.hold()
        client.sends(by_password("juliet", BIND))
        server.store.fail(StorageUnavailable())
        assert failed(client) == "temporary-auth-failure"

    def test_guesses_are_slowed(self) -> None:
        """They count as those of the old profile do: an address that has used up its own must wait."""
        server = Server(limits={"login_failures_per_address": 1})
        for _ in range(2):
            client = ready(server)
            client.sends(by_password("juliet", password="wrong"))
        client.receives_nothing()
        again = ready(server)
        again.sends(by_password("juliet"))
        assert failed(again) == "temporary-auth-failure"
        server.advance(minutes=1)
        assert failed(client) == "not-authorized"

    def test_a_guest(self) -> None:
        """XEP-0175: a guest gets a name with its success."""
        server = Server(anonymous=True)
        client = server.connection()
        client.opens(HOST)
        client.sends(authenticate("ANONYMOUS", b"", user_agent(), BIND))
        success = succeeded(client)
        (session,) = server.node.sessions
        assert session.is_anonymous
        assert success.findtext(f"{SASL2}authorization-identifier") == session.jid


class TestFrom:
    """The stream's `from` attribute."""

    def says(self, server: Server, who: str) -> Client:
        server.account(JULIET)
        server.account(f"nurse@{HOST}")
        client = server.connection()
        client.sends_bytes(header(from_=who))
        return client

    def test_who_the_client_is(self, server: Server) -> None:
        """SASL mechanism negotiation: our header is addressed to it."""
        client = self.says(server, JULIET)
        assert client.header["to"] == JULIET
        client.receives_any()
        client.sends(by_password("juliet"))
        succeeded(client)

    def test_somebody_else(self, server: Server) -> None:
        """Initiation: an identity that does not match fails the authentication."""
        client = self.says(server, JULIET)
        client.receives_any()
        client.sends(by_password("nurse", BIND))
        assert failed(client) == "invalid-authzid"
        assert list(server.node.sessions) == []
        client.sends(by_password("juliet"))
        succeeded(client)

    @pytest.mark.parametrize("who", ["romeo@montague.example", "montague.example"])
    def test_another_host(self, server: Server, who: str) -> None:
        """SASL mechanism negotiation: a domain that does not match `to` is an invalid-from."""
        self.says(server, who).receives_stream_error("invalid-from")


class TestBind:
    """XEP-0386: a resource with the authentication."""

    def test_one_round_trip(self, server: Server) -> None:
        """Performing the bind: the success names the full JID; stanzas flow at once."""
        server.account(JULIET)
        client = server.connection()
        client.sends_bytes(header() + by_password("juliet", user_agent(), BIND).encode() + b"<presence/>")
        assert client.receives_any().tag.endswith("features")
        success = succeeded(client)
        jid = Jid.parse(client.jid)
        assert jid.resourcepart.startswith("AwesomeXMPP/")
        assert success.find(BOUND) is not None
        client.receives(f"<presence from='{jid}' to='{JULIET}'/>")
        assert sessions(server) == [jid]

    def test_features_behind_it_offer_no_other_bind(self, server: Server) -> None:
        """Success: the features are those of the new state."""
        client = ready(server)
        client.sends(by_password("juliet", BIND))
        client.receives_any()
        features = client.receives_any()
        assert features.find("{urn:ietf:params:xml:ns:xmpp-bind}bind") is None
        assert features.find("{urn:xmpp:features:rosterver}ver") is not None

    def bound(self, server: Server, agent: str, tag: str = "AwesomeXMPP") -> Client:
        client = ready(server)
        client.sends(by_password("juliet", agent, BIND.replace("AwesomeXMPP", tag)))
        succeeded(client)
        return client

    def test_a_client_keeps_its_resource(self, server: Server) -> None:
        """Resource identifier generation: stable for a tag and a user agent, which it does not show."""
        one = self.bound(server, user_agent())
        two = self.bound(server, user_agent())
        assert one.jid == two.jid
        assert not any(part in one.jid for part in PHONE.split("-"))
        one.receives_stream_error("conflict")
        assert sessions(server) == [two.jid]

    def test_a_client_has_one_session(self, server: Server) -> None:
        """Performing the bind: earlier sessions of the same client end, whatever it calls itself today."""
        one = self.bound(server, user_agent())
        two = self.bound(server, user_agent(), "BetterXMPP")
        assert two.jid == one.jid.replace("AwesomeXMPP", "BetterXMPP")
        one.receives_stream_error("conflict")
        assert sessions(server) == [two.jid]

    def test_others_are_left_alone(self, server: Server) -> None:
        """Another client, or one that does not say which it is, has another resource."""
        clients = [self.bound(server, agent) for agent in (user_agent(), user_agent(LAPTOP), "", "")]
        assert sessions(server) == [client.jid for client in clients]
        assert len({client.jid for client in clients}) == 4

    def test_the_old_way_to_a_resource_knows_the_client_too(self, server: Server) -> None:
        """Who binds as RFC 6120 has it behind SASL2 is the same client all the same."""
        client = ready(server)
        client.sends(by_password("juliet", user_agent()))
        succeeded(client)
        client.binds("balcony")
        self.bound(server, user_agent())
        client.receives_stream_error("conflict")

    def test_too_many_sessions(self) -> None:
        """RFC 6120, 7.6.2.1: the login succeeds, without a resource; who asks for one is told why."""
        server = Server(limits={"sessions_per_account": 1})
        first = self.bound(server, user_agent())
        client = ready(server)
        client.sends(by_password("juliet", user_agent(LAPTOP), BIND))
        success = succeeded(client)
        assert success.find(BOUND) is None
        assert success.findtext(f"{SASL2}authorization-identifier") == JULIET
        client.sends("<iq id='b' type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        client.receives_error("resource-constraint")
        again = self.bound(server, user_agent())
        first.receives_stream_error("conflict")
        assert sessions(server) == [again.jid]

    def test_large_stanzas_may_follow(self, server: Server) -> None:
        """The limits of the time before authentication end with it."""
        client = self.bound(server, user_agent())
        client.sends(f"<iq type='get' id='p' to='{HOST}'><ping xmlns='urn:xmpp:ping'>{'x' * 20_000}</ping></iq>")
        assert client.receives_any().get("type") == "result"

    def test_and_without_a_resource(self, server: Server) -> None:
        """The same holds for who binds later, and for a stream whose header is unusual."""
        server.account(JULIET)
        client = server.connection()
        client.sends_bytes(header().replace(b"<stream:stream", b"<stream:stream xmlns:x='urn:x'"))
        client.receives_any()
        client.sends(by_password("juliet"))
        succeeded(client)
        client.binds("balcony")
        client.sends(f"<iq type='get' id='p' to='{HOST}'><ping xmlns='urn:xmpp:ping'>{'x' * 20_000}</ping></iq>")
        assert client.receives_any().get("type") == "result"

    def test_a_disabled_account_gets_no_session(self, server: Server) -> None:
        """Whoever is disabled between its authentication and its resource has none."""
        held = Held(server)
        client = ready(server)
        client.sends(by_password("juliet", BIND))
        server.wait(server.node.accounts.set_enabled(JULIET, False))
        held.waiting.callback(None)
        client.receives_stream_error("policy-violation")
        assert sessions(server) == []

    def test_a_connection_that_is_lost_meanwhile(self, server: Server) -> None:
        """Nothing begins for somebody who has gone."""
        held = Held(server)
        client = ready(server)
        client.sends(by_password("juliet", BIND))
        client.loses_connection()
        held.waiting.callback(None)
        server.run()
        assert sessions(server) == []

    @pytest.mark.parametrize("size", [*range(1, 10), 64, 1000])
    def test_any_chunking(self, server: Server, size: int) -> None:
        """However the bytes come, they mean the same."""
        server.account(JULIET)
        client = server.connection()
        said = header() + by_password("juliet", user_agent(), BIND).encode() + b"<presence/>"
        for start in range(0, len(said), size):
            client.sends_bytes(said[start : start + size])
        assert client.receives_any().tag.endswith("features")
        succeeded(client)
        assert client.receives_any().tag == "{jabber:client}presence"


class Held:
    """A handler that lets the end of each login wait."""

    def __init__(self, server: Server) -> None:
        self.waiting: Deferred[None] = Deferred()
        server.node.hooks.bind("held", self)

    @collect(LoginSucceeding)
    async def wait(self, event: LoginSucceeding) -> None:
        await self.waiting


class Extension:
    """A specification with an element of its own, inline and with a resource."""

    def __init__(self, server: Server) -> None:
        self.seen: list[str] = []
        self.session: Any = None
        server.node.hooks.bind("extension", self)

    @collect(InlineFeatures)
    async def offer(self, event: InlineFeatures) -> None:
        event.inline.append(E("{urn:x}resume"))
        event.bind.append("urn:x")

    @on(Authenticated, Phase.DELIVER)
    async def resume(self, event: Authenticated) -> Verdict | None:
        if event.request.request("{urn:x}resume") is None:
            return None
        if self.session is None:
            event.answers.append(E("{urn:x}failed"))
            return None
        event.session = self.session
        event.answers.append(E("{urn:x}resumed"))
        event.afterwards.append(lambda: event.wire.begin_session(self.session))  # type: ignore[attr-defined]
        event.afterwards.append(lambda: self.seen.append("resumed"))
        return Verdict.HANDLED

    @collect(BindInline)
    async def enable(self, event: BindInline) -> None:
        if event.request.child("{urn:x}enable") is not None:
            event.answers.append(E("{urn:x}enabled"))

    @notice(SessionBound)
    async def bound(self, event: SessionBound) -> None:
        self.seen.append("bound")


class TestInline:
    """What other specifications put there."""

    @pytest.fixture
    def extension(self, server: Server) -> Extension:
        return Extension(server)

    def test_it_is_offered(self, server: Server, extension: Extension) -> None:
        """Inline features, and those of Bind 2."""
        features = server.connection().opens(HOST)
        inline = features.find(f"{SASL2}authentication/{SASL2}inline")
        assert inline is not None
        assert inline.find("{urn:x}resume") is not None
        names = [each.get("var") for each in inline.iter("{urn:xmpp:bind:0}feature")]
        assert "urn:x" in names

    def test_features_are_enabled_with_the_resource(self, server: Server, extension: Extension) -> None:
        """XEP-0386, Performing the bind: their answers are in `<bound/>`."""
        client = ready(server)
        client.sends(by_password("juliet", BIND.replace("</bind>", "<enable xmlns='urn:x'/></bind>")))
        assert succeeded(client).find(f"{BOUND}/{{urn:x}}enabled") is not None
        assert extension.seen == ["bound"]

    def test_a_session_that_is_resumed_needs_no_other(self, server: Server, extension: Extension) -> None:
        """XEP-0386, Performing the bind: if the resumption succeeds, the request to bind is ignored."""
        online = server.connect(f"{JULIET}/balcony")
        (extension.session,) = server.node.sessions.of(JULIET)
        extension.seen.clear()
        client = ready(server)
        client.sends(by_password("juliet", "<resume xmlns='urn:x'/>", BIND))
        success = succeeded(client)
        assert client.jid == online.jid
        assert success.find("{urn:x}resumed") is not None
        assert success.find(BOUND) is None
        assert extension.seen == ["resumed"]
        assert sessions(server) == [online.jid]

    def test_one_that_is_not_resumed_is_followed_by_a_new_one(self, server: Server, extension: Extension) -> None:
        """XEP-0386, Performing the bind: the failure is told, and a resource is bound."""
        client = ready(server)
        client.sends(by_password("juliet", "<resume xmlns='urn:x'/>", BIND))
        success = succeeded(client)
        assert [child.tag for child in success][1:] == ["{urn:x}failed", BOUND]


class TestUpgrade:
    """XEP-0480: SASL Upgrade Tasks."""

    @pytest.fixture
    def client(self, server: Server) -> Client:
        """A client of an account that has keys of SHA-1 only."""
        only = {"SHA-1": derive_all(PASSWORD, 1)["SHA-1"]}
        server.wait(server.node.accounts.create(JULIET, only))
        return ready(server, account=False)

    def wants(self, *hashes: str) -> str:
        return "".join(f"<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-{name}</upgrade>" for name in hashes)

    def hashes(self, server: Server) -> set[str]:
        return set(server.wait(server.node.accounts.credentials(JULIET)))

    def begins(self, client: Client, name: str) -> ET.Element:
        continued = client.receives_any()
        assert continued.tag == f"{SASL2}continue", show(continued)
        assert continued.findtext(f"{SASL2}tasks/{SASL2}task") == f"UPGR-SCRAM-{name}"
        client.sends(f"<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-{name}'/>")
        data = client.receives_any()
        assert data.tag == f"{SASL2}task-data", show(data)
        return data[0]

    def finishes(self, client: Client, name: str, salt: ET.Element, password: str = PASSWORD) -> None:
        digest = name.replace("-", "").lower()
        salted = hashlib.pbkdf2_hmac(
            digest, password.encode(), b64decode(salt.text or ""), int(salt.attrib["iterations"])
        )
        client.sends(
            "<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>"
            f"{b64encode(salted).decode()}</hash></task-data>"
        )

    def test_an_upgrade(self, server: Server, client: Client) -> None:
        """SCRAM upgrade tasks: behind it the client authenticates by the new mechanism."""
        client.sends(by_password("juliet", self.wants("SHA-256"), BIND))
        salt = self.begins(client, "SHA-256")
        assert salt.tag == "{urn:xmpp:scram-upgrade:0}salt"
        assert int(salt.attrib["iterations"]) >= 4096
        assert sessions(server) == [], "nothing inline is done before the end"
        self.finishes(client, "SHA-256", salt)
        succeeded(client)
        assert self.hashes(server) == {"SHA-1", "SHA-256"}
        assert sessions(server) == [client.jid]

        again = ready(server, account=False)
        scram = Scram("SCRAM-SHA-256", "juliet", PASSWORD)
        again.sends(authenticate("SCRAM-SHA-256", scram.first()))
        again.sends(response(scram.final(b64decode(again.receives_any().text or ""))))
        succeeded(again)

    def test_the_mechanism_ends_with_the_task(self, server: Server, client: Client) -> None:
        """Continue: what SCRAM sends with its end comes there, and not a second time."""
        scram = Scram("SCRAM-SHA-1", "juliet", PASSWORD)
        client.sends(authenticate("SCRAM-SHA-1", scram.first(), self.wants("SHA-512")))
        client.sends(response(scram.final(b64decode(client.receives_any().text or ""))))
        assert scram.accepts(b64decode(client.inbox[0].findtext(f"{SASL2}additional-data") or ""))
        self.finishes(client, "SHA-512", self.begins(client, "SHA-512"))
        assert succeeded(client).find(f"{SASL2}additional-data") is None

    def test_one_task_after_another(self, server: Server, client: Client) -> None:
        """Client requesting SASL upgrades: a sequence of tasks occurs."""
        client.sends(by_password("juliet", self.wants("SHA-512", "SHA-256")))
        for name in ("SHA-512", "SHA-256"):
            self.finishes(client, name, self.begins(client, name))
        succeeded(client)
        assert self.hashes(server) == {"SHA-1", "SHA-256", "SHA-512"}

    def test_what_is_there_need_not_be_done(self, server: Server) -> None:
        """An account that has the keys is logged in at once."""
        client = ready(server)
        client.sends(by_password("juliet", self.wants("SHA-256", "SHA-512", "BLOOP2")))
        succeeded(client)

    def test_a_hash_that_is_none(self, server: Server, client: Client) -> None:
        """A task that fails ends the authentication for good: nobody may authenticate again (XEP-0388)."""
        client.sends(by_password("juliet", self.wants("SHA-256"), BIND))
        self.begins(client, "SHA-256")
        client.sends("<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'/></task-data>")
        assert failed(client) == "malformed-request"
        assert self.hashes(server) == {"SHA-1"}
        assert sessions(server) == []
        client.sends(by_password("juliet"))
        client.receives_stream_error("policy-violation")

    def test_another_task_than_the_one_that_is_due(self, server: Server, client: Client) -> None:
        """Continue: a client chooses one of the offered tasks."""
        client.sends(by_password("juliet", self.wants("SHA-256")))
        client.receives_any()
        client.sends("<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-512'/>")
        assert failed(client) == "malformed-request"

    def test_abort(self, server: Server, client: Client) -> None:
        """Aborting: a task may be aborted, too; the client is then nobody."""
        client.sends(by_password("juliet", self.wants("SHA-256")))
        client.receives_any()
        client.sends("<abort xmlns='urn:xmpp:sasl:2'/>")
        assert failed(client) == "aborted"
        client.sends("<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>")
        client.receives_stream_error("not-authorized")

    def test_a_password_that_was_changed_meanwhile(self, server: Server, client: Client) -> None:
        """Keys of the old one must not stand beside those of the new one."""
        client.sends(by_password("juliet", self.wants("SHA-256")))
        salt = self.begins(client, "SHA-256")
        only = {"SHA-1": derive_all("another", 1)["SHA-1"]}
        server.wait(server.node.accounts.set_credentials(JULIET, only))
        self.finishes(client, "SHA-256", salt)
        assert failed(client) == "credentials-expired"
        assert self.hashes(server) == {"SHA-1"}

    def test_the_accounts_are_away(self, server: Server, client: Client) -> None:
        """Then nothing is added, and the client may try another time."""
        client.sends(by_password("juliet", self.wants("SHA-256")))
        salt = self.begins(client, "SHA-256")
        server.store.hold()
        self.finishes(client, "SHA-256", salt)
        server.store.fail(StorageUnavailable())
        assert failed(client) == "temporary-auth-failure"
