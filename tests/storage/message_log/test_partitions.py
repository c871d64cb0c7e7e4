"""Partitions by month: made ahead, filled from the DEFAULT, dropped as a whole."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg2
import pytest

from tests.storage.deployments import Deployment, open_deployment
from xmppd.core.message_log import Query, id_at
from xmppd.storage.jobs import Limits
from xmppd.storage.message_log.partitions import Month, drop_before, due, forget_writers, make_ahead

from .logs import ROMEO, Fixture, bodies, received

NOVEMBER = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
PARTITIONS = (
    "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'log'::regclass"
)


class TestMonth:
    """Months, and the names of their partitions."""

    @pytest.mark.parametrize(
        ("when", "name"),
        (((1970, 1, 1), "log_1970_01"), ((2026, 12, 31), "log_2026_12"), ((2027, 1, 1), "log_2027_01")),
    )
    def test_name(self, when: tuple[int, int, int], name: str) -> None:
        """By year and month; the name tells the month."""
        month = Month.at(datetime(*when, tzinfo=UTC).timestamp())
        assert name == month.partition
        assert month == Month.of_partition(name)

    def test_default(self) -> None:
        """Other tables are of no month."""
        assert Month.of_partition("log_default") is None

    def test_ids(self) -> None:
        """It begins where the one before it ends."""
        month = Month.at(NOVEMBER)
        assert month.begin == id_at(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
        assert month.next.begin == id_at(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
        assert Month.at(datetime(2026, 12, 5, tzinfo=UTC).timestamp()).next.partition == "log_2027_01"

    def test_due(self) -> None:
        """This month and the next two."""
        assert [month.partition for month in due(NOVEMBER)] == ["log_2026_11", "log_2026_12", "log_2027_01"]


@pytest.fixture
def deployment(postgres_urls: Callable[[int], list[str]]) -> Iterator[Deployment]:
    """One shard of PostgreSQL."""
    opened = open_deployment(postgres_urls(1), Limits(threads=1))
    yield opened
    opened.run(opened.shards.close())


class Partitions:
    """A log, and its partitions.

    :ivar other: a connection of somebody else.
    """

    def __init__(self, deployment: Deployment, other: "psycopg2.extensions.connection") -> None:
        self.fixture = Fixture(deployment)
        self.other = other

    def make(self, now: float = NOVEMBER) -> bool:
        return self.fixture.run(make_ahead(self.fixture.deployment.databases[0], now))

    def drop(self, oldest: int) -> bool:
        return self.fixture.run(drop_before(self.fixture.deployment.databases[0], oldest))

    def ask(self, text: str) -> list[tuple[object, ...]]:
        with self.other.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall() if cursor.description else []

    @property
    def names(self) -> list[object]:
        return sorted(name for (name,) in self.ask(PARTITIONS))  # type: ignore[type-var]


@pytest.fixture
def partitions(deployment: Deployment) -> Iterator[Partitions]:
    """A log without partitions, but for the DEFAULT."""
    url = deployment.databases[0].engine.url
    other = psycopg2.connect(host=url.host, port=url.port, user=url.username, dbname=url.database)
    other.autocommit = True
    made = Partitions(deployment, other)
    yield made
    other.close()
    made.fixture.run(made.fixture.log.close())


class TestPartitions:
    """In a database."""

    def test_made_ahead(self, partitions: Partitions) -> None:
        """What is missing is made; what is there stays."""
        assert partitions.make()
        assert partitions.names == ["log_2026_11", "log_2026_12", "log_2027_01", "log_default"]
        assert partitions.make(NOVEMBER + 30 * 86400)
        assert len(partitions.names) == 5

    def test_rows_of_the_default(self, partitions: Partitions) -> None:
        """Rows that came before their partition move there, and are found as before."""
        (id,) = partitions.fixture.add(received("early"))
        partitions.fixture.set_id(ROMEO, id, id_at(NOVEMBER))
        assert partitions.make()
        assert partitions.ask("SELECT count(*) FROM log_2026_11") == [(1,)]
        assert bodies(partitions.fixture.run(partitions.fixture.log.page(Query(ROMEO)))) == ["early"]

    def test_index(self, partitions: Partitions) -> None:
        """A partition has the indexes of the log."""
        partitions.make()
        indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = '{}'"
        counted = [partitions.ask(indexes.format(name)) for name in ("log_default", "log_2026_11")]
        assert counted == [[(2,)], [(2,)]]

    def test_dropped(self, partitions: Partitions) -> None:
        """Only those of which no row is kept; the DEFAULT stays."""
        partitions.make()
        december = Month.of_partition("log_2026_12")
        assert december is not None
        assert partitions.drop(december.begin - 1)
        assert "log_2026_11" in partitions.names
        assert partitions.drop(december.begin)
        assert partitions.names == ["log_2026_12", "log_2027_01", "log_default"]

    def test_old_rows_of_the_default(self, partitions: Partitions) -> None:
        """They have no partition to go with, and go all the same."""
        old, _ = partitions.fixture.add(received("old"), received("new"))
        partitions.fixture.set_id(ROMEO, old, id_at(NOVEMBER - 86400))
        assert partitions.drop(id_at(NOVEMBER - 1))
        assert bodies(partitions.fixture.run(partitions.fixture.log.page(Query(ROMEO)))) == ["new"]

    def test_somebody_reads(self, partitions: Partitions) -> None:
        """Who reads for long is not waited for: it is done another time, and nothing is left half done."""
        partitions.make()
        partitions.other.autocommit = False
        partitions.ask("SELECT count(*) FROM log")
        before = due(NOVEMBER)
        assert not partitions.make(NOVEMBER + 90 * 86400)
        assert not partitions.drop(id_at(NOVEMBER + 90 * 86400))
        partitions.other.rollback()
        partitions.other.autocommit = True
        assert partitions.names == [*sorted(month.partition for month in before), "log_default"]
        assert partitions.make(NOVEMBER + 90 * 86400)

    def test_another_node_was_faster(self, partitions: Partitions) -> None:
        """The function finds the partition and does nothing."""
        partitions.make()
        month = Month.at(NOVEMBER)
        assert partitions.ask(f"SELECT xmppd_log_partition('{month.partition}', {month.begin}, {month.next.begin})")

    def test_writers_that_have_gone(self, partitions: Partitions) -> None:
        """Their rows go after a week; a writer that wakes after that begins anew."""
        partitions.fixture.add(received())
        database = partitions.fixture.deployment.databases[0]
        partitions.fixture.run(forget_writers(database))
        assert partitions.ask("SELECT batch FROM log_writer") == [(1,)]
        partitions.ask("UPDATE log_writer SET seen = seen - interval '8 days'")
        partitions.fixture.run(forget_writers(database))
        assert partitions.ask("SELECT batch FROM log_writer") == []
        partitions.fixture.add(received())
        assert partitions.ask("SELECT batch FROM log_writer") == [(2,)]
