"""The contract of `core.accounts.Accounts`, on every kind of deployment."""

import pytest
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred, gatherResults

from xmppd.core.accounts import Account, AccountExists, AccountUnknown, Role, ScramKeys
from xmppd.protocol.jid import Jid
from xmppd.storage.accounts import SqlAccounts

from .deployments import Deployment

HOST = "capulet.example"
JULIET = Jid.parse("juliet@capulet.example")
KEYS = {
    "SHA-1": ScramKeys(b"salt\x00", 4096, b"\xff" * 20, b"\x01" * 20),
    "SHA-256": ScramKeys(b"pepper", 10_000, b"\xfe" * 32, b"\x02" * 32),
}
NOW = 1_700_000_000.5


class FixedClock:
    """A clock that stands still."""

    def seconds(self) -> float:
        return NOW

    def callLater(self, delay: float, callable: object, *args: object, **kw: object) -> None:
        raise NotImplementedError


class TestAccounts:
    """One account store; each test begins with an empty one."""

    @pytest.fixture(autouse=True)
    def store(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.accounts = SqlAccounts(deployment.shards, FixedClock())

    def create(self, *names: str, host: str = HOST) -> list[Jid]:
        jids = [Jid.parse(f"{name}@{host}") for name in names]
        for jid in jids:
            self.run(self.accounts.create(jid, {}))
        return jids

    def test_new_account(self) -> None:
        """A new account is enabled, has its role and was never seen."""
        self.run(self.accounts.create(JULIET, KEYS, Role.ADMIN))

        expected = Account(JULIET, Role.ADMIN, enabled=True, created=NOW, last_seen=None, last_status="")
        assert expected == self.run(self.accounts.get(JULIET))

    def test_jid_comes_back_as_jid(self) -> None:
        """What `get` and `page` return is an address, not a text."""
        self.create("juliet")

        assert self.run(self.accounts.get(JULIET)).jid.localpart == "juliet"
        assert self.run(self.accounts.page(HOST))[0].jid.localpart == "juliet"

    def test_unknown_account(self) -> None:
        """Nobody registered it: None, for the account and for its keys."""
        assert self.run(self.accounts.get(JULIET)) is None
        assert self.run(self.accounts.credentials(JULIET)) is None
        assert not self.run(self.accounts.exists(JULIET))

    def test_existence(self) -> None:
        """Somebody registered it."""
        self.run(self.accounts.create(JULIET, KEYS))
        assert self.run(self.accounts.exists(JULIET))

    def test_keys(self) -> None:
        """SCRAM keys come back as they were given, bytes and all."""
        self.run(self.accounts.create(JULIET, KEYS))

        assert self.run(self.accounts.credentials(JULIET)) == KEYS

    def test_account_without_keys(self) -> None:
        """An account that cannot log in by a password is not an unknown one."""
        self.create("juliet")

        assert self.run(self.accounts.credentials(JULIET)) == {}

    def test_name_is_taken(self) -> None:
        """The second registration is refused and changes nothing."""
        self.run(self.accounts.create(JULIET, KEYS))
        with pytest.raises(AccountExists):
            self.run(self.accounts.create(JULIET, {}, Role.ADMIN))

        assert self.run(self.accounts.get(JULIET)).role == Role.USER
        assert self.run(self.accounts.credentials(JULIET)) == KEYS

    def test_only_one_of_two_registrations_at_the_same_time(self) -> None:
        """Two people want the same name: one gets it."""
        both = [Deferred.fromCoroutine(self.accounts.create(JULIET, KEYS)) for _ in range(2)]
        outcomes = [deferred.addErrback(lambda failure: failure.value) for deferred in both]
        told = self.run(gatherResults(outcomes))

        assert [AccountExists] == [type(outcome) for outcome in told if outcome is not None]

    def test_create_is_atomic(self) -> None:
        """An account whose keys cannot be stored is not stored either."""
        broken = {"SHA-1": ScramKeys(b"salt", 4096, None, b"key")}  # type: ignore[arg-type]
        with pytest.raises(IntegrityError):
            self.run(self.accounts.create(JULIET, broken))

        assert self.run(self.accounts.get(JULIET)) is None

    def test_replace_keys(self) -> None:
        """New keys replace all old ones."""
        self.run(self.accounts.create(JULIET, KEYS))
        only = {"SHA-512": ScramKeys(b"new", 20_000, b"a" * 64, b"b" * 64)}
        self.run(self.accounts.set_credentials(JULIET, only))

        assert only == self.run(self.accounts.credentials(JULIET))

    def test_keys_of_further_hash_functions(self) -> None:
        """XEP-0480: they stand beside those that there are, which stay."""
        old = {"SHA-1": ScramKeys(b"old", 4096, b"a" * 20, b"b" * 20)}
        new = {"SHA-256": ScramKeys(b"new", 4096, b"c" * 32, b"d" * 32)}
        self.run(self.accounts.create(JULIET, old))
        assert self.run(self.accounts.add_credentials(JULIET, new, old)) is True
        assert self.run(self.accounts.credentials(JULIET)) == {**old, **new}

        other = {"SHA-256": ScramKeys(b"other", 4096, b"e" * 32, b"f" * 32)}
        assert self.run(self.accounts.add_credentials(JULIET, other, old)) is True
        assert self.run(self.accounts.credentials(JULIET)) == {**old, **new}

    def test_keys_of_a_password_that_is_none_any_more(self) -> None:
        """Nothing is added beside the keys of another password, nor to an account that is gone."""
        old = {"SHA-1": ScramKeys(b"old", 4096, b"a" * 20, b"b" * 20)}
        new = {"SHA-256": ScramKeys(b"new", 4096, b"c" * 32, b"d" * 32)}
        self.run(self.accounts.create(JULIET, KEYS))
        assert self.run(self.accounts.add_credentials(JULIET, new, old)) is False
        assert self.run(self.accounts.credentials(JULIET)) == KEYS
        assert self.run(self.accounts.add_credentials(Jid.parse(f"nobody@{HOST}"), new, old)) is False

    def test_role(self) -> None:
        """The role can be changed."""
        self.create("juliet")
        self.run(self.accounts.set_role(JULIET, Role.ADMIN))

        assert self.run(self.accounts.get(JULIET)).role == Role.ADMIN

    def test_disabled_account(self) -> None:
        """A disabled account is there, keys and all; it can be enabled again."""
        self.run(self.accounts.create(JULIET, KEYS))
        self.run(self.accounts.set_enabled(JULIET, False))
        assert self.run(self.accounts.get(JULIET)).enabled is False
        assert self.run(self.accounts.credentials(JULIET)) == KEYS

        self.run(self.accounts.set_enabled(JULIET, True))
        assert self.run(self.accounts.get(JULIET)).enabled is True

    def test_last_seen(self) -> None:
        """XEP-0012: the end of the last session, and what was said at its end."""
        self.create("juliet")
        self.run(self.accounts.set_last_seen(JULIET, NOW, "Parting is such sweet sorrow"))

        account = self.run(self.accounts.get(JULIET))
        assert (account.last_seen, account.last_status) == (NOW, "Parting is such sweet sorrow")

    def test_last_seen_never_goes_back(self) -> None:
        """Two nodes tell of two sessions in the wrong order: the later session counts."""
        self.create("juliet")
        self.run(self.accounts.set_last_seen(JULIET, NOW + 10, "late"))
        self.run(self.accounts.set_last_seen(JULIET, NOW, "early"))

        account = self.run(self.accounts.get(JULIET))
        assert (account.last_seen, account.last_status) == (NOW + 10, "late")

    def test_delete(self) -> None:
        """A deleted account leaves no keys behind, so the name can be given again."""
        self.run(self.accounts.create(JULIET, KEYS))
        self.run(self.accounts.delete(JULIET))
        assert self.run(self.accounts.get(JULIET)) is None

        self.create("juliet")
        assert self.run(self.accounts.credentials(JULIET)) == {}

    def test_changes_of_unknown_accounts(self) -> None:
        """There is nothing to change."""
        for change in (
            self.accounts.set_credentials(JULIET, KEYS),
            self.accounts.set_role(JULIET, Role.ADMIN),
            self.accounts.set_enabled(JULIET, False),
            self.accounts.delete(JULIET),
        ):
            with pytest.raises(AccountUnknown):
                self.run(change)

    def test_pages(self) -> None:
        """Pages follow the order of JIDs by code point, whatever shard an account is on."""
        created = self.create("b", "a", "é", "zoë", "a.b", "c", "a-b", "日本")
        self.create("mercutio", host="montague.example")

        pages = []
        after = ""
        while page := self.run(self.accounts.page(HOST, after, 3)):
            pages.append([account.jid for account in page])
            after = pages[-1][-1]
        assert sorted(created) == [jid for page in pages for jid in page]
        assert [len(page) for page in pages] == [3, 3, 2]

    def test_count(self) -> None:
        """Only the accounts of the host are counted."""
        self.create("juliet", "nurse", "tybalt", "sampson")
        self.create("romeo", host="montague.example")

        assert self.run(self.accounts.count(HOST)) == 4
        assert self.run(self.accounts.count("verona.example")) == 0

    def test_longest_address(self) -> None:
        """RFC 7622 allows 1023 bytes for a localpart: indexes take them."""
        longest = Jid.parse("é" * 511 + f"@{HOST}")
        self.run(self.accounts.create(longest, KEYS))

        assert longest == self.run(self.accounts.get(longest)).jid
