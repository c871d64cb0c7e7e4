"""Rosters in memory: when the database is asked, and that changes take turns."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from xmppd.core.drive import drive
from xmppd.modules.roster.api import Item, Roster
from xmppd.modules.roster.cache import OVERHEAD, TRIES, CachedRosters, Change, Edit
from xmppd.modules.roster.store import StaleRoster
from xmppd.protocol.jid import Jid

JULIET = Jid.parse("juliet@capulet.example")
NURSE = Jid.parse("nurse@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")
PARIS = Jid.parse("paris@capulet.example")


class SlowStore:
    """A roster store that answers when the test says so.

    :ivar asked: what was asked, in order.
    :ivar waiting: what fires to let a question be answered.
    :ivar is_slow: whether questions wait for that.
    """

    def __init__(self) -> None:
        self.rosters: dict[Jid, Roster] = {}
        self.asked: list[str] = []
        self.waiting: list[Deferred[None]] = []
        self.is_slow = False

    async def load(self, owner: Jid) -> Roster:
        roster = self.rosters.get(owner, Roster(owner))
        await self._wait("load")
        return roster

    async def put(self, owner: Jid, before: int, after: int, jid: Jid, item: Item | None) -> None:
        await self._wait("put")
        roster = self.rosters.get(owner, Roster(owner))
        if roster.version != before:
            raise StaleRoster(owner)
        self.rosters[owner] = roster.changed(after, jid, item)

    async def remove(self, owner: Jid) -> None:
        await self._wait("remove")
        self.rosters.pop(owner, None)

    async def _wait(self, name: str) -> None:
        self.asked.append(name)
        if self.is_slow:
            waiting: Deferred[None] = Deferred()
            self.waiting.append(waiting)
            await waiting

    def answer(self) -> None:
        """Let the oldest question be answered."""
        self.waiting.pop(0).callback(None)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rosters(store: SlowStore, clock: Clock) -> CachedRosters:
    return CachedRosters(store, clock, lambda: 1000)  # type: ignore[arg-type]


def now(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run what does not wait."""
    result = drive(coroutine)
    assert not isinstance(result, Deferred), "it waits"
    return result


def later(coroutine: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run what waits; return a list that will hold its result or its exception."""
    results: list[Any] = []
    Deferred.fromCoroutine(coroutine).addCallbacks(results.append, lambda failure: results.append(failure.value))
    return results


async def change(rosters: CachedRosters, owner: Jid, decide: Callable[[Roster], Edit | None]) -> Change:
    async with rosters.turn(owner):
        return await rosters.change(owner, decide)


def adding(jid: Jid) -> Callable[[Roster], Edit]:
    return lambda roster: Edit(jid, Item(jid))


def test_one_question(rosters: CachedRosters, store: SlowStore) -> None:
    """A roster that is in memory costs no question."""
    assert now(rosters.get(JULIET)) is now(rosters.get(JULIET))
    assert store.asked == ["load"]


def test_one_question_for_many(rosters: CachedRosters, store: SlowStore) -> None:
    """Who asks while the database is asked gets the same answer."""
    store.is_slow = True
    results = [later(rosters.get(JULIET)) for _ in range(3)]
    store.answer()
    assert store.asked == ["load"]
    assert results[0] == results[1] == results[2] != []


def test_change(rosters: CachedRosters, store: SlowStore) -> None:
    """A change is stored and remembered; whoever had the roster has it as it was."""
    before = now(rosters.get(JULIET))
    changed = now(change(rosters, JULIET, adding(ROMEO)))
    assert (changed.before, changed.edit) == (before, Edit(ROMEO, Item(ROMEO)))
    assert now(rosters.get(JULIET)) is changed.after
    assert list(store.rosters[JULIET]) == list(changed.after) == [Item(ROMEO)]
    assert len(before) == 0


def test_no_change(rosters: CachedRosters, store: SlowStore) -> None:
    """What changes nothing writes nothing, and leaves the version."""
    changed = now(change(rosters, JULIET, lambda roster: None))
    assert changed.before is changed.after
    assert store.asked == ["load"]


def test_versions_grow(rosters: CachedRosters, clock: Clock) -> None:
    """2.6: each change has a greater version, whatever the clock does; one that begins anew later has a greater one too."""
    clock.rightNow = 100.0
    assert now(change(rosters, JULIET, adding(ROMEO))).after.version == 100
    assert now(change(rosters, JULIET, adding(NURSE))).after.version == 101
    clock.rightNow = 50.0
    assert now(change(rosters, JULIET, adding(PARIS))).after.version == 102
    now(rosters.remove(JULIET))
    clock.rightNow = 200.0
    assert now(change(rosters, JULIET, adding(ROMEO))).after.version == 200


def test_changes_take_turns(rosters: CachedRosters, store: SlowStore) -> None:
    """Two changes of one roster at once: the second is decided on what the first one left."""
    now(rosters.get(JULIET))
    store.is_slow = True
    first = later(change(rosters, JULIET, adding(ROMEO)))
    second = later(change(rosters, JULIET, adding(NURSE)))
    assert store.asked == ["load", "put"]
    store.answer()
    store.answer()
    assert second[0].before is first[0].after
    assert {item.jid for item in second[0].after} == {ROMEO, NURSE}


def test_rosters_do_not_wait_for_each_other(rosters: CachedRosters, store: SlowStore) -> None:
    """One account's turn is no other's."""
    store.is_slow = True
    later(change(rosters, JULIET, adding(ROMEO)))
    later(change(rosters, NURSE, adding(ROMEO)))
    assert store.asked == ["load", "load"]


def test_readers_do_not_wait_for_writers(rosters: CachedRosters, store: SlowStore) -> None:
    """While a change is being stored the roster is as it was."""
    before = now(rosters.get(JULIET))
    store.is_slow = True
    later(change(rosters, JULIET, adding(ROMEO)))
    assert now(rosters.get(JULIET)) is before


def test_turn_ends_when_a_change_fails(rosters: CachedRosters, store: SlowStore) -> None:
    """A decision that refuses leaves all as it was, and lets the next one have its turn."""

    def refuse(roster: Roster) -> Edit | None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        now(change(rosters, JULIET, refuse))
    assert now(change(rosters, JULIET, adding(ROMEO))).edit == Edit(ROMEO, Item(ROMEO))


def test_another_node_was_faster(rosters: CachedRosters, store: SlowStore) -> None:
    """A change that another node has overtaken is decided again, on what that one left."""
    now(rosters.get(JULIET))
    store.rosters[JULIET] = Roster(JULIET, 7, {NURSE: Item(NURSE)})
    changed = now(change(rosters, JULIET, adding(ROMEO)))
    assert changed.before.version == 7
    assert {item.jid for item in store.rosters[JULIET]} == {NURSE, ROMEO}


def test_other_nodes_are_always_faster(rosters: CachedRosters, store: SlowStore) -> None:
    """A change that is overtaken again and again is given up."""

    class Busy(SlowStore):
        async def put(self, owner: Jid, before: int, after: int, jid: Jid, item: Item | None) -> None:
            raise StaleRoster(owner)

    busy: Any = Busy()
    with pytest.raises(StaleRoster):
        now(change(CachedRosters(busy, Clock(), lambda: 1000), JULIET, adding(ROMEO)))
    assert busy.asked == ["load"] * TRIES


def test_unknown_outcome(rosters: CachedRosters, store: SlowStore) -> None:
    """When nobody knows whether a change was stored, the database is asked what is there."""
    now(rosters.get(JULIET))
    store.is_slow = True
    results = later(change(rosters, JULIET, adding(ROMEO)))
    store.rosters[JULIET] = Roster(JULIET, 1, {ROMEO: Item(ROMEO)})
    store.waiting.pop(0).errback(ConnectionError("lost"))
    assert isinstance(results[0], ConnectionError)
    store.is_slow = False
    assert now(rosters.get(JULIET)).item(ROMEO) is not None


def test_least_recently_used_go(store: SlowStore, clock: Clock) -> None:
    """Rosters that are in use stay in memory."""
    rosters = CachedRosters(store, clock, lambda: 2 * OVERHEAD)  # type: ignore[arg-type]
    now(rosters.get(JULIET))
    now(rosters.get(NURSE))
    now(rosters.get(JULIET))
    now(rosters.get(PARIS))
    assert rosters.counts() == (2, 0)
    store.asked.clear()
    now(rosters.get(JULIET))
    assert store.asked == []
    now(rosters.get(NURSE))
    assert store.asked == ["load"]


def test_large_rosters_count_more(store: SlowStore, clock: Clock) -> None:
    """It is items that are counted."""
    rosters = CachedRosters(store, clock, lambda: 2 * OVERHEAD + 1)  # type: ignore[arg-type]
    now(rosters.get(NURSE))
    now(change(rosters, JULIET, adding(ROMEO)))
    assert rosters.counts() == (2, 1)
    now(change(rosters, JULIET, adding(PARIS)))
    assert rosters.counts() == (1, 2)


def test_roster_in_its_turn_stays(store: SlowStore, clock: Clock) -> None:
    """Whoever asks for a roster in its owner's turn finds it: there is no waiting for oneself."""
    rosters = CachedRosters(store, clock, lambda: 0)  # type: ignore[arg-type]

    async def ask_again() -> Roster:
        async with rosters.turn(JULIET):
            await rosters.change(JULIET, adding(ROMEO))
            await rosters.get(NURSE)
            return await rosters.get(JULIET)

    assert now(ask_again()).version
    now(rosters.get(PARIS))
    assert rosters.counts() == (1, 0)


def test_removed(rosters: CachedRosters, store: SlowStore) -> None:
    """Nothing is remembered of an account that is gone."""
    now(change(rosters, JULIET, adding(ROMEO)))
    now(rosters.remove(JULIET))
    assert now(rosters.get(JULIET)).version == 0
    assert rosters.counts() == (1, 0)
