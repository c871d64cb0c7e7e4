"""Statements of questions: one for each shape, with a key to go by."""

import pytest
from sqlalchemy import Connection

from xmppd.core.message_log import Query
from xmppd.storage.message_log.cursors import Cursor
from xmppd.storage.message_log.keys import Keys
from xmppd.storage.message_log.reads import Question, Reads, fetch

from .logs import BALCONY, JULIET, ROMEO, Fixture, received


@pytest.fixture
def reads(fixture: Fixture) -> Reads:
    return Reads(Keys(), fixture.deployment.databases[0].engine.dialect)


QUERIES = (
    Query(ROMEO),
    Query(ROMEO, after=5, before=9, backwards=True),
    Query(ROMEO, peer=JULIET),
    Query(ROMEO, peer=BALCONY, backwards=True),
    Query(ROMEO, ids=(1, 2)),
)


def test_compiled_once(reads: Reads) -> None:
    """Questions of one shape share a statement; values are values."""
    one, other = reads.page(Query(ROMEO, after=1)), reads.page(Query(JULIET, after=2))
    assert one.prepared is other.prepared
    assert one.parameters != other.parameters
    assert one.prepared is not reads.page(Query(ROMEO, after=1, backwards=True)).prepared


def test_run_raw(reads: Reads) -> None:
    """No statement needs SQLAlchemy when it runs."""
    questions = [reads.page(query) for query in QUERIES] + [reads.count(query) for query in QUERIES]
    questions += [reads.waiting(ROMEO, 5, open, 10) for open in ([], [3])]
    questions += [reads.ends(ROMEO), reads.present(ROMEO, [1]), reads.heads([ROMEO]), reads.trace("o", 0)]
    count = reads.count_waiting(ROMEO, Cursor())
    assert all(prepared.raw for prepared in (*(asked.prepared for asked in questions), count.plain, count.with_open))


def test_open_ids_above(reads: Reads) -> None:
    """Ids that are above the bound come anyway; they are not asked for twice."""
    assert reads.waiting(ROMEO, 5, [7], 10).prepared is reads.waiting(ROMEO, 5, [], 10).prepared


@pytest.mark.parametrize("query", QUERIES)
def test_no_question_reads_the_table(fixture: Fixture, reads: Reads, query: Query) -> None:
    """The owner's rows are found by an index, however many others there are."""
    fixture.add(received())
    question = reads.page(query)

    def explain(connection: Connection) -> str:
        cursor = connection.connection.cursor()
        if not fixture.is_sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small
        prefix = "EXPLAIN QUERY PLAN " if fixture.is_sqlite else "EXPLAIN "
        cursor.execute(prefix + question.prepared.text, question.prepared.bind(question.parameters))
        return "\n".join(str(row) for row in cursor.fetchall())

    plan = fixture.run(fixture.deployment.databases[0].transaction("explain", explain, None))
    assert ("USING INDEX" if fixture.is_sqlite else "owner =") in plan
    assert "SCAN log" not in plan


def test_heads_are_padded(reads: Reads) -> None:
    """One owner or many: the statement is the same, and no owner is asked for twice."""
    question = reads.heads([ROMEO, JULIET])
    assert len(set(question.parameters.values())) == 2
    assert isinstance(question, Question)


def test_fetch(fixture: Fixture, reads: Reads) -> None:
    """Rows come as the driver has them."""
    (id,) = fixture.add(received())
    database = fixture.database_of(ROMEO)
    assert [(id,)] == fixture.run(database.read("present", fetch, (reads.present(ROMEO, [id, id + 1]),)))
