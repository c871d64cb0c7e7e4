"""The store of tokens, on every kind of deployment."""

from dataclasses import replace
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from tests.storage.deployments import INLINE, Deployment, open_deployment
from xmppd.modules.fast.store import CURRENT, FRESH, Kept, TokenStore
from xmppd.modules.fast.tables import metadata
from xmppd.protocol.jid import Jid

JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")
NOW = 1_275_307_200.0
DAY = 86_400.0


def token(serial: bytes = b"one", *, issued: float = NOW, expires: float = NOW + DAY) -> Kept:
    return Kept(FRESH, "HT-SHA-256-EXPR", serial, b"mark", issued, expires)


class TestTokens:
    """One store; each test begins without tokens."""

    @pytest.fixture(autouse=True)
    def store(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.tokens = TokenStore(deployment.shards)

    def issue(self, given: Kept, client: str = "phone", account: Jid = JULIET, most: int = 10) -> Kept:
        self.run(self.tokens.issue(account, client, given, most))
        return given

    def of(self, client: str = "phone", account: Jid = JULIET) -> dict[int, Kept]:
        return {kept.slot: kept for kept in self.run(self.tokens.of(account, client))}

    def use(self, used: Kept, count: int | None = None, client: str = "phone") -> bool:
        return self.run(self.tokens.use(JULIET, client, used, count))

    def clients(self, now: float = NOW) -> set[str]:
        return set(self.run(self.tokens.clients(JULIET, now, [b"mark"])))

    def test_a_token_comes_back_whole(self) -> None:
        """Every client of every account has its own."""
        one, two, three = token(b"one"), token(b"two"), token(b"\0\xff")
        self.issue(one)
        self.issue(two, "laptop")
        self.issue(three, account=ROMEO)
        assert self.of() == {FRESH: one}
        assert self.of("laptop") == {FRESH: two}
        assert self.of(account=ROMEO) == {FRESH: three}
        assert self.of("tablet") == {}

    def test_a_token_that_was_not_used_is_replaced(self) -> None:
        """XEP-0484, Server initiates token rotation: unused ones are invalidated when another one is given."""
        self.issue(token(b"one"))
        self.issue(token(b"two"))
        assert self.of() == {FRESH: token(b"two")}

    def test_the_first_use_of_a_token_ends_the_one_before(self) -> None:
        """Server initiates token rotation: until then both are good."""
        first = self.issue(token(b"one"))
        assert self.use(first)
        second = self.issue(token(b"two"))
        assert self.of() == {CURRENT: replace(first, slot=CURRENT), FRESH: second}
        assert self.use(second)
        assert self.of() == {CURRENT: replace(second, slot=CURRENT)}

    def test_the_old_token_leaves_the_fresh_one(self) -> None:
        """A client that lost the answer comes with the old token; the fresh one is still what it may get."""
        first = self.issue(token(b"one"))
        self.use(first)
        second = self.issue(token(b"two"))
        assert self.use(replace(first, slot=CURRENT), 5)
        assert self.of() == {CURRENT: replace(first, slot=CURRENT, count=5), FRESH: second}

    def test_counts_only_grow(self) -> None:
        """Client authenticates using FAST: a count that is not above the last one is a replay."""
        first = self.issue(token())
        assert self.use(first, 3)
        current = replace(first, slot=CURRENT, count=3)
        assert not self.use(current, 3)
        assert not self.use(current, 2)
        assert self.use(current, 4)
        assert self.of()[CURRENT].count == 4

    def test_a_use_without_a_count_leaves_it(self) -> None:
        """Outside of early data nobody need count."""
        first = self.issue(token())
        self.use(first, 3)
        assert self.use(replace(first, slot=CURRENT, count=3))
        assert self.of()[CURRENT].count == 3

    def test_a_token_that_went_meanwhile_cannot_be_used(self) -> None:
        """Between the look and the use somebody may have revoked it."""
        first = self.issue(token())
        assert self.run(self.tokens.drop(JULIET, "phone")) is True
        assert not self.use(first)
        assert self.run(self.tokens.drop(JULIET, "phone")) is False

    def test_two_uses_at_once(self) -> None:
        """Two connections that come with the same fresh token both have it."""
        first = self.issue(token())
        assert self.use(first)
        assert self.use(first)

    def test_whoever_may_log_in(self) -> None:
        """A client with a token that has ended is not among them."""
        self.issue(token(b"one"))
        self.issue(token(b"two", expires=NOW + 3 * DAY), "laptop")
        assert self.clients() == {"phone", "laptop"}
        assert self.clients(NOW + 2 * DAY) == {"laptop"}
        assert self.run(self.tokens.clients(JULIET, NOW, [b"mark"]))["phone"] == NOW
        assert self.run(self.tokens.clients(JULIET, NOW, [b"another"])) == {}
        self.run(self.tokens.forget(JULIET))
        assert self.clients() == set()

    def test_what_has_ended_is_swept_away(self) -> None:
        """Nothing is left for ever of clients that do not come back."""
        self.issue(token(b"one"))
        self.issue(token(b"two", issued=NOW + 2 * DAY, expires=NOW + 3 * DAY), "laptop")
        assert self.of() == {}

    def test_an_account_has_a_bound(self) -> None:
        """The clients whose tokens end first make room."""
        for number in range(3):
            self.issue(token(b"%d" % number, expires=NOW + DAY + number), f"client {number}", most=3)
        self.issue(token(b"3", expires=NOW + 2 * DAY), "client 1", most=3)
        assert self.clients() == {"client 0", "client 1", "client 2"}
        self.issue(token(b"4", expires=NOW + 2 * DAY), "client 3", most=3)
        assert self.clients() == {"client 1", "client 2", "client 3"}
        self.issue(token(b"5", expires=NOW + 2 * DAY), "client 4", most=1)
        assert self.clients() == {"client 4"}

    def test_tables_are_those_of_the_migrations(self, deployment: Deployment) -> None:
        """What the module declares is what a migrated database has."""

        def is_ours(item: Any, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
            return kind != "table" or name in metadata.tables

        with deployment.databases[0].blocking() as connection:
            options = {"include_object": is_ours, "compare_type": True, "target_metadata": metadata}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_two_logins_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If another node has given the same client a token at this moment, the later one counts."""
    deployment = open_deployment(["sqlite://"], INLINE)
    store, shards = TokenStore(deployment.shards), deployment.shards
    real, failures = shards.transaction, [IntegrityError("insert", {}, Exception("unique"))]

    async def transaction(owner: str, name: str, work: Any) -> Any:
        if failures:
            raise failures.pop()
        return await real(owner, name, work)

    monkeypatch.setattr(shards, "transaction", transaction)
    deployment.run(store.issue(JULIET, "phone", token(), 10))
    assert deployment.run(store.of(JULIET, "phone")) == [token()]
