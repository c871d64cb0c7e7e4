"""The driver's half of SASL: what mechanisms ask for is looked up, and nobody learns whom we know."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from scramp import ScramClient

from xmppd.core.accounts import Account, KeptCredentials, Role
from xmppd.core.authentication import Attempt, Authenticator, Login
from xmppd.core.credentials import ITERATIONS, derive_all
from xmppd.core.drive import drive
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.errors import SaslFailure
from xmppd.protocol.jid import Jid
from xmppd.protocol.sasl import choice
from xmppd.protocol.sasl.exchange import Challenge, Context

HOST = Jid("capulet.example")
JULIET = Jid("juliet@capulet.example")
TYBALT = Jid("tybalt@capulet.example")
MECHANISMS = ["EXTERNAL", "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "ANONYMOUS"]
KEYS = derive_all("pencil")


class Store:
    """Juliet, and Tybalt, who is disabled."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.keys = {JULIET: KeptCredentials(KEYS, True), TYBALT: KeptCredentials(KEYS, False)}

    async def credentials(self, jid: Jid) -> KeptCredentials | None:
        if self.error is not None:
            raise self.error
        return self.keys.get(jid)

    async def get(self, jid: Jid) -> Account | None:
        return Account(jid, Role.USER, jid != TYBALT, 0.0) if jid in self.keys else None


class Fixture:
    """An authenticator, and how often it derived keys off the loop."""

    def __init__(self) -> None:
        self.store: Any = Store()
        self.checks = 0
        self.looked_up: list[Jid] = []
        self.addresses: Callable[[bytes], list[str]] = lambda der: []
        self.authenticator = Authenticator(self.store, b"s" * 32, self.in_thread, lambda der: self.addresses(der))

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        self.checks += 1
        return function(*args)

    def attempt(self, mechanism: str) -> Attempt:
        exchange = choice.start(mechanism, Context(HOST, MECHANISMS, {}, lambda: "nonce"))
        return Attempt(exchange, self.looked_up.append)

    def step(self, attempt: Attempt, data: bytes | None, certificate: bytes | None = None) -> Any:
        return drive(self.authenticator.step(attempt, data, HOST, certificate))

    def plain(self, name: str, password: str) -> Any:
        return self.step(self.attempt("PLAIN"), f"\0{name}\0{password}".encode())


@pytest.fixture
def given() -> Fixture:
    return Fixture()


def condition(action: Callable[[], object]) -> str:
    """Return the condition that an action fails with."""
    with pytest.raises(SaslFailure) as failure:
        action()
    return failure.value.condition


class TestPlain:
    """RFC 4616, over keys that do not hold the password."""

    def test_right(self, given: Fixture) -> None:
        """The account is the one whose password it is; the work was done off the loop."""
        assert given.plain("Juliet", "pencil") == Login(JULIET, b"")
        assert given.checks == 1

    def test_wrong_and_unknown(self, given: Fixture) -> None:
        """A stranger fails like a wrong password, and costs the same work."""
        assert condition(lambda: given.plain("juliet", "wrong")) == "not-authorized"
        assert condition(lambda: given.plain("nobody", "pencil")) == "not-authorized"
        assert given.checks == 2

    def test_account_without_keys(self, given: Fixture) -> None:
        """An account that has no password cannot log in by one, and looks like any other."""
        given.store.keys[JULIET] = KeptCredentials({}, True)
        assert condition(lambda: given.plain("juliet", "pencil")) == "not-authorized"
        assert given.checks == 1

    def test_disabled(self, given: Fixture) -> None:
        """Who has the right password is told that the account is disabled, and nobody else."""
        assert condition(lambda: given.plain("tybalt", "pencil")) == "account-disabled"
        assert condition(lambda: given.plain("tybalt", "wrong")) == "not-authorized"

    def test_told_before_it_is_looked_up(self, given: Fixture) -> None:
        """Who disables an account from that moment on knows of the attempt, so it need not be looked up again."""
        told_before: list[list[Jid]] = []

        async def credentials(jid: Jid) -> KeptCredentials:
            told_before.append(list(given.looked_up))
            return KeptCredentials(KEYS, True)

        given.store.credentials = credentials
        assert given.plain("juliet", "pencil") == Login(JULIET, b"")
        assert told_before == [[JULIET]]


class TestScram:
    """RFC 5802."""

    @pytest.mark.parametrize("hash_name", ["SHA-1", "SHA-256", "SHA-512"])
    def test_exchange(self, given: Fixture, hash_name: str) -> None:
        """Two steps; the server proves that it knows the keys."""
        name = f"SCRAM-{hash_name}"
        client, attempt = ScramClient([name], "juliet", "pencil"), given.attempt(name)
        challenge = given.step(attempt, client.get_client_first().encode())
        assert isinstance(challenge, Challenge)
        client.set_server_first(challenge.data.decode())
        login = given.step(attempt, client.get_client_final().encode())
        assert login.account == JULIET
        client.set_server_final(login.data.decode())

    def test_strangers(self, given: Fixture) -> None:
        """A stranger gets a salt of the usual length and the usual number of iterations, always the same ones."""
        first = given.step(given.attempt("SCRAM-SHA-256"), b"n,,n=nobody,r=abc").data
        again = given.step(given.attempt("SCRAM-SHA-256"), b"n,,n=Nobody,r=abc").data
        assert first == again
        _, salt, iterations = first.decode().split(",")
        assert iterations == f"i={ITERATIONS}"
        assert len(b64decode(salt[2:])) == len(KEYS["SHA-256"].salt)

    def test_missing_hash(self, given: Fixture) -> None:
        """An account that lacks the keys of one hash function fails by it, like a stranger."""
        given.store.keys[JULIET] = KeptCredentials({"SHA-1": KEYS["SHA-1"]}, True)
        challenge = given.step(given.attempt("SCRAM-SHA-512"), b"n,,n=juliet,r=abc")
        assert f"i={ITERATIONS}".encode() in challenge.data


class TestWhoItIsAbout:
    """Failures are counted by account, so it must be known whom an attempt names."""

    @pytest.mark.parametrize(
        ("mechanism", "message"),
        [
            ("PLAIN", b"\0Juliet\0wrong"),
            ("SCRAM-SHA-1", b"n,,n=Juliet,r=abc"),
            ("PLAIN", b"juliet@capulet.example\0juliet\0x"),
        ],
    )
    def test_named(self, given: Fixture, mechanism: str, message: bytes) -> None:
        """The prepared localpart, from the moment the client named it."""
        attempt = given.attempt(mechanism)
        assert attempt.username is None
        try:
            given.step(attempt, message)
        except SaslFailure as failure:
            assert failure.condition == "not-authorized"
        assert attempt.username == "juliet"

    @pytest.mark.parametrize("message", [b"\0a b\0x", b"nonsense", b"nurse@capulet.example\0juliet\0x"])
    def test_not_named(self, given: Fixture, message: bytes) -> None:
        """A name that no account can have, or that is not what the client acts as, blames nobody."""
        attempt = given.attempt("PLAIN")
        with pytest.raises(SaslFailure):
            given.step(attempt, message)
        assert attempt.username is None


class TestExternal:
    """XEP-0178: a certificate names accounts."""

    @pytest.mark.parametrize(
        ("named", "authzid", "outcome"),
        [
            (["juliet@capulet.example"], "", JULIET),
            (["juliet@capulet.example"], "juliet@capulet.example", JULIET),
            (["juliet@capulet.example", "tybalt@capulet.example"], "juliet@capulet.example", JULIET),
            (["juliet@capulet.example", "tybalt@capulet.example"], "", "not-authorized"),
            (["juliet@capulet.example"], "tybalt@capulet.example", "invalid-authzid"),
            (["juliet@capulet.example"], "a@b@c", "invalid-authzid"),
            (["nobody@capulet.example"], "", "not-authorized"),
            (["juliet@montague.example"], "", "not-authorized"),
            (["juliet@capulet.example/x", "capulet.example", "@"], "", "not-authorized"),
            ([], "juliet@capulet.example", "not-authorized"),
            (["tybalt@capulet.example"], "", "account-disabled"),
        ],
    )
    def test_certificates(self, given: Fixture, named: list[str], authzid: str, outcome: object) -> None:
        """One account of this host that exists, or the one that the client asks for among several."""
        given.addresses = lambda der: named
        attempt = given.attempt("EXTERNAL")
        if isinstance(outcome, Jid):
            assert given.step(attempt, authzid.encode(), b"DER").account == outcome
        else:
            assert condition(lambda: given.step(attempt, authzid.encode(), b"DER")) == outcome

    def test_no_certificate(self, given: Fixture) -> None:
        """Without a certificate there is nothing to go by."""
        given.addresses = lambda der: ["juliet@capulet.example"]
        assert condition(lambda: given.step(given.attempt("EXTERNAL"), b"")) == "not-authorized"


def test_anonymous(given: Fixture) -> None:
    """XEP-0175: each gets an account that nobody can guess."""
    one = given.step(given.attempt("ANONYMOUS"), b"")
    two = given.step(given.attempt("ANONYMOUS"), b"trace")
    assert one.is_anonymous
    assert one.account != two.account
    assert one.account.domainpart == HOST
    assert len(one.account.localpart) == 32


def test_empty_challenge(given: Fixture) -> None:
    """RFC 6120, 6.4.2: without an initial response the client is invited to speak."""
    attempt = given.attempt("PLAIN")
    assert given.step(attempt, None) == Challenge(b"")
    assert given.step(attempt, b"\0juliet\0pencil").account == JULIET


def test_storage_is_down(given: Fixture) -> None:
    """A database that does not answer is told as temporary; any other fault is a bug and stays one."""
    given.store.error = StorageUnavailable("shard 0", "down")
    assert condition(lambda: given.plain("juliet", "pencil")) == "temporary-auth-failure"
    given.store.error = KeyError("a bug")
    with pytest.raises(KeyError):
        given.plain("juliet", "pencil")


def test_encodings_agree() -> None:
    """The salts of real and fake keys look alike on the wire."""
    assert {len(b64encode(keys.salt)) for keys in KEYS.values()} == {24}
