"""Block lists in memory: when the database is asked, and that changes take turns."""

from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from xmppd.modules.blocking.api import Blocklist
from xmppd.modules.blocking.cache import OVERHEAD, CachedBlocklists
from xmppd.modules.blocking.store import Change, TooMany
from xmppd.protocol.jid import Jid

JULIET, NURSE, PARIS = (Jid.parse(f"{name}@capulet.example") for name in ("juliet", "nurse", "paris"))
ROMEO, IAGO = Jid.parse("romeo@montague.example"), Jid.parse("iago@shakespeare.example")


class SlowStore:
    """A store that answers when the test says so.

    :ivar asked: what was asked, in order.
    :ivar waiting: what fires to let a question be answered.
    :ivar is_slow: whether questions wait for that.
    :ivar error: what the next change fails with, after it was written.
    """

    def __init__(self) -> None:
        self.lists: dict[Jid, Blocklist] = {}
        self.asked: list[str] = []
        self.waiting: list[Deferred[None]] = []
        self.is_slow = False
        self.error: Exception | None = None

    async def load(self, owner: Jid) -> Blocklist:
        await self._wait("load")
        return self.lists.get(owner, Blocklist(owner))

    async def block(self, owner: Jid, jids: Sequence[Jid], limit: int) -> Change:
        await self._wait("block")
        return self._set(owner, [*self.lists.get(owner, ()), *jids])

    async def unblock(self, owner: Jid, jids: Sequence[Jid]) -> Change:
        await self._wait("unblock")
        return self._set(owner, [jid for jid in self.lists.get(owner, ()) if jid not in jids])

    async def clear(self, owner: Jid) -> Change:
        await self._wait("clear")
        return self._set(owner, [])

    def _set(self, owner: Jid, jids: Sequence[Jid]) -> Change:
        before = self.lists.get(owner, Blocklist(owner))
        self.lists[owner] = Blocklist(owner, jids)
        if self.error is not None:
            raise self.error
        return Change(before, self.lists[owner])

    async def _wait(self, name: str) -> None:
        self.asked.append(name)
        if self.is_slow:
            waiting: Deferred[None] = Deferred()
            self.waiting.append(waiting)
            await waiting

    def answer(self) -> None:
        """Let the oldest question be answered."""
        self.waiting.pop(0).callback(None)


class TestCache:
    """One cache over a slow store."""

    @pytest.fixture(autouse=True)
    def cache(self) -> None:
        self.store = SlowStore()
        self.size = 100
        self.cache_ = CachedBlocklists(self.store, lambda: self.size)  # type: ignore[arg-type]

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> "Deferred[Any]":
        return Deferred.fromCoroutine(coroutine)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.result(self.begin(coroutine))

    def result(self, deferred: "Deferred[Any]") -> Any:
        found: list[Any] = []
        failed: list[Any] = []
        deferred.addCallbacks(found.append, failed.append)
        if failed:
            failed[0].raiseException()
        return found[0]

    def test_asked_once(self) -> None:
        """A list is read once, be it empty or not."""
        for _ in range(3):
            assert list(self.run(self.cache_.get(JULIET))) == []
        assert self.store.asked == ["load"]

    def test_asked_at_once(self) -> None:
        """Those who ask while it is read wait for the same answer."""
        self.store.is_slow = True
        both = [self.begin(self.cache_.get(JULIET)) for _ in range(2)]
        assert self.store.asked == ["load"]
        self.store.answer()
        assert self.result(both[0]) is self.result(both[1])

    def test_changes_are_seen(self) -> None:
        """What is written is kept."""
        self.run(self.cache_.block(JULIET, [ROMEO, IAGO], 10))
        assert list(self.run(self.cache_.get(JULIET))) == [IAGO, ROMEO]
        self.run(self.cache_.unblock(JULIET, [ROMEO]))
        assert list(self.run(self.cache_.get(JULIET))) == [IAGO]
        self.run(self.cache_.unblock(JULIET, None))
        assert list(self.run(self.cache_.get(JULIET))) == []
        assert self.store.asked == ["block", "unblock", "clear"]

    def test_turns(self) -> None:
        """Two changes, and a reading between them: the last one holds."""
        self.store.is_slow = True
        first = self.begin(self.cache_.block(JULIET, [ROMEO], 10))
        second = self.begin(self.cache_.get(JULIET))
        third = self.begin(self.cache_.block(JULIET, [IAGO], 10))
        assert self.store.asked == ["block"]
        self.store.answer()
        assert list(self.result(first).after) == [ROMEO]
        assert list(self.result(second)) == [ROMEO]
        self.store.answer()
        assert list(self.result(third).after) == [IAGO, ROMEO]
        assert list(self.run(self.cache_.get(JULIET))) == [IAGO, ROMEO]

    def test_owners_do_not_wait_for_each_other(self) -> None:
        """A turn is one account's."""
        self.store.is_slow = True
        self.begin(self.cache_.get(JULIET))
        self.begin(self.cache_.get(NURSE))
        assert self.store.asked == ["load", "load"]

    @pytest.mark.parametrize("error", [TooMany(), ValueError("lost connection")])
    def test_failed_change(self, error: Exception) -> None:
        """Whether it is in the database nobody knows: the list is read again."""
        self.run(self.cache_.get(JULIET))
        self.store.error = error
        with pytest.raises(type(error)):
            self.run(self.cache_.block(JULIET, [ROMEO], 10))
        assert list(self.run(self.cache_.get(JULIET))) == [ROMEO]

    def test_bounded(self) -> None:
        """The list that was not used for longest goes; the one that is asked for stays, however long."""
        self.size = 2 * OVERHEAD
        for owner in (JULIET, NURSE, JULIET, PARIS, JULIET):
            self.run(self.cache_.get(owner))
        assert self.store.asked == ["load"] * 3
        assert self.cache_.counts() == (2, 0)
        self.run(self.cache_.block(NURSE, [ROMEO, IAGO], 10))
        assert self.cache_.counts() == (1, 2)

    def test_forgotten(self) -> None:
        """What another node has changed is read again."""
        self.run(self.cache_.get(JULIET))
        self.store.lists[JULIET] = Blocklist(JULIET, [ROMEO])
        self.cache_.forget(JULIET)
        self.cache_.forget(JULIET)
        assert list(self.run(self.cache_.get(JULIET))) == [ROMEO]
        assert self.cache_.counts() == (1, 1)

    def test_removed(self) -> None:
        """An account that is gone leaves nothing."""
        self.run(self.cache_.block(JULIET, [ROMEO], 10))
        self.run(self.cache_.remove(JULIET))
        assert self.cache_.counts() == (0, 0)
        assert list(self.run(self.cache_.get(JULIET))) == []
