"""The contract of `core.session_rows.SessionRows`, on every kind of deployment."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from xmppd.core.session_rows import SessionRow
from xmppd.protocol.jid import Jid
from xmppd.storage.session_rows import SqlSessionRows
from xmppd.storage.tables import metadata

from .deployments import INLINE, Deployment, open_deployment

JULIET = Jid.parse("juliet@capulet.example/balcony")
CHAMBER = Jid.parse("juliet@capulet.example/chamber")
ROMEO = Jid.parse("romeo@montague.example/orchard")
ROW = SessionRow(JULIET, "node1", 7, 1_700_000_000.5, b"<presence/>", (ROMEO, ROMEO.bare))


class TestSessionRows:
    """One table; each test begins with no session."""

    @pytest.fixture(autouse=True)
    def rows(self, deployment: Deployment) -> None:
        self.run = deployment.run
        self.rows_ = SqlSessionRows(deployment.shards)

    def put(self, *rows: SessionRow) -> None:
        for row in rows:
            self.run(self.rows_.put([row]))

    def all(
        self, node: str = "node1", before: int = 100, after: Jid | None = None, limit: int = 100
    ) -> list[SessionRow]:
        return list(self.run(self.rows_.page(node, before, after, limit)))

    def test_nothing_is_there(self) -> None:
        """A node that never had a session has none."""
        assert self.all() == []
        assert self.run(self.rows_.highest("node1")) == 0

    def test_comes_back_as_it_was(self) -> None:
        """What was put is found, addresses as addresses."""
        self.put(ROW)
        assert self.all() == [ROW]
        assert isinstance(self.all()[0].directed[0], Jid)

    def test_unavailable_session(self) -> None:
        """One that has shown itself to nobody has no presence."""
        row = ROW._replace(presence=None, directed=())
        self.put(row)
        assert self.all() == [row]

    def test_put_again(self) -> None:
        """The same session, and a later one of the same full JID, take the place of what is there."""
        self.put(ROW, ROW._replace(presence=None), ROW._replace(generation=8, node="node2"))
        assert self.all("node1") == []
        assert self.all("node2") == [ROW._replace(generation=8, node="node2")]

    def test_earlier_generation(self) -> None:
        """An earlier session speaks for nobody any more: it changes and removes nothing."""
        self.put(ROW, ROW._replace(generation=6, presence=None))
        self.run(self.rows_.remove([(JULIET, 6)]))
        assert self.all() == [ROW]

    def test_remove(self) -> None:
        """What is removed is gone, and nothing else."""
        other = ROW._replace(jid=CHAMBER)
        self.put(ROW, other)
        self.run(self.rows_.remove([(JULIET, 7), (ROMEO, 7)]))
        assert self.all() == [other]

    def test_pages(self) -> None:
        """Pages have everything once, whatever shard it is on; later generations are left out."""
        jids = [Jid.parse(f"user{number}@capulet.example/{place}") for number in range(10) for place in "ab"]
        self.put(*[ROW._replace(jid=jid, generation=number) for number, jid in enumerate(jids)])
        seen: list[SessionRow] = []
        while found := self.all(before=18, after=seen[-1].jid if seen else None, limit=7):
            assert len(found) <= 7
            seen += found
        assert sorted(row.jid for row in seen) == sorted(jids[:18])

    def test_highest(self) -> None:
        """The highest generation is that of the node."""
        self.put(ROW, ROW._replace(jid=CHAMBER, generation=9), ROW._replace(jid=ROMEO, generation=11, node="node2"))
        assert self.run(self.rows_.highest("node1")) == 9

    def test_longest_address(self) -> None:
        """The longest address that there can be fits the index."""
        jid = Jid.parse(f"{'a' * 1023}@capulet.example/{'b' * 1023}")
        self.put(ROW._replace(jid=jid))
        assert [row.jid for row in self.all()] == [jid]


def test_migrations_and_table_agree() -> None:
    """What the migrations make is what the code declares."""
    deployment = open_deployment(["sqlite://"], INLINE)
    with deployment.databases[0].blocking() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    assert [change for change in found if "'sessions'" in str(change) and "remove_table" not in str(change)] == []
