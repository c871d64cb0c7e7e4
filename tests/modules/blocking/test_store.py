"""The store of block lists, on every kind of deployment."""

from collections.abc import Callable
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from tests.storage.deployments import INLINE, Deployment, open_deployment
from xmppd.modules.blocking.store import TRIES, BlocklistStore, TooMany
from xmppd.modules.blocking.tables import metadata
from xmppd.protocol.jid import Jid

JULIET, NURSE = Jid.parse("juliet@capulet.example"), Jid.parse("nurse@capulet.example")
ROMEO, IAGO = Jid.parse("romeo@montague.example"), Jid.parse("iago@shakespeare.example")
LONG = Jid.make("x" * 1000, "montague.example", "y" * 1000)


class TestBlocklists:
    """One store; each test begins with empty lists."""

    @pytest.fixture(autouse=True)
    def store(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.store_ = BlocklistStore(deployment.shards)

    def block(self, *jids: Jid, limit: int = 10) -> tuple[list[Jid], list[Jid]]:
        """Block; return what was there before and what is there now."""
        change = self.run(self.store_.block(JULIET, jids, limit))
        return list(change.before), list(change.after)

    def listed(self, owner: Jid = JULIET) -> list[Jid]:
        return list(self.run(self.store_.load(owner)))

    def test_nobody(self) -> None:
        """An account that has blocked nobody has an empty list."""
        assert self.listed() == []

    def test_block(self) -> None:
        """What is added is there; what was there stays; twice is once."""
        assert self.block(ROMEO, ROMEO) == ([], [ROMEO])
        assert self.block(IAGO, ROMEO) == ([ROMEO], [IAGO, ROMEO])
        assert self.listed() == [IAGO, ROMEO]

    def test_limit(self) -> None:
        """All are added or none; what is there already does not count."""
        self.block(ROMEO, limit=1)
        self.block(ROMEO, limit=1)
        with pytest.raises(TooMany):
            self.block(IAGO, LONG, limit=2)
        assert self.listed() == [ROMEO]

    def test_list_that_is_longer_than_allowed(self) -> None:
        """Where the limit was lowered nothing can be added, and what is there may be named."""
        self.block(ROMEO, IAGO)
        assert self.block(ROMEO, limit=1)[1] == [IAGO, ROMEO]

    def test_unblock(self) -> None:
        """What is taken out is gone, and what is not there is no matter."""
        self.block(ROMEO, IAGO)
        change = self.run(self.store_.unblock(JULIET, [ROMEO, ROMEO, NURSE]))
        assert (list(change.before), list(change.after)) == ([IAGO, ROMEO], [IAGO])
        assert self.listed() == [IAGO]

    def test_clear(self) -> None:
        """Nothing is left, but of others."""
        self.block(ROMEO, IAGO)
        self.run(self.store_.block(NURSE, [ROMEO], 10))
        change = self.run(self.store_.clear(JULIET))
        assert (list(change.before), list(change.after)) == ([IAGO, ROMEO], [])
        assert self.listed() == []
        assert self.listed(NURSE) == [ROMEO]

    def test_long_addresses(self) -> None:
        """An address may be longer than an index entry."""
        self.block(LONG)
        assert self.listed() == [LONG]

    def test_migrated_schema(self, deployment: Deployment) -> None:
        """The table is what the migrations make of an empty database."""

        def is_ours(item: object, name: str | None, kind: str, *_: object) -> bool:
            return (name if kind == "table" else item.table.name) in metadata.tables  # type: ignore[attr-defined]

        with deployment.databases[0].blocking() as connection:
            options = {"include_object": is_ours, "compare_type": True, "target_metadata": metadata}
            assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


class Colliding:
    """Shards on which another node is always a little faster, for a number of times."""

    def __init__(self, shards: Any, times: int) -> None:
        self._shards = shards
        self.times = times

    async def transaction(self, owner: Jid, name: str, work: Callable[[Any], Any]) -> Any:
        if self.times:
            self.times -= 1
            raise IntegrityError("insert", {}, ValueError("there is one"))
        return await self._shards.transaction(owner, name, work)


def test_other_nodes() -> None:
    """Two nodes that add the same address at once both succeed; what fails again and again is raised."""
    deployment = open_deployment(["sqlite://"], INLINE)
    store = BlocklistStore(Colliding(deployment.shards, TRIES - 1))  # type: ignore[arg-type]
    assert list(deployment.run(store.block(JULIET, [ROMEO], 10)).after) == [ROMEO]
    store = BlocklistStore(Colliding(deployment.shards, TRIES))  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        deployment.run(store.block(JULIET, [IAGO], 10))
