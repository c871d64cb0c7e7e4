"""The log from outside: how much there is, and how much waits."""

import pytest

from xmppd.core.log_survey import Extent, Rate
from xmppd.core.message_log import ARCHIVE, time_of
from xmppd.protocol.jid import Jid
from xmppd.storage.message_log import survey as module
from xmppd.storage.message_log.survey import SqlLogSurvey

from .logs import BALCONY, JULIET, ROMEO, Fixture, received, sent

NURSE = Jid("nurse@capulet.example")
SIZE = len(b"<message><body>hark</body></message>")
FOR_EVER = 2**63 - 1


@pytest.fixture
def survey(fixture: Fixture) -> SqlLogSurvey:
    return SqlLogSurvey(fixture.log)


async def all_of(survey: SqlLogSurvey, host: str) -> list[Jid]:
    return sorted([owner async for owner in survey.owners(host)])


def test_owner(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """What one owner has is counted: rows, the bytes of their stanzas, and when the ends were committed."""
    ids = fixture.add(received(), received(), received(), sent())
    extent = fixture.run(survey.of_owner(ROMEO))
    assert extent == Extent(3, 3 * SIZE, time_of(ids[0]), time_of(ids[2]))
    assert fixture.run(survey.of_owner(NURSE)) == Extent(0, 0, None, None)


def test_host(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """A host has what its owners have, on whatever shard they are; no host has what another one's name ends with."""
    ids = fixture.add(received(), sent(), received(owner=NURSE), received(owner=Jid("a@not.capulet.example")))
    extent = fixture.run(survey.of_host("capulet.example"))
    assert extent == Extent(2, 2 * SIZE, min(map(time_of, ids[1:3])), max(map(time_of, ids[1:3])))
    assert fixture.run(survey.of_host("example")) == Extent(0, 0, None, None)


def test_many_owners_are_estimated(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """Where a host has more owners than are looked at those stand for all, and it is said that this is an estimate."""
    owners = [Jid(f"page{number}@capulet.example") for number in range(4 * module.SAMPLE)]
    fixture.add(*[received(owner=owner) for owner in owners])
    extent = fixture.run(survey.of_host("capulet.example"))
    assert not extent.is_exact
    assert (extent.rows, extent.size) == (len(owners), SIZE * len(owners))


def test_owners(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """The owners of a host, page by page."""
    fixture.add(received(), sent(), received(owner=NURSE), received(owner=BALCONY.bare))
    assert fixture.run(all_of(survey, "capulet.example")) == [JULIET, NURSE]
    assert fixture.run(all_of(survey, "montague.example")) == [ROMEO]
    assert fixture.run(all_of(survey, "verona.example")) == []


def test_shards(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """Each shard tells its part: its rows, what it takes on disk, what waits there and what it has committed."""
    ids = fixture.add(received(), received(), sent())
    found = fixture.run(survey.shards())
    assert [figures.shard for figures in found] == list(range(len(fixture.deployment.databases)))
    assert sum(figures.extent.rows for figures in found) == 3
    assert all(figures.extent.is_exact and figures.extent.size > 0 for figures in found)
    assert sum(figures.waiting for figures in found) == 2
    assert sum(figures.queued for figures in found) == 0
    assert sum(figures.commits for figures in found) >= 1
    filled = [figures for figures in found if figures.extent.rows]
    assert min(figures.extent.first or 0 for figures in filled) == min(map(time_of, ids))
    assert max(figures.extent.last or 0 for figures in filled) == max(map(time_of, ids))
    assert all(figures.seconds > 0 for figures in filled)


def test_large_shards_are_estimated(fixture: Fixture, survey: SqlLogSurvey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody counts what takes long to count; what the database guesses may be too little, never less than was seen."""
    fixture.add(received(), received(), received())
    monkeypatch.setattr(module, "COUNTED", 0)
    found = fixture.run(survey.shards())
    filled = [figures.extent for figures in found if not figures.extent.is_exact]
    assert len(filled) == 1
    assert filled[0].rows >= 1


def test_rate(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """What the writers have done since the start, with what was a repetition."""
    assert survey.rate() == Rate(0, 0, 0, 0)
    fixture.add(received(key=b"k" * 16))
    fixture.add(received(key=b"k" * 16, since=1))
    rate = survey.rate()
    assert (rate.rows, rate.repeated, rate.batches) == (2, 1, 2)


def test_waiting(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """Rows wait that are above their owner's cursor, or that it names as open; copies and archived ones do not."""
    ids = fixture.add(
        *[received() for _ in range(3)],
        *[received(owner=NURSE) for _ in range(2)],
        received(owner=JULIET, flags=ARCHIVE),
        sent(owner=JULIET),
    )
    assert fixture.run(survey.waiting()) == 5
    fixture.log.delivered(ROMEO, ids[1], {ids[0]})
    fixture.log.delivered(NURSE, ids[4], ())
    fixture.run(fixture.log.flush())
    assert fixture.run(survey.waiting()) == 2
    assert fixture.run(survey.waiting("montague.example")) == 2
    assert fixture.run(survey.waiting("capulet.example")) == 0


def test_most_waiting(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """Who has most comes first, whatever the shard; no more than asked for, and nobody for whom nothing waits."""
    fixture.add(*[received() for _ in range(2)], *[received(owner=NURSE) for _ in range(3)], received(owner=JULIET))
    everybody = [(NURSE, 3), (ROMEO, 2), (JULIET, 1)]
    assert fixture.run(survey.most_waiting(10)) == everybody
    assert fixture.run(survey.most_waiting(2)) == everybody[:2]
    assert fixture.run(survey.most_waiting(10, "capulet.example")) == [(NURSE, 3), (JULIET, 1)]


def test_steps_of_a_purge(fixture: Fixture, survey: SqlLogSurvey) -> None:
    """How many rows are below an id, and the id below which there are so many."""
    ids = fixture.add(*[received() for _ in range(5)])
    assert fixture.run(survey.count(ROMEO, ids[3])) == 3
    assert fixture.run(survey.count(ROMEO, FOR_EVER)) == 5
    assert fixture.run(survey.behind(ROMEO, 2, FOR_EVER)) == ids[2]
    assert fixture.run(survey.behind(ROMEO, 2, ids[1])) == ids[1]
    assert fixture.run(survey.behind(ROMEO, 5, FOR_EVER)) == FOR_EVER
