"""The last row of all, behind what other nodes have under way: a node that died may have sent a batch before."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text
from twisted.internet.defer import Deferred

from tests.storage.deployments import Deployment, open_deployment
from xmppd.storage.jobs import Limits
from xmppd.storage.message_log import log
from xmppd.storage.message_log.postgres_append import Busy

from .logs import Fixture, received

LOCK = text("SELECT 1 FROM log_writer FOR UPDATE")


@pytest.fixture
def deployment(postgres_urls: Callable[[int], list[str]]) -> Iterator[Deployment]:
    """One shard of PostgreSQL, where nobody waits for a lock for long."""
    opened = open_deployment(postgres_urls(1), Limits(threads=2, lock=0.05))
    yield opened
    opened.run(opened.shards.close())


def test_batch_under_way_is_waited_for(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another node's batch brings is counted, as its end is waited for."""
    monkeypatch.setattr(log, "WAITS", 10_000)
    fixture, other = Fixture(deployment), Fixture(deployment)
    other.add(received("old"))
    with deployment.databases[0].blocking() as backend:
        with backend.begin():
            backend.execute(LOCK)
            backend.execute(text("UPDATE log_head SET last_id = last_id + 1000"))
            newest = Deferred.fromCoroutine(fixture.log.newest())
            deployment.loop.turn()
        found = fixture.run(newest)
    head = fixture.run(fixture.log.heads([received().owner]))
    assert [found] == list(head.values())
    for made in (fixture, other):
        made.run(made.log.close())


def test_batch_that_does_not_end(deployment: Deployment) -> None:
    """Nobody waits for it for ever: then it cannot be told."""
    fixture = Fixture(deployment)
    fixture.add(received("old"))
    with deployment.databases[0].blocking() as backend, backend.begin():
        backend.execute(LOCK)
        with pytest.raises(Busy):
            fixture.run(fixture.log.newest())
    fixture.run(fixture.log.close())
