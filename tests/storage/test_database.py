"""The contract of one shard, on every kind of database."""

import threading
from pathlib import Path
from traceback import format_exception

import pytest
from sqlalchemy import Connection, bindparam, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from twisted.internet.defer import gatherResults
from twisted.python.failure import Failure

from xmppd.core.shards import StorageUnavailable
from xmppd.storage.database import Database
from xmppd.storage.jobs import Limits
from xmppd.storage.slots import slot_of
from xmppd.storage.tables import accounts, metadata

from .deployments import INLINE, Deployment

ADD = insert(accounts)
JULIET = "juliet@capulet.example"
OWNERS = select(accounts.c.owner).order_by(accounts.c.owner)
ONE = select(accounts.c.role).where(accounts.c.owner == bindparam("account"))


def row(name: str) -> dict[str, object]:
    return {"owner": name, "host": "h", "role": "user", "enabled": True, "created": 0.0, "last_status": ""}


class TestDatabase:
    """Fetch, write, transaction, close."""

    @pytest.fixture(autouse=True)
    def first_shard(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.database = deployment.databases[0]
        self.owner = deployment.owner_on(0)
        self.slot = slot_of(self.owner)

    def owners(self) -> list[str]:
        return [owner for (owner,) in self.run(self.database.fetch("owners", OWNERS, {}))]

    def add(self, *names: str, slot: int | None = None) -> int:
        return self.run(self.database.write("add", ADD, [row(name) for name in names], slot))

    def test_write_and_fetch(self) -> None:
        """What was written is read; both know their numbers."""
        assert self.add("a@h") == 1
        assert self.add("b@h", "c@h") == 2
        assert self.owners() == ["a@h", "b@h", "c@h"]
        assert self.run(self.database.fetch("one", ONE, {"account": "a@h"})) == [("user",)]

    def test_write_to_a_slot(self) -> None:
        """A write to a slot that is here is a write, by one row or by many."""
        assert self.add(self.owner, slot=self.slot) == 1
        assert self.add("b@h", "c@h", slot=self.slot) == 2
        assert self.run(self.database.transaction("none", lambda connection: 0, self.slot)) == 0

    def test_broken_constraint(self) -> None:
        """A constraint is broken: SQLAlchemy's name for it, and nothing written, not even the rows before."""
        self.add("b@h")
        with pytest.raises(IntegrityError):
            self.add("b@h")
        with pytest.raises(IntegrityError):
            self.add("a@h", "b@h")
        with pytest.raises(IntegrityError):
            self.add("a@h", "b@h", slot=self.slot)
        assert self.owners() == ["b@h"]

    def test_errors_hold_no_values(self) -> None:
        """What may be logged of an error does not have what was written."""

        def work(connection: Connection) -> None:
            try:
                connection.execute(ADD, [row(JULIET), row(JULIET)])
            except IntegrityError as error:
                raise LookupError("taken") from error

        wrong = text("SELECT nothing FROM accounts WHERE owner = :o")
        asked = {
            "wrong": self.database.fetch("wrong", wrong, {"o": JULIET}),
            "taken": self.database.transaction("taken", work, None),
        }
        for deferred in asked.values():
            with pytest.raises((DBAPIError, LookupError)) as raised:
                self.run(deferred)
            assert JULIET not in "".join(format_exception(raised.value))

    def test_a_wrong_question_costs_nobody_else(self) -> None:
        """After an error the database answers as before."""
        with pytest.raises(DBAPIError):
            self.run(self.database.fetch("wrong", text("SELECT * FROM missing"), {}))
        with pytest.raises(DBAPIError):
            self.run(self.database.write("wrong", text("DELETE FROM missing"), [{}], None))
        assert self.add("a@h") == 1
        assert self.owners() == ["a@h"]

    def test_transaction(self) -> None:
        """Several statements, one result."""

        def work(connection: Connection) -> int:
            connection.execute(ADD, [row("a@h"), row("b@h")])
            return len(connection.execute(OWNERS).all())

        assert self.run(self.database.transaction("work", work, self.slot)) == 2
        assert self.owners() == ["a@h", "b@h"]

    def test_transaction_that_fails(self) -> None:
        """An exception comes through and undoes everything."""

        def work(connection: Connection) -> None:
            connection.execute(ADD, row("a@h"))
            raise LookupError("no such room")

        with pytest.raises(LookupError, match="no such room"):
            self.run(self.database.transaction("work", work, self.slot))
        assert self.owners() == []

    def test_savepoint_in_a_transaction(self) -> None:
        """A work may try something and go on without it."""

        def work(connection: Connection) -> None:
            connection.execute(ADD, row("a@h"))
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(ADD, row("a@h"))
            connection.execute(ADD, row("b@h"))

        self.run(self.database.transaction("work", work, self.slot))
        assert self.owners() == ["a@h", "b@h"]

    def test_many_at_once(self) -> None:
        """Reads and writes at the same time."""
        writes = [self.database.write("add", ADD, [row(f"{number}@h")], self.slot) for number in range(50)]
        reads = [self.database.fetch("owners", OWNERS, {}) for _ in range(50)]
        assert self.run(gatherResults(writes)) == [1] * 50
        self.run(gatherResults(reads))
        assert len(self.owners()) == 50

    def test_look(self) -> None:
        """A database that answers is not down."""
        assert self.run(self.database.look()) is None
        assert self.database.down is None

    def test_counts_by_name(self) -> None:
        """Every transaction is counted under its name, the refused ones as failed."""
        self.add("a@h")
        with pytest.raises(IntegrityError):
            self.add("a@h")
        self.owners()

        tallies = self.database.tallies.by_name
        assert (tallies["add"].count, tallies["add"].failed) == (2, 1)
        assert (tallies["owners"].count, tallies["owners"].failed) == (1, 0)
        assert tallies["add"].seconds > 0

    def test_closed(self) -> None:
        """A closed shard has done what it was asked for before, and does nothing after."""
        asked = self.database.write("add", ADD, [row("a@h")], None)
        self.run(self.database.close())
        assert asked.called
        with pytest.raises(StorageUnavailable, match="is closed"):
            self.owners()


class TestThreads:
    """Who does the work."""

    def test_work_runs_in_a_storage_thread(self, tmp_path: Path) -> None:
        """With threads, never in the loop's; without, nowhere else."""
        from .deployments import open_deployment

        threaded = open_deployment([f"sqlite:///{tmp_path}/x.db"], Limits(threads=1))
        inline = open_deployment(["sqlite://"], INLINE)
        told = [
            opened.run(opened.databases[0].transaction("who", lambda connection: threading.current_thread().name, None))
            for opened in (threaded, inline)
        ]
        for opened in (threaded, inline):
            opened.run(opened.shards.close())
        assert ["storage-writer-0", threading.current_thread().name] == told


class TestDown:
    """Whether a database can be used is known from what became of its jobs."""

    def test_down_and_up_again(self, tmp_path: Path) -> None:
        """A look that finds nobody is no error; one that finds somebody ends the outage."""
        file, now = tmp_path / "x.db", [0.0]
        file.mkdir()
        seen: list[None] = []
        database = Database(f"sqlite:///{file}", print, INLINE, lambda: now[0])
        database.look().addCallback(seen.append)
        assert database.down is not None
        assert "Is a directory" in database.down
        file.rmdir()
        database.look().addCallback(seen.append)
        assert database.down is not None  # no try is due yet
        now[0] += INLINE.retry
        with database.blocking() as connection:
            metadata.create_all(connection)
            connection.commit()
        database.look().addCallback(seen.append)
        assert database.down is None
        assert seen == [None, None, None]
        database.close()

    def test_question_that_is_wrong(self) -> None:
        """A database without our tables is no outage, and does not pass for one that answers."""
        database = Database("sqlite://", print, INLINE)
        failures: list[Failure] = []
        database.look().addErrback(failures.append)
        assert len(failures) == 1
        assert database.down is None
        database.close()


class TestUrl:
    """What may stand in the configuration."""

    @pytest.mark.parametrize("url", ["mysql://h/d", "nonsense", "", "postgresql+asyncpg://h/d"])
    def test_refused(self, url: str) -> None:
        """Other databases, and no URL at all."""
        with pytest.raises(ValueError, match="database"):
            Database(url, print)

    def test_memory_takes_no_threads(self) -> None:
        """A database in memory has one connection."""
        with pytest.raises(ValueError, match="memory"):
            Database("sqlite://", print)

    @pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
    def test_postgres(self, scheme: str) -> None:
        """PostgreSQL by any of its names; messages do not show the password. Nothing is connected yet."""
        database = Database(f"{scheme}://romeo:secret@127.0.0.1:1/verona", print, INLINE)
        assert f"{scheme}://romeo:***@127.0.0.1:1/verona" == database.place

    def test_unreachable_at_start(self) -> None:
        """Start-up code is told in the same words."""
        database = Database("postgresql://romeo:secret@127.0.0.1:1/verona", print, INLINE)
        with pytest.raises(StorageUnavailable, match="is down"), database.blocking():
            raise AssertionError("connected to nobody")
