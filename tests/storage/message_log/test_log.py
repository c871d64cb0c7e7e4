"""The contract of `core.message_log.MessageLog`, on SQLite and on PostgreSQL's shards."""

from itertools import pairwise

import pytest

from xmppd.core.message_log import (
    ARCHIVE,
    COUNTER_BITS,
    GONE,
    RECEIVED,
    SENT,
    WAIT,
    Position,
    Query,
    Row,
    StorageUnavailable,
    id_at,
    time_of,
)
from xmppd.protocol.jid import Jid

from .logs import BALCONY, CHAMBER, JULIET, NOW, ORCHARD, ROMEO, Fixture, Told, bodies, received, sent

KEY = bytes(range(16))


class TestAppend:
    """Rows are numbered in the commit."""

    def test_a_row_is_as_it_was(self, fixture: Fixture) -> None:
        """What is appended is read back."""
        entry = received("wherefore", origin_id="o-1", key=KEY)
        fixture.add(entry)
        (row,) = fixture.run(fixture.log.page(Query(ROMEO)))
        assert Row(entry.id, BALCONY, RECEIVED, 0, ARCHIVE | WAIT, "o-1", entry.stanza) == row

    def test_never_before_append_returns(self, fixture: Fixture) -> None:
        """`done` is called in a turn of its own, even where nothing ever waits."""
        told = fixture.begin([received()])
        assert told.heard == []
        fixture.until(lambda: told.heard == [None])

    def test_ids_grow(self, fixture: Fixture) -> None:
        """Rows of one owner are numbered in the order of the calls, in one batch or in several."""
        ids = fixture.add(*(received() for _ in range(5))) + fixture.add(received()) + fixture.add(received())
        assert sorted(set(ids)) == ids

    def test_previous(self, fixture: Fixture) -> None:
        """Each row knows the one before it, also in the same batch; rows of others do not count."""
        rows = [received() for _ in range(3)]
        fixture.add(rows[0], sent(), rows[1], sent(), rows[2])
        late = received()
        fixture.add(late)
        assert rows[0].previous == 0
        assert all(before.id == after.previous for before, after in pairwise([*rows, late]))

    def test_id_is_a_time(self, fixture: Fixture) -> None:
        """An id tells when the row was committed; SQLite has no clock but ours."""
        (id,) = fixture.add(received())
        if fixture.is_sqlite:
            assert time_of(id) == NOW
        assert id >> COUNTER_BITS

    def test_clock_goes_back(self, fixture: Fixture) -> None:
        """Ids grow whatever the clock does."""
        (first,) = fixture.add(received())
        fixture.wall -= 3600
        assert fixture.add(received("a"), received("b")) > [first] * 2

    def test_both_copies(self, fixture: Fixture) -> None:
        """The recipient's row and the sender's copy are committed by one statement, if both live on one shard."""
        names = (Jid(f"tybalt{number}@capulet.example") for number in range(100))
        tybalt = next(name for name in names if fixture.log.together(ROMEO, name))
        mine, yours = received(peer=tybalt), sent(owner=tybalt)
        assert fixture.heard([mine, yours]) == [None]
        assert {ROMEO: mine.id, tybalt: yours.id} == fixture.run(fixture.log.heads([ROMEO, tybalt]))

    def test_together(self, fixture: Fixture) -> None:
        """Every owner lives together with itself; on one shard all do."""
        assert fixture.log.together(ROMEO, ROMEO)
        if len(fixture.deployment.databases) == 1:
            assert fixture.log.together(ROMEO, JULIET)
        else:
            here, there = (Jid(fixture.deployment.owner_on(shard)) for shard in (0, 1))
            assert not fixture.log.together(here, there)

    def test_many(self, fixture: Fixture) -> None:
        """More than a batch takes: all are told, in order, and nothing is lost."""
        order: list[int] = []
        count = 450
        for number in range(count):
            fixture.log.append([received(str(number))], lambda error, number=number: order.append(number))  # type: ignore[misc]
        fixture.until(lambda: len(order) == count)
        assert list(range(count)) == order
        assert [str(number) for number in range(count)] == bodies(
            fixture.run(fixture.log.page(Query(ROMEO, limit=1000)))
        )
        assert fixture.log.metrics.appended == count

    def test_a_waiter_that_fails(self, fixture: Fixture, caplog: pytest.LogCaptureFixture) -> None:
        """Its neighbours hear of theirs."""

        def fail(error: Exception | None) -> None:
            raise LookupError("no such session")

        told = Told()
        fixture.log.append([received()], fail)
        fixture.log.append([received()], told)
        fixture.until(lambda: told.heard == [None])


class TestRepetition:
    """Idempotent resend: within some time the same key is the same message."""

    def test_repeated(self, fixture: Fixture) -> None:
        """The earlier row's id is told, and nothing is appended."""
        first, second = received(key=KEY), received(key=KEY, since=1)
        fixture.add(first)
        fixture.add(second, received("next"))
        assert (first.id, True) == (second.id, second.is_repeated)
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["hark", "next"]
        assert fixture.log.metrics.repeated == 1

    def test_in_one_turn(self, fixture: Fixture) -> None:
        """A repetition that comes with the first one is known for one."""
        first, second, third = received(key=KEY), received(key=KEY, since=1), received("next")
        fixture.add(first, second, third)
        assert (first.id, True) == (second.id, second.is_repeated)
        assert first.id == third.previous

    def test_neighbours_of_a_repetition(self, fixture: Fixture) -> None:
        """Rows beside it in the batch are numbered, and know what is before them."""
        first = received(key=KEY)
        fixture.add(first)
        rows = [received("a"), received(key=KEY, since=1), received("b"), sent("c"), received(key=KEY, since=1)]
        fixture.add(*rows)
        a, again, b, c, last = rows
        assert [first.id, a.id] == [a.previous, b.previous]
        assert [row.is_repeated for row in rows] == [False, True, False, False, True]
        assert {ROMEO: b.id, JULIET: c.id} == fixture.run(fixture.log.heads([ROMEO, JULIET]))
        assert {first.id} == {again.id, last.id}

    def test_too_old(self, fixture: Fixture) -> None:
        """A row below `since` is not looked for."""
        first = received(key=KEY)
        fixture.add(first)
        second = received(key=KEY, since=first.id + 1)
        fixture.add(second)
        assert not second.is_repeated
        assert second.id > first.id

    def test_not_asked_for(self, fixture: Fixture) -> None:
        """Without `since` the same key is another message; another owner's row is one, too."""
        rows = [received(key=KEY), received(key=KEY), sent(key=KEY, since=1), received(key=KEY[::-1], since=1)]
        fixture.add(*rows)
        assert not any(row.is_repeated for row in rows)


class TestWrongRows:
    """One bad row fails alone."""

    @pytest.mark.parametrize("count", (1, 2, 7))
    def test_a_wrong_row(self, fixture: Fixture, count: int) -> None:
        """A text that is no Unicode: its message fails, the others are committed in their order."""
        groups = [[received(str(number))] for number in range(count)]
        groups.insert(count // 2, [received(), received(origin_id="\ud800")])
        heard = fixture.heard(*groups)
        assert isinstance(heard.pop(count // 2), UnicodeEncodeError)
        assert heard == [None] * count
        assert [str(number) for number in range(count)] == bodies(fixture.run(fixture.log.page(Query(ROMEO))))

    def test_what_the_database_refuses(self, fixture: Fixture) -> None:
        """A number that fits no column."""
        heard = fixture.heard([received("a")], [received(flags=2**70)], [received("b")])
        assert [heard[0], heard[2]] == [None, None]
        assert heard[1] is not None
        assert not isinstance(heard[1], StorageUnavailable)
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["a", "b"]

    def test_nul(self, fixture: Fixture) -> None:
        """PostgreSQL has no NUL in texts; SQLite does not mind."""
        heard = fixture.heard([received("a")], [received(origin_id="\0")])
        assert heard[0] is None
        assert fixture.is_sqlite == (heard[1] is None)


class TestCursor:
    """What is delivered."""

    def test_nothing(self, fixture: Fixture) -> None:
        """An owner without a log."""
        assert Position() == fixture.run(fixture.log.position(ROMEO))

    def test_at_once(self, fixture: Fixture) -> None:
        """A session that begins sees what another one has just delivered, written or not."""
        ids = fixture.add(received(), received(), received())
        fixture.log.delivered(ROMEO, ids[1], [ids[0]])
        expected = Position(ids[2], ids[1], frozenset([ids[0]]))
        assert expected == fixture.run(fixture.log.position(ROMEO))
        fixture.run(fixture.log.flush())
        assert expected == fixture.run(fixture.log.position(ROMEO))

    def test_merged(self, fixture: Fixture) -> None:
        """What is written twice is the union of both."""
        ids = fixture.add(*(received() for _ in range(5)))
        fixture.log.delivered(ROMEO, ids[3], ids[0:3])
        fixture.run(fixture.log.flush())
        fixture.log.delivered(ROMEO, ids[1], [ids[0]])
        fixture.run(fixture.log.flush())
        assert Position(ids[4], ids[3], frozenset([ids[0], ids[2]])) == fixture.run(fixture.log.position(ROMEO))

    def test_once_a_second(self, fixture: Fixture) -> None:
        """It is written by itself within a second, and then no timer goes on."""
        fixture.log.delivered(ROMEO, 7, [])
        fixture.log.delivered(JULIET, 8, [])
        fixture.clock.advance(1)
        fixture.until(lambda: fixture.log.metrics.cursors == 2)
        fixture.clock.advance(1)
        assert fixture.clock.getDelayedCalls() == []

    def test_purge(self, fixture: Fixture) -> None:
        """Delivered rows that no archive shows are removed; those that one shows are not, whatever is said."""
        shown, hidden = fixture.add(received("shown"), received("hidden", flags=WAIT))
        fixture.log.delivered(ROMEO, hidden, [], [shown, hidden])
        fixture.run(fixture.log.flush())
        assert bodies(fixture.run(fixture.log.waiting(ROMEO, 0, [], 10))) == ["shown"]
        assert fixture.log.metrics.purged == 1


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


class TestChanges:
    """Retraction and removal."""

    def test_replace(self, fixture: Fixture) -> None:
        """A tombstone stands in the row's place."""
        first, second = fixture.add(received("a"), received("b"))
        assert fixture.run(fixture.log.replace(ROMEO, first, b"<gone/>", ARCHIVE | GONE))
        rows = fixture.run(fixture.log.page(Query(ROMEO)))
        assert [(first, b"<gone/>", ARCHIVE | GONE)] == [(row.id, row.stanza, row.flags) for row in rows[:1]]
        assert not fixture.run(fixture.log.replace(ROMEO, second + 1, b"", 0))
        assert not fixture.run(fixture.log.replace(JULIET, first, b"", 0))

    def test_purge(self, fixture: Fixture) -> None:
        """Rows below an id, or all; other owners' stay. The head stays, so ids go on."""
        ids = fixture.add(*(received(str(number)) for number in range(4)), sent())
        assert fixture.run(fixture.log.purge(ROMEO, ids[2])) == 2
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["2", "3"]
        assert fixture.run(fixture.log.purge(ROMEO)) == 2
        assert fixture.run(fixture.log.purge(ROMEO)) == 0
        assert len(fixture.run(fixture.log.page(Query(JULIET)))) == 1
        assert {ROMEO: ids[3]} == fixture.run(fixture.log.heads([ROMEO]))

    def test_forget(self, fixture: Fixture) -> None:
        """Nothing is left of an owner, not even of what was queued; others keep what is theirs."""
        fixture.add(received(), sent())
        fixture.log.delivered(ROMEO, 5, [])
        told = fixture.begin([received("late")])
        fixture.run(fixture.log.forget(ROMEO))
        assert told.heard == [None]
        assert Position() == fixture.run(fixture.log.position(ROMEO))
        assert fixture.run(fixture.log.waiting(ROMEO, 0, [], 10)) == []
        assert len(fixture.run(fixture.log.page(Query(JULIET)))) == 1

    def test_after_forget(self, fixture: Fixture) -> None:
        """An account of the same name begins anew."""
        fixture.add(received())
        fixture.run(fixture.log.forget(ROMEO))
        entry = received("new")
        fixture.add(entry, received("newer"))
        assert entry.previous == 0
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["new", "newer"]


class TestEnd:
    """The log is closed before its shards."""

    def test_close(self, fixture: Fixture) -> None:
        """What was queued is committed, cursors are written, nothing more is taken."""
        told = fixture.begin([received()])
        fixture.log.delivered(ROMEO, 5, [])
        fixture.run(fixture.log.close())
        assert told.heard == [None]
        assert fixture.log.metrics.cursors == 1
        (error,) = fixture.heard([received()])
        assert isinstance(error, StorageUnavailable)
        fixture.run(fixture.log.close())
