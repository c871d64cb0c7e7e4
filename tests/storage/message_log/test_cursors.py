"""Cursors are sets of ids, and merging is their union."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.storage.deployments import INLINE, Deployment, open_deployment
from xmppd.storage.message_log.cursors import CHUNK, OPEN_LIMIT, Cursor, Cursors, Delivered, merging
from xmppd.storage.message_log.keys import Keys, digest_of

from .logs import ROMEO, Fixture

LARGEST = 30


@some.composite
def cursors(draw: some.DrawFn) -> Cursor:
    """Cursors over a few ids."""
    delivered = draw(some.integers(0, LARGEST))
    return Cursor(
        delivered, frozenset(draw(some.sets(some.integers(1, max(delivered, 1))))) if delivered else frozenset()
    )


def members(cursor: Cursor) -> set[int]:
    """Return the ids that a cursor describes."""
    return set(range(1, cursor.delivered + 1)) - cursor.open


class TestUnion:
    """Merging loses nothing and invents nothing."""

    @given(cursors(), cursors())
    def test_union(self, one: Cursor, other: Cursor) -> None:
        """What either side has delivered is delivered, nothing else is."""
        assert members(one) | members(other) == members(one.united(other))

    @given(cursors(), cursors())
    def test_order(self, one: Cursor, other: Cursor) -> None:
        """Writers may come in any order, and twice."""
        united = one.united(other)
        assert members(united) == members(other.united(one)) == members(united.united(one))

    def test_too_many(self) -> None:
        """Then less counts as delivered than is: messages may come twice, none is lost."""
        most = Cursor(1000, frozenset(range(100, 100 + OPEN_LIMIT)))
        assert most == Cursor().united(most)
        assert Cursor(9) == Cursor(1000, most.open | {10}).united(Cursor())


@pytest.fixture(scope="module")
def shard(templates: dict[int, list[str]], postgres: object) -> Iterator[Deployment]:
    """One shard of PostgreSQL, for many examples."""
    name = postgres.create_database(templates[1][0])  # type: ignore[attr-defined]
    opened = open_deployment([postgres.url(name)], INLINE)  # type: ignore[attr-defined]
    yield opened
    opened.run(opened.shards.close())
    postgres.drop_database(name)  # type: ignore[attr-defined]


def test_postgres_does_the_same(shard: Deployment) -> None:
    """The function in the database is the one in Python."""
    ask: Callable[[str], object] = lambda text: next(iter(_rows(shard, text)))  # noqa: E731

    @given(cursors(), cursors())
    def compare(one: Cursor, other: Cursor) -> None:
        listed = [f"{cursor.delivered}, ARRAY{sorted(cursor.open)}::bigint[]" for cursor in (one, other)]
        delivered, left = ask(f"SELECT * FROM xmppd_log_union({', '.join(listed)})")  # type: ignore[misc]
        assert one.united(other) == Cursor(delivered, frozenset(left))

    compare()
    many = f"1000, ARRAY(SELECT generate_series(10, {10 + OPEN_LIMIT}))::bigint[]"
    assert ask(f"SELECT * FROM xmppd_log_union({many}, 0, '{{}}')") == (9, [])


def _rows(shard: Deployment, text: str) -> list[tuple[object, ...]]:
    with shard.databases[0].blocking() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(text.replace("%", "%%"))]


def test_statement() -> None:
    """Digits and hexadecimal digits alone; what is not purged is not spoken of."""
    digest = digest_of(ROMEO)
    text = merging([5], [(digest, Cursor(7, frozenset([3])), [])])
    assert text == rf"""SELECT xmppd_log_delivered('{{5}}','{{"\\x{digest.hex()}"}}','{{7}}','{{"{{3}}"}}',NULL,NULL)"""


def test_chunks(fixture: Fixture) -> None:
    """Many owners are written by several statements."""
    from xmppd.protocol.jid import Jid

    owners = [Jid(fixture.deployment.owner_on(0))] + [Jid(f"u{number}@h") for number in range(3 * CHUNK)]
    here = [owner for owner in owners if fixture.log.together(owners[0], owner)][: CHUNK + 1]
    gathered = {owner: Delivered(Cursor(9)) for owner in here}
    lane = fixture.deployment.databases[0].writer_lane()
    written = Cursors(Keys(), fixture.is_sqlite).write(lane, gathered)
    assert len(written) == 2
    assert [fixture.run(chunk) for chunk in written] == [0, 0]
    assert fixture.run(fixture.log.position(here[-1])).delivered == 9
