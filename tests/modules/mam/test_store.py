"""The store of what accounts want to be archived, on every kind of deployment, and what is remembered of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError
from twisted.internet.defer import Deferred

from tests.storage.deployments import INLINE, Deployment, open_deployment
from xmppd.core.drive import drive
from xmppd.core.shards import StorageUnavailable
from xmppd.modules.mam.options import Default
from xmppd.modules.mam.preferences import Preferences
from xmppd.modules.mam.store import PreferenceStore, RememberedPreferences
from xmppd.modules.mam.tables import metadata
from xmppd.protocol.jid import Jid

JULIET = Jid("juliet@capulet.example")
NURSE = Jid("nurse@capulet.example")
WANTED = Preferences(
    Default.ROSTER,
    always=(Jid("romeo@montague.example"), Jid("romeo@montague.example/orch\u00e4rd")),
    never=(Jid("paris@verona.example"),),
)


class TestPreferences:
    """One store; each test begins without preferences."""

    @pytest.fixture(autouse=True)
    def store(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.store_ = PreferenceStore(deployment.shards)

    def test_who_never_said(self) -> None:
        """An account that never said what it wants is told from one that did."""
        assert self.run(self.store_.load(JULIET)) is None

    def test_come_back_whole(self) -> None:
        """All that was said is kept, and the last word counts."""
        self.run(self.store_.put(JULIET, Preferences(Default.NEVER)))
        assert self.run(self.store_.load(JULIET)) == Preferences(Default.NEVER)
        self.run(self.store_.put(JULIET, WANTED))
        assert self.run(self.store_.load(JULIET)) == WANTED
        assert self.run(self.store_.load(NURSE)) is None

    def test_forgotten(self) -> None:
        """Nothing of an account is left, and nothing of others is lost."""
        self.run(self.store_.put(JULIET, WANTED))
        self.run(self.store_.put(NURSE, WANTED))
        self.run(self.store_.forget(JULIET))
        self.run(self.store_.forget(JULIET))
        assert self.run(self.store_.load(JULIET)) is None
        assert self.run(self.store_.load(NURSE)) == WANTED

    def test_migrated_schema(self, deployment: Deployment) -> None:
        """The table is what the migrations make of an empty database."""

        def is_ours(item: object, name: str | None, kind: str, *_: object) -> bool:
            return (name if kind == "table" else item.table.name) in metadata.tables  # type: ignore[attr-defined]

        with deployment.databases[0].blocking() as connection:
            options = {"include_object": is_ours, "compare_type": True, "target_metadata": metadata}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


class Racing:
    """Shards whose first transaction finds that another node was faster."""

    def __init__(self, shards: Any) -> None:
        self._shards = shards
        self.tries = 0

    async def transaction(self, owner: str, name: str, work: Any) -> Any:
        self.tries += 1
        if self.tries == 1:
            raise IntegrityError("insert", {}, Exception("there is such a row"))
        return await self._shards.transaction(owner, name, work)


def test_two_nodes_begin_one_row() -> None:
    """What is said last counts, whoever wrote first."""
    deployment = open_deployment(["sqlite://"], INLINE)
    shards = Racing(deployment.shards)
    deployment.run(PreferenceStore(shards).put(JULIET, WANTED))  # type: ignore[arg-type]
    assert shards.tries == 2
    assert deployment.run(PreferenceStore(deployment.shards).load(JULIET)) == WANTED


class Slow:
    """Shards that answer when they are told to; what was asked is counted."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[Sequence[Sequence[Any]]]] = []

    async def fetch(self, owner: str, name: str, statement: Any, parameters: Mapping[str, Any]) -> Any:
        self.waiting.append(Deferred())
        return await self.waiting[-1]

    async def transaction(self, owner: str, name: str, work: Any) -> None:
        """Succeed."""

    async def write(self, owner: str, name: str, statement: Any, rows: Any) -> int:
        return 1


class Down(Slow):
    """Shards that are down."""

    async def transaction(self, owner: str, name: str, work: Any) -> None:
        raise StorageUnavailable("down")


def remembering(shards: Slow, size: int = 100) -> RememberedPreferences:
    return RememberedPreferences(PreferenceStore(shards), lambda: size)  # type: ignore[arg-type]


def asked(remembered: RememberedPreferences, owner: Jid) -> "Deferred[Preferences | None]":
    result = drive(remembered.get(owner))
    assert isinstance(result, Deferred)
    return result


class TestMemory:
    """Who asks twice asks the database once."""

    def test_asked_once(self) -> None:
        """That an account has never said anything is remembered as well."""
        shards = Slow()
        remembered = remembering(shards)
        assert not remembered.is_silent(JULIET)
        asked(remembered, JULIET)
        shards.waiting[0].callback([])
        assert remembered.is_silent(JULIET)
        assert drive(remembered.get(JULIET)) is None
        assert len(shards.waiting) == 1

    def test_set_while_it_is_read(self) -> None:
        """What the account says now is newer than what is being read."""
        shards = Slow()
        remembered = remembering(shards)
        reading = asked(remembered, JULIET)
        drive(remembered.put(JULIET, WANTED))
        shards.waiting[0].callback([])
        found: list[Preferences | None] = []
        reading.addCallback(found.append)
        assert found == [WANTED]
        assert drive(remembered.get(JULIET)) == WANTED
        assert not remembered.is_silent(JULIET)

    def test_the_least_recently_used_go(self) -> None:
        """Memory is bounded."""
        shards = Slow()
        remembered = remembering(shards, size=2)
        addresses = [Jid(f"{n}@capulet.example") for n in range(3)]
        for address in addresses[:2]:
            drive(remembered.put(address, WANTED))
        drive(remembered.get(addresses[0]))
        drive(remembered.put(addresses[2], WANTED))
        assert len(remembered) == 2
        assert drive(remembered.get(addresses[0])) == WANTED
        assert shards.waiting == []
        asked(remembered, addresses[1])
        assert len(shards.waiting) == 1

    def test_not_kept(self) -> None:
        """What could not be written may be there all the same: it is read again."""
        shards = Down()
        remembered = remembering(shards)
        with pytest.raises(StorageUnavailable):
            drive(remembered.put(JULIET, WANTED))
        asked(remembered, JULIET)
        assert len(shards.waiting) == 1

    def test_forgotten(self) -> None:
        """An account of the same name begins anew."""
        remembered = remembering(Slow())
        drive(remembered.put(JULIET, WANTED))
        drive(remembered.forget(JULIET))
        assert len(remembered) == 0
