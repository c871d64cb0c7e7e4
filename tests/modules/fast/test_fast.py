"""XEP-0484: Fast Authentication Streamlining Tokens."""

import hmac
from base64 import b64decode
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.scenario.client import Client
from tests.scenario.sasl2 import (
    BIND,
    FAST,
    LAPTOP,
    SASL2,
    authenticate,
    by_password,
    by_token,
    failed,
    request_token,
    succeeded,
    token_in,
    user_agent,
)
from tests.scenario.server import PASSWORD, Server
from xmppd.config.quantities import Duration
from xmppd.core.credentials import derive_all
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.jid import Jid
from xmppd.protocol.timestamps import parse_time

HOST = "capulet.example"
JULIET = Jid.parse(f"juliet@{HOST}")
BINDINGS = {"tls-exporter": b"e" * 32, "tls-server-end-point": b"p" * 32}
DAY = 24


def ready(server: Server, **options: Any) -> Client:
    """Return a client that may authenticate, on a connection with every channel binding."""
    server.account(JULIET)
    client = server.connection(**options)
    client.connection.bindings = BINDINGS
    client.opens(HOST)
    return client


def says(server: Server, text: str) -> Client:
    client = ready(server)
    client.sends(text)
    return client


def logs_in(server: Server, text: str) -> ET.Element:
    """Log in by one element and leave again; return the success."""
    client = says(server, text)
    success = succeeded(client)
    client.disconnects()
    return success


def is_refused(server: Server, text: str) -> str:
    return failed(says(server, text))


def new_token(server: Server, mechanism: str = "HT-SHA-256-NONE", agent: str = user_agent()) -> str:
    """Return a token that Juliet's client has got for her password."""
    token = token_in(logs_in(server, by_password("juliet", agent, request_token(mechanism))))
    assert token
    return token


def shown(token: str, **options: Any) -> str:
    """Return a login of Juliet's client by a token."""
    inline = options.pop("inline", "")
    return by_token("juliet", token, options.pop("agent", user_agent()), inline, **options)


class TestOffer:
    """Server advertises support for FAST."""

    def mechanisms(self, server: Server, bindings: dict[str, bytes], **options: Any) -> list[str]:
        client = server.connection(**options)
        client.connection.bindings = bindings
        features = client.opens(HOST)
        return [each.text or "" for each in features.iter(f"{FAST}mechanism")]

    def test_mechanisms(self, server: Server) -> None:
        """With channel binding and without; and none of them as a mechanism of SASL."""
        assert self.mechanisms(server, BINDINGS) == ["HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"]
        assert self.mechanisms(server, {}) == ["HT-SHA-256-NONE"]
        client = ready(server)
        assert client.authenticates("juliet", PASSWORD).tag.endswith("success")

    def test_under_tls_only(self, server: Server) -> None:
        """Security Considerations: whoever sees a login could repeat it."""
        options = {"secure": False, "tls_required": False, "tls_allowed": False, "scram_without_tls": True}
        assert self.mechanisms(server, {}, **options) == []
        client = server.connection(**options)
        client.opens(HOST)
        client.sends(authenticate("HT-SHA-256-NONE", b"juliet\0" + b"x" * 32, f"<fast xmlns='{FAST[1:-1]}'/>"))
        assert failed(client) == "invalid-mechanism"

    def test_not_in_the_old_profile(self, server: Server) -> None:
        """The mechanisms are those of a SASL2 inline feature."""
        client = ready(server)
        client.sends("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='HT-SHA-256-NONE'>AA==</auth>")
        failure = client.receives_any()
        assert failure[0].tag == "{urn:ietf:params:xml:ns:xmpp-sasl}invalid-mechanism"


class TestTokens:
    """Client performs initial authentication, Server provides token to client."""

    def test_a_token_for_a_password(self, server: Server) -> None:
        """It comes with the success, and says when it ends."""
        success = logs_in(server, by_password("juliet", user_agent(), request_token()))
        token = success.find(f"{FAST}token")
        assert token is not None
        assert len(token.attrib["token"]) > 40
        assert parse_time(token.attrib["expiry"]) == server.clock.seconds() + 21 * 86400

    @pytest.mark.parametrize(
        "inline",
        [
            (user_agent(),),
            (request_token(),),
            (user_agent("no uuid"), request_token()),
            (user_agent(), request_token("HT-SHA-512-NONE")),
            (user_agent(), f"<request-token xmlns='{FAST[1:-1]}'/>"),
        ],
    )
    def test_who_gets_none(self, server: Server, inline: tuple[str, ...]) -> None:
        """Who does not ask, who does not say which client it is, and who wants it for something else."""
        assert not token_in(logs_in(server, by_password("juliet", *inline)))

    def test_not_before_it_is_over(self, server: Server) -> None:
        """Server provides token to client: never without a full authentication."""
        client = says(server, by_password("juliet", user_agent(), request_token(), password="wrong"))
        assert failed(client) == "not-authorized"
        with server.database.blocking() as connection:
            assert connection.exec_driver_sql("select * from fast_tokens").all() == []

    def test_guests_get_none(self) -> None:
        """There is nothing to come back to."""
        server = Server(anonymous=True)
        client = server.connection()
        client.opens(HOST)
        client.sends(authenticate("ANONYMOUS", b"", user_agent(), request_token()))
        assert not token_in(succeeded(client))

    def test_there_are_none_in_the_database(self, server: Server) -> None:
        """Who steals the database has no token."""
        token = new_token(server)
        with server.database.blocking() as connection:
            driver: Any = connection.connection.driver_connection
            assert token.encode() not in driver.serialize()


class TestLogin:
    """Client authenticates using FAST."""

    @pytest.mark.parametrize(
        ("mechanism", "binding"),
        [
            ("HT-SHA-256-NONE", b""),
            ("HT-SHA-256-EXPR", BINDINGS["tls-exporter"]),
            ("HT-SHA-256-ENDP", BINDINGS["tls-server-end-point"]),
        ],
    )
    def test_one_round_trip(self, server: Server, mechanism: str, binding: bytes) -> None:
        """The server proves that it knows the token, too; no other token comes so soon."""
        token = new_token(server, mechanism)
        success = logs_in(server, shown(token, mechanism=mechanism, binding=binding, inline=BIND))
        answer = b64decode(success.findtext(f"{SASL2}additional-data") or "")
        assert answer == hmac.digest(token.encode(), b"Responder" + binding, "sha256")
        assert success.find("{urn:xmpp:bind:0}bound") is not None
        assert not token_in(success)

    def test_again_and_again(self, server: Server) -> None:
        """A token is good for many logins."""
        token = new_token(server)
        for _ in range(3):
            logs_in(server, shown(token))

    def test_another_token_than_the_own(self, server: Server) -> None:
        """A wrong one, none at all, another client's, another account's: all get the same answer."""
        token = new_token(server)
        server.account(f"nurse@{HOST}")
        for text in (
            shown("wrong"),
            shown(""),
            shown(token, agent=user_agent(LAPTOP)),
            shown(token, agent=""),
            by_token("nurse", token, user_agent()),
            by_token("nobody", token, user_agent()),
        ):
            assert is_refused(server, text) == "not-authorized"
            server.advance(minutes=10)
        logs_in(server, shown(token))

    def test_another_mechanism(self, server: Server) -> None:
        """A token is bound to the mechanism that it was asked for, above all where that has channel binding."""
        token = new_token(server, "HT-SHA-256-EXPR")
        assert is_refused(server, shown(token)) == "not-authorized"
        endpoint = BINDINGS["tls-server-end-point"]
        assert is_refused(server, shown(token, mechanism="HT-SHA-256-ENDP", binding=endpoint)) == "not-authorized"

    def test_another_connection(self, server: Server) -> None:
        """Channel binding: a login that was seen elsewhere is worth nothing here."""
        token = new_token(server, "HT-SHA-256-EXPR")
        assert is_refused(server, shown(token, mechanism="HT-SHA-256-EXPR", binding=b"x" * 32)) == "not-authorized"

    def test_it_must_be_announced(self, server: Server) -> None:
        """A client must include `<fast/>`, whose attributes are read strictly."""
        token = new_token(server)
        unannounced = shown(token).replace(f"<fast xmlns='{FAST[1:-1]}'/>", "")
        assert is_refused(server, unannounced) == "malformed-request"
        assert is_refused(server, shown(token, use=" count='-1'")) == "malformed-request"

    def test_guesses_are_slowed(self) -> None:
        """They count as guesses of a password do."""
        server = Server(limits={"login_failures_per_address": 1})
        for _ in range(2):
            client = says(server, shown("wrong"))
        client.receives_nothing()
        server.advance(minutes=1)
        assert failed(client) == "not-authorized"

    def test_tokens_that_cannot_be_looked_up(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """A database that is away is nobody's failure."""
        token = new_token(server)

        async def fails(*_: object) -> None:
            raise StorageUnavailable

        monkeypatch.setattr(server.node.loader.loaded["fast"]._store, "of", fails)
        assert is_refused(server, shown(token)) == "temporary-auth-failure"

    def test_without_the_module(self, server: Server) -> None:
        """Tokens are good no more while nobody looks after them."""
        token = new_token(server)
        server.wait(server.node.loader.unload("fast"))
        assert is_refused(server, shown(token)) == "invalid-mechanism"


class TestCount:
    """Client authenticates using FAST: what protects early data from being repeated."""

    def test_it_grows(self, server: Server) -> None:
        """A login that was seen cannot be repeated."""
        token = new_token(server)
        logs_in(server, shown(token, use=" count='1'"))
        assert is_refused(server, shown(token, use=" count='1'")) == "not-authorized"
        logs_in(server, shown(token, use=" count='7'"))
        assert is_refused(server, shown(token, use=" count='6'")) == "not-authorized"

    def test_nothing_is_done_for_a_repetition(self, server: Server) -> None:
        """It must not disrupt the session that the first one began."""
        token = new_token(server)
        client = says(server, shown(token, use=" count='1'", inline=BIND))
        succeeded(client)
        assert is_refused(server, shown(token, use=" count='1'", inline=BIND)) == "not-authorized"
        client.receives_nothing()
        assert not client.connection.closed

    def test_zero_is_none(self, server: Server) -> None:
        """It is a positive integer."""
        assert is_refused(server, shown(new_token(server), use=" count='0'")) == "not-authorized"


class TestRotation:
    """Server initiates token rotation."""

    def test_when_it_is_due(self, server: Server) -> None:
        """A client that comes a day later gets another one; until it uses that, both are good."""
        token = new_token(server)
        server.advance(hours=DAY - 1)
        assert not token_in(logs_in(server, shown(token)))
        server.advance(hours=2)
        fresh = token_in(logs_in(server, shown(token)))
        assert fresh not in ("", token)
        logs_in(server, shown(token))
        newest = token_in(logs_in(server, shown(token)))
        assert is_refused(server, shown(fresh)) == "not-authorized", "it was not used when another one was given"
        logs_in(server, shown(newest))
        assert is_refused(server, shown(token)) == "not-authorized", "the newer one was used"

    def test_near_its_end(self) -> None:
        """However long a rotation takes, a token that ends soon is replaced."""
        options = {"fast": {"lifetime": Duration("4h"), "rotation": Duration("30d")}}
        server = Server(modules=options)
        token = new_token(server)
        server.advance(hours=2.9)
        assert not token_in(logs_in(server, shown(token)))
        server.advance(hours=0.2)
        assert token_in(logs_in(server, shown(token)))

    def test_on_request(self, server: Server) -> None:
        """A client may ask for another one whenever it logs in, for another mechanism, too."""
        token = new_token(server)
        other = token_in(logs_in(server, shown(token, inline=request_token("HT-SHA-256-EXPR"))))
        logs_in(server, shown(other, mechanism="HT-SHA-256-EXPR", binding=BINDINGS["tls-exporter"]))
        assert is_refused(server, shown(token)) == "not-authorized"


class TestEnd:
    """When a token is good no more."""

    def test_expiry(self) -> None:
        """Server responsibilities: who is no longer trusted is told credentials-expired, if it has the token."""
        server = Server(modules={"fast": {"lifetime": Duration("1h")}})
        token = new_token(server)
        server.advance(hours=1)
        assert is_refused(server, shown(token)) == "credentials-expired"
        assert is_refused(server, shown("wrong")) == "not-authorized"

    @pytest.mark.parametrize("value", ["true", "1"])
    def test_invalidation(self, server: Server, value: str) -> None:
        """Client requests token invalidation: the login succeeds, and it was the last one."""
        token = new_token(server)
        server.advance(hours=2 * DAY)
        success = logs_in(server, shown(token, use=f" invalidate='{value}'"))
        assert not token_in(success), "even if it was due"
        assert is_refused(server, shown(token)) == "not-authorized"

    def test_invalidation_in_exchange_for_another(self, server: Server) -> None:
        """Client requests token invalidation: unless it has asked for one."""
        token = new_token(server)
        other = token_in(logs_in(server, shown(token, use=" invalidate='true'", inline=request_token())))
        assert is_refused(server, shown(token)) == "not-authorized"
        logs_in(server, shown(other))

    def test_another_password(self, server: Server) -> None:
        """Whoever has taken the account with the old one is out."""
        token = new_token(server)
        server.wait(server.node.accounts.set_credentials(JULIET, derive_all("another", 1)))
        assert is_refused(server, shown(token)) == "credentials-expired"

    def test_further_keys_of_the_same_password(self, server: Server) -> None:
        """XEP-0480: an upgrade is no other password."""
        keys = derive_all(PASSWORD, 1)
        server.wait(server.node.accounts.create(JULIET, {"SHA-1": keys["SHA-1"]}))
        token = new_token(server)
        more = {"SHA-512": keys["SHA-512"]}
        assert server.wait(server.node.accounts.add_credentials(JULIET, more, {"SHA-1": keys["SHA-1"]}))
        logs_in(server, shown(token))

    def test_an_account_that_is_disabled(self, server: Server) -> None:
        """It does not log in, and when it is enabled again it begins with its password."""
        token = new_token(server)
        server.wait(server.node.accounts.set_enabled(JULIET, False))
        assert is_refused(server, shown(token)) == "not-authorized"
        server.wait(server.node.accounts.set_enabled(JULIET, True))
        assert is_refused(server, shown(token)) == "not-authorized"

    def test_an_account_that_was_disabled_elsewhere(self, server: Server) -> None:
        """Where nobody told this server, its token is good and the account is not."""
        token = new_token(server)
        server.wait(server.node.store.set_enabled(JULIET, False))
        assert is_refused(server, shown(token)) == "account-disabled"

    def test_an_account_that_was_registered_anew(self, server: Server) -> None:
        """Nothing of the one that is gone opens the new one."""
        token = new_token(server)
        server.wait(server.node.accounts.delete(JULIET))
        assert is_refused(server, shown(token)) == "not-authorized"
