"""SQLite: durable, private, one writer, and honest about its faults."""

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url, select, text, update
from twisted.internet.defer import gatherResults

from xmppd.core.shards import StorageUnavailable
from xmppd.storage.database import Database
from xmppd.storage.faults import SlotElsewhere
from xmppd.storage.jobs import Limits
from xmppd.storage.shards import SqlShards
from xmppd.storage.slots import slot_of
from xmppd.storage.sqlite import SqliteLink, sqlite_engine
from xmppd.storage.tables import accounts, slot_here

from .deployments import HANG, Deployment, open_deployment

ROW = {"host": "h", "role": "user", "enabled": True, "created": 0.0, "last_status": ""}
ADD = insert(accounts)
COUNT = text("SELECT count(*) FROM accounts")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "xmppd.db"


@pytest.fixture
def deployment(file: Path) -> Iterator[Deployment]:
    """A deployment on a file, which waits for nobody's lock."""
    opened = open_deployment([f"sqlite:///{file}"], Limits(threads=2, lock=0.0))
    yield opened
    opened.run(opened.shards.close())


def count(deployment: Deployment) -> object:
    return deployment.run(deployment.databases[0].fetch("count", COUNT, {}))[0][0]


def add(deployment: Deployment, name: str) -> int:
    return deployment.run(deployment.databases[0].write("add", ADD, [{**ROW, "owner": name}], None))


class TestFile:
    """What the file is like."""

    def test_private(self, deployment: Deployment, file: Path) -> None:
        """It holds credentials: it is for our eyes only, and so is its folder if we made that."""
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    @pytest.mark.parametrize(
        ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("query_only", 1)]
    )
    def test_readers(self, deployment: Deployment, pragma: str, value: object) -> None:
        """WAL; a commit is on disk (FULL); foreign keys count; readers cannot write."""
        assert [(value,)] == deployment.run(deployment.databases[0].fetch("pragma", text(f"PRAGMA {pragma}"), {}))

    def test_writer(self, deployment: Deployment) -> None:
        """The writer writes to disk with every commit."""
        database = deployment.databases[0]
        asked = database.transaction("pragma", lambda c: c.exec_driver_sql("PRAGMA synchronous").scalar(), None)
        assert deployment.run(asked) == 2

    def test_nothing_is_written_by_reading(self, deployment: Deployment) -> None:
        """A write that is asked for as a read is refused."""
        with pytest.raises(StorageUnavailable, match="readonly"):
            deployment.run(deployment.databases[0].fetch("wrong", text("DELETE FROM accounts RETURNING owner"), {}))

    def test_committed_means_stored(self, deployment: Deployment, file: Path) -> None:
        """What was acknowledged is there for any other process."""
        add(deployment, "romeo@h")
        assert sqlite3.connect(file).execute("SELECT count(*) FROM accounts").fetchone() == (1,)


class TestFaults:
    """When the file cannot be used: told at once, over as soon as it can."""

    def test_somebody_else_writes(self, deployment: Deployment, file: Path) -> None:
        """Another process holds the lock for longer than we wait; reads go on."""
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="locked"):
            add(deployment, "romeo@h")
        assert count(deployment) == 0

        other.execute("COMMIT")
        assert add(deployment, "romeo@h") == 1

    def test_somebody_else_creates_the_file(self, tmp_path: Path) -> None:
        """A fresh file that another process holds cannot be switched to WAL yet; when it lets go, it can."""
        other = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN")
        other.execute("SELECT * FROM t").fetchall()
        database = Database(f"sqlite:///{tmp_path}/x.db", print, Limits(threads=0, lock=0.0))
        with pytest.raises(StorageUnavailable, match="locked"), database.blocking():
            raise AssertionError("connected to a file that is locked")

        other.execute("COMMIT")
        with database.blocking() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"

    def test_no_such_folder(self, tmp_path: Path) -> None:
        """A place where no file can be: the shard is down, and up as soon as there is a place."""
        place = tmp_path / "place"
        place.write_text("a file, not a folder")
        good = open_deployment([f"sqlite:///{tmp_path}/good.db"], Limits(threads=1))
        bad = open_from(good, f"sqlite:///{place}/xmppd.db")
        with pytest.raises(StorageUnavailable, match="is down"):
            count(bad)

        place.unlink()
        place.mkdir()
        (place / "xmppd.db").write_bytes((tmp_path / "good.db").read_bytes())
        assert count(bad) == 0
        for opened in (good, bad):
            opened.run(opened.shards.close())

    def test_damaged_file(self, deployment: Deployment, file: Path) -> None:
        """A file that is no database."""
        file.with_name("broken.db").write_bytes(b"no database at all" * 1000)
        broken = open_from(deployment, f"sqlite:///{file.with_name('broken.db')}")
        with pytest.raises(StorageUnavailable, match="not a database"):
            count(broken)
        broken.run(broken.shards.close())

    def test_long_query_is_interrupted(self, deployment: Deployment) -> None:
        """A read that nobody waits for any longer ends."""
        impatient = open_from(deployment, f"{deployment.databases[0].engine.url}", patience=0.05)
        endless = text("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")
        with pytest.raises(StorageUnavailable, match="interrupted"):
            impatient.run(impatient.databases[0].fetch("endless", endless, {}))
        impatient.run(impatient.shards.close())


def open_from(deployment: Deployment, url: str, patience: float = HANG) -> Deployment:
    """Open one shard without migrating it; its slots are those of another deployment."""
    shards = SqlShards([Database(url, deployment.loop.call, Limits(threads=1, retry=0.0, patience=patience))])
    shards.slots = deployment.shards.slots
    return Deployment(deployment.loop, shards)


class TestWrites:
    """One writer; many jobs in a commit."""

    def test_many_writers_at_once(self, deployment: Deployment) -> None:
        """Hundreds of writes at the same time all land, each counted."""
        database = deployment.databases[0]
        asked = [database.write("add", ADD, [{**ROW, "owner": f"{number}@h"}], None) for number in range(300)]
        assert deployment.run(gatherResults(asked)) == [1] * 300
        assert count(deployment) == 300

    def test_rows_of_one_write_stand_and_fall_together(self, deployment: Deployment) -> None:
        """The second row is refused: the first is not there either, the neighbour's is."""
        database = deployment.databases[0]
        rows = [{**ROW, "owner": "romeo@h"}, {**ROW, "owner": "romeo@h"}]
        broken = database.write("add", ADD, rows, None).addErrback(lambda failure: failure.type.__name__)
        fine = database.write("add", ADD, [{**ROW, "owner": "juliet@h"}], None)

        assert deployment.run(gatherResults([broken, fine])) == ["IntegrityError", 1]
        assert deployment.run(database.fetch("owners", select(accounts.c.owner), {})) == [("juliet@h",)]

    @pytest.mark.parametrize("is_alone", (True, False))
    def test_what_fails_is_undone(self, tmp_path: Path, is_alone: bool) -> None:
        """By a savepoint, so that its neighbours stay; without one if it has none."""
        link = SqliteLink(sqlite_engine(make_url(f"sqlite:///{tmp_path}/x.db"), 1.0))
        link.raw.execute("CREATE TABLE t (x)")
        link.begin(is_alone=is_alone)
        link.raw.execute("INSERT INTO t VALUES ('neighbour')")
        with pytest.raises(ZeroDivisionError), link.undoing():
            link.raw.execute("INSERT INTO t VALUES ('wrong')")
            raise ZeroDivisionError

        assert link.in_transaction is not is_alone
        assert link.raw.execute("SELECT x FROM t").fetchall() == ([] if is_alone else [("neighbour",)])
        link.abandon()
        link.close()

    def test_slot_that_is_not_here(self, deployment: Deployment) -> None:
        """A write to a slot that was closed is refused, whatever map the asker has."""
        slot = slot_of("romeo@h")
        database = deployment.databases[0]
        close = update(slot_here).where(slot_here.c.slot == slot).values(state="closed")
        deployment.run(database.write("close", close, [{}], None))

        with pytest.raises(SlotElsewhere):
            deployment.run(database.write("add", ADD, [{**ROW, "owner": "romeo@h"}], slot))
        with pytest.raises(SlotElsewhere):
            deployment.run(database.transaction("work", lambda connection: None, slot))
        assert count(deployment) == 0
