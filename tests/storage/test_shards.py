"""The contract of `core.shards.Shards`: N databases, found by owner."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, bindparam, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from xmppd.core.drive import drive
from xmppd.core.shards import StorageUnavailable
from xmppd.storage.database import Database
from xmppd.storage.jobs import Limits
from xmppd.storage.migrate import migrate
from xmppd.storage.shards import SqlShards
from xmppd.storage.slots import SlotMap, read_cached, slot_of, store_map
from xmppd.storage.tables import accounts, slot_here

from .deployments import INLINE, Deployment, Loop, open_deployment

ADD = insert(accounts)
OWN = select(accounts.c.owner).where(accounts.c.owner == bindparam("account"))
ALL = select(accounts.c.owner)
OWNERS = tuple(f"romeo{number}@montague.example" for number in range(20))


def row(owner: str) -> dict[str, object]:
    return {"owner": owner, "host": "h", "role": "user", "enabled": True, "created": 0.0, "last_status": ""}


class TestShards:
    """What modules rely on."""

    @pytest.fixture(autouse=True)
    def opened(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.shards = deployment.shards

    def add(self, *owners: str) -> None:
        for owner in owners:
            assert self.run(self.shards.write(owner, "add", ADD, [row(owner)])) == 1

    def test_owner_finds_its_rows(self) -> None:
        """What was written for an owner is fetched for that owner, whatever the shard."""
        self.add(*OWNERS)
        for owner in OWNERS:
            assert [(owner,)] == self.run(self.shards.fetch(owner, "own", OWN, {"account": owner}))

    def test_fetch_all(self) -> None:
        """A question to every shard brings the rows of all of them."""
        self.add(*OWNERS)
        assert set(OWNERS) == {owner for (owner,) in self.run(self.shards.fetch_all("all", ALL))}

    def test_rows_are_where_the_map_says(self) -> None:
        """Each shard has the rows of its own slots and no others."""
        self.add(*OWNERS)
        for index, database in enumerate(self.shards.databases):
            found = {owner for (owner,) in self.run(database.fetch("all", ALL, {}))}
            assert {owner for owner in OWNERS if self.shards.slots.shards[slot_of(owner)] == index} == found

    def test_write_of_nothing(self) -> None:
        """No rows, no transaction."""
        assert self.run(self.shards.write(OWNERS[0], "add", ADD, [])) == 0

    def test_write_without_parameters(self) -> None:
        """A statement that says everything itself."""
        self.add(OWNERS[0])
        assert self.run(self.shards.write(OWNERS[0], "drop", accounts.delete())) == 1

    def test_integrity(self) -> None:
        """A broken constraint is raised, and nothing is written."""
        self.add(OWNERS[0])
        with pytest.raises(IntegrityError):
            self.run(self.shards.write(OWNERS[0], "add", ADD, [row(OWNERS[0])]))

    def test_transaction(self) -> None:
        """What `work` returns is returned, what it raises is raised."""

        def work(connection: Connection) -> str:
            connection.execute(ADD, row(OWNERS[0]))
            return "done"

        def failing(connection: Connection) -> None:
            raise LookupError("no such room")

        assert self.run(self.shards.transaction(OWNERS[0], "work", work)) == "done"
        with pytest.raises(LookupError):
            self.run(self.shards.transaction(OWNERS[0], "work", failing))

    def test_fetch_all_that_fails(self) -> None:
        """One exception, as if one shard had been asked."""
        with pytest.raises(DBAPIError):
            self.run(self.shards.fetch_all("wrong", text("SELECT * FROM missing")))

    def test_old_map(self) -> None:
        """A slot was moved away and back under a newer map: the write is refused once, the map read, the write done."""
        slot = slot_of(OWNERS[0])
        home = self.shards.slots.shards[slot]
        newer = SlotMap(2, self.shards.slots.shards)
        self.run(self.shards.databases[0].transaction("move", lambda c: store_map(c, newer), None))
        last = len(self.shards.databases) - 1
        wrong = last - home if last else home
        old = list(self.shards.slots.shards)
        old[slot] = wrong
        self.shards.slots = SlotMap(1, tuple(old))

        self.add(OWNERS[0])
        if last:
            assert newer == self.shards.slots

    def add_each(self, *owners: str) -> None:
        self.run(self.shards.write_each("add", ADD, [(owner, row(owner)) for owner in owners]))

    def all(self) -> set[str]:
        return {owner for (owner,) in self.run(self.shards.fetch_all("all", ALL))}

    def test_many_owners_at_once(self) -> None:
        """Each owner's row is on its own shard."""
        self.add_each(*OWNERS)
        for owner in OWNERS:
            assert [(owner,)] == self.run(self.shards.fetch(owner, "own", OWN, {"account": owner}))

    def test_nobody_at_once(self) -> None:
        """No rows, no transaction."""
        self.add_each()
        assert self.all() == set()

    def test_one_of_many_fails(self) -> None:
        """On the shard of a row that breaks a constraint nothing is written, on others all is."""
        self.add(OWNERS[0])
        with pytest.raises(IntegrityError):
            self.add_each(*reversed(OWNERS))
        home = self.shards.slots.shards[slot_of(OWNERS[0])]
        others = {owner for owner in OWNERS if self.shards.slots.shards[slot_of(owner)] != home}
        assert self.all() == {OWNERS[0], *others}

    def test_old_map_of_many(self) -> None:
        """Rows that went to a shard without their slots are written where a newer map says."""
        newer = SlotMap(2, self.shards.slots.shards)
        self.run(self.shards.databases[0].transaction("move", lambda c: store_map(c, newer), None))
        last = len(self.shards.databases) - 1
        self.shards.slots = SlotMap(1, tuple(last - shard for shard in self.shards.slots.shards))
        self.add_each(*OWNERS)
        assert self.all() == set(OWNERS)
        assert newer.shards == self.shards.slots.shards

    def test_slot_of_one_of_many_is_nowhere(self) -> None:
        """While one slot is between two shards, nothing of its shard is written."""
        slot = slot_of(OWNERS[0])
        database = self.shards.databases[self.shards.slots.shards[slot]]
        close = update(slot_here).where(slot_here.c.slot == slot).values(state="closed")
        self.run(database.write("close", close, [{}], None))
        with pytest.raises(StorageUnavailable, match="is being moved"):
            self.add_each(*OWNERS)
        assert OWNERS[0] not in self.all()

    def test_slot_that_is_nowhere(self) -> None:
        """While a slot is between two shards its owners are told to come again."""
        slot = slot_of(OWNERS[0])
        database = self.shards.databases[self.shards.slots.shards[slot]]
        close = update(slot_here).where(slot_here.c.slot == slot).values(state="closed")
        self.run(database.write("close", close, [{}], None))
        with pytest.raises(StorageUnavailable, match="is being moved"):
            self.run(self.shards.write(OWNERS[0], "add", ADD, [row(OWNERS[0])]))

    def test_closed(self) -> None:
        """Closed shards refuse; closing waited for what was asked before."""
        self.add(OWNERS[0])
        self.run(self.shards.close())
        with pytest.raises(StorageUnavailable):
            self.run(self.shards.fetch(OWNERS[0], "own", OWN, {"account": OWNERS[0]}))


def test_inline_shards_never_wait() -> None:
    """In memory a coroutine that asks the shards ends at its first step: no Deferred is made by `drive`."""
    shards = open_deployment(["sqlite://"], INLINE).shards
    assert drive(shards.write(OWNERS[0], "add", ADD, [row(OWNERS[0])])) == 1
    assert [(OWNERS[0],)] == drive(shards.fetch(OWNERS[0], "own", OWN, {"account": OWNERS[0]}))
    assert drive(shards.transaction(OWNERS[0], "work", lambda connection: "x")) == "x"
    assert [(OWNERS[0],)] == drive(shards.fetch_all("all", ALL))
    with pytest.raises(IntegrityError):
        drive(shards.write(OWNERS[0], "add", ADD, [row(OWNERS[0])]))


class TestMap:
    """Where the map comes from at start-up."""

    def open(self, urls: list[str], cache: Path | None) -> SqlShards:
        return SqlShards([Database(url, print, INLINE) for url in urls], cache)

    def test_from_shard_0(self, tmp_path: Path) -> None:
        """Shard 0 has it, and the cache file gets it."""
        shards = self.open([f"sqlite:///{tmp_path}/0.db"], tmp_path / "slots.json")
        migrate(shards.databases)
        shards.load_map()
        assert SlotMap.even(1) == shards.slots == read_cached(tmp_path / "slots.json")

    def test_from_the_cache(self, tmp_path: Path) -> None:
        """Shard 0 is away: the node boots, and serves the owners of the other shards."""
        urls = [f"sqlite:///{tmp_path}/{shard}/x.db" for shard in range(2)]
        first = self.open(urls, tmp_path / "slots.json")
        migrate(first.databases)
        first.load_map()
        drive(first.close())
        (tmp_path / "0").rename(tmp_path / "away")
        (tmp_path / "0").write_text("no folder")

        second = self.open(urls, tmp_path / "slots.json")
        second.load_map()
        homes = {second.slots.shards[slot_of(owner)]: owner for owner in OWNERS}
        assert drive(second.write(homes[1], "add", ADD, [row(homes[1])])) == 1
        with pytest.raises(StorageUnavailable):
            drive(second.write(homes[0], "add", ADD, [row(homes[0])]))
        with pytest.raises(StorageUnavailable):
            drive(second.fetch_all("all", ALL))

        (tmp_path / "0").unlink()
        (tmp_path / "away").rename(tmp_path / "0")
        second.databases[0]._writes._runner.outage.end()  # type: ignore[attr-defined]
        assert drive(second.write(homes[0], "add", ADD, [row(homes[0])])) == 1

    def test_from_nowhere(self) -> None:
        """Without shard 0 and without a cache there is no way to know."""
        with pytest.raises(StorageUnavailable, match="is down"):
            self.open(["postgresql://romeo@127.0.0.1:1/verona"], None).load_map()

    def test_not_migrated(self) -> None:
        """An empty database is no deployment."""
        with pytest.raises(DBAPIError):
            self.open(["sqlite://"], None).load_map()

    def test_shard_that_is_not_configured(self, tmp_path: Path) -> None:
        """A map that names more shards than the configuration has is a mistake, found at start-up."""
        urls = [f"sqlite:///{tmp_path}/{shard}.db" for shard in range(2)]
        migrate(self.open(urls, None).databases)
        with pytest.raises(ValueError, match="names shard 1"):
            self.open(urls[:1], None).load_map()


def test_one_shard_is_down(postgres_urls: Callable[[int], list[str]]) -> None:
    """A shard that is down affects its own owners only."""
    loop = Loop()
    good = open_deployment(postgres_urls(2), Limits(threads=1))
    bad = Database("postgresql://romeo@127.0.0.1:1/verona", loop.call, Limits(threads=1))
    shards = SqlShards([good.databases[0], bad])
    shards.slots = good.shards.slots
    here, there = good.owner_on(0), good.owner_on(1)

    assert good.run(shards.write(here, "add", ADD, [row(here)])) == 1
    with pytest.raises(StorageUnavailable):
        loop.run(shards.write(there, "add", ADD, [row(there)]))
    assert [(here,)] == good.run(shards.fetch(here, "own", OWN, {"account": here}))
    good.run(good.shards.close())
    loop.run(bad.close())
