"""The contract of `core.message_log.MessageLog`: what readers ask, on SQLite and on PostgreSQL's shards."""

import pytest

from xmppd.core.message_log import ARCHIVE, RECEIVED, SENT, WAIT, Query, id_at
from xmppd.protocol.jid import Jid

from .logs import BALCONY, CHAMBER, JULIET, NOW, ORCHARD, ROMEO, Fixture, bodies, received, sent


class TestWaiting:
    """Undelivered rows are the offline messages."""

    def test_above_and_open(self, fixture: Fixture) -> None:
        """Rows above an id and those that are open, in order; copies of what was sent never wait."""
        rows = [received("0"), received("1"), received("2"), sent("mine", owner=ROMEO), received("4")]
        ids = fixture.add(*rows, received("no", flags=ARCHIVE))
        waiting = fixture.run(fixture.log.waiting(ROMEO, ids[1], [ids[0]], 10))
        assert bodies(waiting) == ["0", "2", "4"]
        assert bodies(fixture.run(fixture.log.waiting(ROMEO, ids[1], [ids[0], ids[2]], 2))) == ["0", "2"]
        assert bodies(fixture.run(fixture.log.waiting(ROMEO, ids[2], [], 10))) == ["4"]

    def test_count(self, fixture: Fixture) -> None:
        """As many as `waiting` would return."""
        ids = fixture.add(*(received() for _ in range(5)), sent(owner=ROMEO))
        assert fixture.run(fixture.log.count_waiting(ROMEO)) == 5
        fixture.log.delivered(ROMEO, ids[2], [])
        assert fixture.run(fixture.log.count_waiting(ROMEO)) == 2
        fixture.log.delivered(JULIET, ids[2], [ids[0]])
        fixture.log.delivered(ROMEO, ids[4], [ids[3]])
        fixture.run(fixture.log.flush())
        assert fixture.run(fixture.log.count_waiting(ROMEO)) == 1


class TestArchive:
    """XEP-0313's questions."""

    @pytest.fixture
    def ids(self, fixture: Fixture) -> list[int]:
        """Six messages: with a balcony and a chamber, with a nurse, and one that no archive shows."""
        nurse = Jid("nurse@capulet.example/hall")
        return fixture.add(
            received("0", peer=BALCONY),
            received("1", peer=CHAMBER),
            sent("2", owner=ROMEO, peer=JULIET),
            received("3", peer=nurse),
            received("hidden", flags=WAIT),
            received("5", peer=BALCONY),
        )

    def page(self, fixture: Fixture, **query: object) -> list[str]:
        asked = Query(ROMEO, **query)  # type: ignore[arg-type]
        rows = fixture.run(fixture.log.page(asked))
        if asked.limit >= len(rows) and not asked.limit < fixture.run(fixture.log.count(asked)):
            assert len(rows) == fixture.run(fixture.log.count(asked))
        return bodies(rows)

    def test_all(self, fixture: Fixture, ids: list[int]) -> None:
        """In order; only rows that the archive shows."""
        assert self.page(fixture) == ["0", "1", "2", "3", "5"]
        assert self.page(fixture, backwards=True) == ["0", "1", "2", "3", "5"]

    def test_pages(self, fixture: Fixture, ids: list[int]) -> None:
        """By the ids before and behind, exclusively."""
        assert self.page(fixture, limit=2) == ["0", "1"]
        assert self.page(fixture, limit=2, after=ids[1]) == ["2", "3"]
        assert self.page(fixture, limit=2, backwards=True) == ["3", "5"]
        assert self.page(fixture, limit=2, before=ids[3], backwards=True) == ["1", "2"]
        assert self.page(fixture, after=ids[0], before=ids[3]) == ["1", "2"]
        assert self.page(fixture, after=ids[5]) == []

    def test_with(self, fixture: Fixture, ids: list[int]) -> None:
        """A bare JID means all its resources, a full one just itself."""
        assert self.page(fixture, peer=JULIET) == ["0", "1", "2", "5"]
        assert self.page(fixture, peer=BALCONY) == ["0", "5"]
        assert self.page(fixture, peer=JULIET, after=ids[0], before=ids[5], backwards=True) == ["1", "2"]
        assert self.page(fixture, peer=ORCHARD) == []

    def test_ids(self, fixture: Fixture, ids: list[int]) -> None:
        """Only these; those that it does not have are told."""
        assert self.page(fixture, ids=(ids[5], ids[0], ids[4], 99)) == ["0", "5"]
        assert self.page(fixture, ids=(ids[1], ids[5]), peer=BALCONY, backwards=True) == ["5"]
        assert {99, ids[4]} == fixture.run(fixture.log.missing(ROMEO, [99, ids[4], ids[0]]))
        assert set() == fixture.run(fixture.log.missing(ROMEO, []))

    def test_ends(self, fixture: Fixture, ids: list[int]) -> None:
        """The first and the last one, if there are any."""
        assert (ids[0], ids[5]) == fixture.run(fixture.log.ends(ROMEO))
        assert fixture.run(fixture.log.ends(JULIET)) is None

    def test_last_rows_of_long_ago(self, fixture: Fixture) -> None:
        """The last page goes back as far as it has to."""
        for day in range(0, 100, 10):
            (id,) = fixture.add(received(str(day)))
            fixture.set_id(ROMEO, id, id_at(NOW + day * 86400))
        fixture.wall = NOW + 90 * 86400
        assert self.page(fixture, backwards=True) == [str(day) for day in range(0, 100, 10)]
        assert self.page(fixture, backwards=True, limit=3) == ["70", "80", "90"]
        assert self.page(fixture, backwards=True, limit=6, before=id_at(NOW + 80 * 86400)) == [
            str(day) for day in range(20, 80, 10)
        ]


class TestFinding:
    """By what the sender calls a message."""

    def test_find(self, fixture: Fixture) -> None:
        """What was exchanged with a peer, whatever the resource and the direction."""
        ids = fixture.add(
            received("a", origin_id="o"),
            received("b", origin_id="p"),
            sent("c", owner=ROMEO, peer=JULIET, origin_id="o"),
        )
        fixture.add(received("d", origin_id="o", peer=Jid("nurse@capulet.example/hall")))
        assert bodies(fixture.run(fixture.log.find(ROMEO, CHAMBER, "o"))) == ["a", "c"]
        assert bodies(fixture.run(fixture.log.find(ROMEO, JULIET, "o", ids[0]))) == ["c"]

    def test_trace(self, fixture: Fixture) -> None:
        """Every owner's row, on all shards."""
        mine, yours = received(origin_id="o"), sent(origin_id="o")
        fixture.add(mine, yours, received(origin_id="p"))
        traced = fixture.run(fixture.log.trace("o", 0))
        assert {(ROMEO, mine.id, RECEIVED), (JULIET, yours.id, SENT)} == {
            (owner, row.id, row.direction) for owner, row in traced
        }
        assert fixture.run(fixture.log.trace("o", max(mine.id, yours.id))) == []

    def test_heads(self, fixture: Fixture) -> None:
        """Of as many owners as one likes; those without a log are left out."""
        owners = [Jid(f"u{number}@montague.example") for number in range(150)]
        entries = [received(owner=owner) for owner in owners]
        fixture.add(*entries)
        expected = {entry.owner: entry.id for entry in entries}
        assert expected == fixture.run(fixture.log.heads([*owners, ROMEO]))
        assert fixture.run(fixture.log.heads([])) == {}
