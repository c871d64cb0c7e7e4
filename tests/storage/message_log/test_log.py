"""The contract of `core.message_log.MessageLog`, on SQLite and on PostgreSQL's shards."""

from itertools import pairwise

import pytest

from xmppd.core.message_log import (
    ARCHIVE,
    COUNTER_BITS,
    GONE,
    RECEIVED,
    WAIT,
    Position,
    Query,
    Row,
    StorageUnavailable,
    time_of,
)
from xmppd.protocol.jid import Jid

from .logs import BALCONY, JULIET, NOW, ROMEO, Fixture, Told, bodies, received, sent

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

    def test_heads_of_a_shard_that_is_down(self, fixture: Fixture) -> None:
        """They are left out; those of other shards are told all the same."""
        databases = fixture.deployment.databases
        owners = [Jid(fixture.deployment.owner_on(shard)) for shard in range(len(databases))]
        rows = [received(owner=owner) for owner in owners]
        assert fixture.heard(*([row] for row in rows)) == [None] * len(rows)

        async def goes() -> None:
            await databases[-1].close()

        fixture.run(goes())
        assert {row.owner: row.id for row in rows[:-1]} == fixture.run(fixture.log.heads(owners))

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


class TestRoom:
    """A sender is read no further while its own shard's queue is full."""

    def test_room(self, fixture: Fixture) -> None:
        """Some wait, and there is room; it is told how many."""
        told = fixture.begin([received()], [received()], [sent()])
        assert fixture.log.queued == 3
        assert fixture.log.room(ROMEO) is None
        fixture.until(lambda: told.heard == [None] * 3)
        assert fixture.log.queued == 0


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


class TestFaults:
    """A question to many shards is as good as the worst of them."""

    def test_one_shard_is_away(self, fixture: Fixture) -> None:
        """Then the question fails, once."""
        fixture.run(fixture.deployment.databases[-1].close())
        with pytest.raises(StorageUnavailable, match="closed"):
            fixture.run(fixture.log.trace("o", 0))


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
