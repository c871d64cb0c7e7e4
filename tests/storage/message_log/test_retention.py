"""Old rows go, once a day."""

from collections.abc import Iterator

import pytest

from tests.storage.deployments import Deployment
from xmppd.core.message_log import Query, StorageUnavailable, id_at
from xmppd.protocol.jid import Jid
from xmppd.storage.message_log import SqlMessageLog, retention
from xmppd.storage.message_log.retention import AGAIN, DAY

from .logs import JULIET, NOW, ROMEO, Fixture, bodies, received

WEEK = 7 * DAY


class Kept(Fixture):
    """A log that keeps Romeo's rows for a week and Juliet's for two."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(deployment)
        self.run(self.log.close())
        self.times: dict[Jid, float | None] = {ROMEO: WEEK, JULIET: 2 * WEEK}
        self.longest: float | None = 2 * WEEK
        self.log = SqlMessageLog(
            deployment.shards,
            self.clock,
            deployment.loop.call,
            wall_clock=lambda: self.wall,
            keep=lambda owner: self.times.get(owner),
            longest=lambda: self.longest,
        )

    def add_old(self, owner: Jid, days: int) -> None:
        """Add a row that is so many days old."""
        (id,) = self.add(received(str(days), owner=owner))
        self.set_id(owner, id, id_at(NOW - days * DAY))

    def until_due(self, when: float) -> None:
        """Let the loop go on until something is to be done at a time."""
        self.until(lambda: any(call.getTime() == when for call in self.clock.getDelayedCalls()))

    def left(self, owner: Jid) -> list[str]:
        return bodies(self.run(self.log.page(Query(owner))))


@pytest.fixture
def kept(deployment: Deployment) -> Iterator[Kept]:
    """A log on a fresh deployment of each kind."""
    made = Kept(deployment)
    yield made
    made.run(made.log.close())


def test_by_owner(kept: Kept) -> None:
    """Each keeps rows for its own time."""
    for owner in (ROMEO, JULIET):
        for days in (40, 10, 3):
            kept.add_old(owner, days)
    assert kept.run(kept.log.tend())
    assert kept.left(ROMEO) == ["3"]
    assert kept.left(JULIET) == ["10", "3"]


def test_for_ever(kept: Kept) -> None:
    """Where one owner keeps rows for ever, none goes unasked."""
    kept.times[JULIET] = kept.longest = None
    kept.add_old(JULIET, 400)
    kept.add_old(ROMEO, 400)
    assert kept.run(kept.log.tend())
    assert kept.left(JULIET) == ["400"]
    assert kept.left(ROMEO) == []


def test_every_owner(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are."""
    monkeypatch.setattr(retention, "OWNERS", 3)
    monkeypatch.setattr(retention, "PAGE", retention.PAGE.limit(3))
    owners = [Jid(f"u{number}@montague.example") for number in range(7)]
    for owner in owners:
        kept.times[owner] = WEEK
        kept.add_old(owner, 10)
    kept.run(kept.log.tend())
    assert [kept.left(owner) for owner in owners] == [[]] * 7


def test_every_day(kept: Kept) -> None:
    """It is done at the start and then day by day."""
    kept.add_old(ROMEO, 10)
    kept.log.start()
    kept.until_due(DAY)
    assert kept.left(ROMEO) == []
    kept.add_old(ROMEO, 11)
    kept.clock.advance(DAY)
    kept.until_due(2 * DAY)
    assert kept.left(ROMEO) == []


def test_shard_away(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be done is tried again before long."""

    async def refuse(*_: object) -> object:
        raise StorageUnavailable("shard 0 is down")

    for database in kept.deployment.databases:
        monkeypatch.setattr(database, "fetch", refuse)
    kept.log.start()
    kept.until_due(AGAIN)
    monkeypatch.undo()
    kept.add_old(ROMEO, 10)
    kept.clock.advance(AGAIN)
    kept.until_due(AGAIN + DAY)
    assert kept.left(ROMEO) == []
