"""SQLite: a batch is part of its writer's transaction, and is undone alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text, update

from tests.storage.deployments import Deployment, open_deployment
from tests.storage.test_sqlite import ROW
from xmppd.core.message_log import Query, StorageUnavailable
from xmppd.storage.jobs import Limits
from xmppd.storage.message_log.sqlite_append import WIDTHS, hold_slots, insert_many, select_many
from xmppd.storage.slots import slot_of
from xmppd.storage.tables import accounts, slot_here

from .logs import JULIET, ROMEO, Fixture, bodies, received, sent


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """One file."""
    opened = open_deployment([f"sqlite:///{tmp_path}/xmppd.db"], Limits(threads=1, retry=0.0))
    yield opened
    opened.run(opened.shards.close())


def ask(fixture: Fixture, statement: str) -> list[object]:
    rows = fixture.run(fixture.deployment.databases[0].fetch("ask", text(statement), {}))
    return [row[0] for row in rows]


class TestBatch:
    """In the writer's transaction."""

    def test_durable(self, fixture: Fixture) -> None:
        """What is acknowledged is on the disk."""
        assert ask(fixture, "PRAGMA synchronous") == [2]

    def test_undone_alone(self, fixture: Fixture) -> None:
        """A batch that fails leaves its neighbours in the same transaction as they are."""
        database = fixture.deployment.databases[0]
        told = fixture.begin([received("wrong", flags=2**70)])
        fine = database.write("add", accounts.insert(), [{**ROW, "owner": "romeo@h"}], None)
        assert fixture.run(fine) == 1
        fixture.until(lambda: len(told.heard) == 1)
        assert ask(fixture, "SELECT count(*) FROM log") == [0]
        assert ask(fixture, "SELECT count(*) FROM log_head") == [0]

    def test_slot_elsewhere(self, fixture: Fixture) -> None:
        """The shard does not hold an owner: only that owner's message fails."""
        close = update(slot_here).where(slot_here.c.slot == slot_of(JULIET)).values(state="closed")
        fixture.run(fixture.deployment.databases[0].write("close", close, [{}], None))
        heard = fixture.heard([received("a")], [sent()], [received("b")])
        assert isinstance(heard[1], StorageUnavailable)
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["a", "b"]

    def test_full_disk(self, fixture: Fixture) -> None:
        """No room: an error, no acknowledgement; when there is room again all is well."""
        fixture.add(received("a"))
        database = fixture.deployment.databases[0]

        def limit(pages: int) -> None:
            fixture.run(
                database.transaction("limit", lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {pages}"), None)
            )

        limit(1)
        (error,) = fixture.heard([received("x" * 100_000)])
        assert isinstance(error, StorageUnavailable)
        limit(100_000)
        fixture.add(received("b"))
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["a", "b"]


class TestStatements:
    """Many rows go by few statements."""

    @pytest.mark.parametrize("count", (0, 1, 7, 8, 9, 63, 64, 65, 200, 201))
    def test_widths(self, fixture: Fixture, count: int) -> None:
        """Every row goes once, whatever their number."""

        def work(connection: object) -> tuple[int, set[object]]:
            raw = connection.connection.dbapi_connection  # type: ignore[attr-defined]
            raw.execute("CREATE TEMPORARY TABLE numbers (n, m)")
            insert_many(raw, "INSERT INTO numbers VALUES ", "(?,?)", 2, [m for n in range(count) for m in (n, -n)])
            found = select_many(raw, "SELECT n FROM numbers WHERE n IN ", list(range(-5, count)))
            raw.execute("DROP TABLE numbers")
            return len(found), {n for (n,) in found}

        expected = (count, set(range(count)))
        assert expected == fixture.run(fixture.deployment.databases[0].transaction("widths", work, None))

    def test_widths_end_with_one(self) -> None:
        """So that nothing is left over."""
        assert WIDTHS[-1] == 1

    def test_slots_are_held_once_each(self, fixture: Fixture) -> None:
        """Owners may share a slot."""

        def work(connection: object) -> None:
            hold_slots(connection.connection.dbapi_connection, [5, 5, 6])  # type: ignore[attr-defined]

        fixture.run(fixture.deployment.databases[0].transaction("hold", work, None))
