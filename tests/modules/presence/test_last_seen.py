"""Who was last seen when, and what that costs."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from xmppd.core.accounts import Account, Role
from xmppd.core.drive import drive
from xmppd.core.shards import StorageUnavailable
from xmppd.modules.presence.api import Departure
from xmppd.modules.presence.last_seen import TOGETHER, LastSeen
from xmppd.protocol.jid import Jid

JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")


class Accounts:
    """An account store that notes what it is told, and answers when the test says so."""

    def __init__(self) -> None:
        self.told: list[tuple[Jid, float, str]] = []
        self.waiting: list[Deferred[None]] = []
        self.is_slow = False
        self.is_down = False
        self.asked = 0

    async def get(self, jid: Jid) -> Account | None:
        self.asked += 1
        when, status = next(((when, status) for known, when, status in self.told if known == jid), (None, ""))
        return Account(jid, Role.USER, True, 0.0, when, status) if jid in (JULIET, ROMEO) else None

    async def set_last_seen(self, jid: Jid, when: float, status: str = "") -> None:
        if self.is_down:
            raise StorageUnavailable("down")
        self.told.append((jid, when, status))
        if self.is_slow:
            waiting: Deferred[None] = Deferred()
            self.waiting.append(waiting)
            await waiting


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seen(accounts: Accounts, clock: Clock) -> LastSeen:
    store: Any = accounts
    return LastSeen(store, clock)


def test_written_a_little_later(seen: LastSeen, accounts: Accounts, clock: Clock) -> None:
    """Nobody waits for it; it is written with the time at which it was noted."""
    clock.advance(100)
    seen.note(JULIET, "Good night")
    assert accounts.told == []
    clock.advance(0.5)
    seen.note(ROMEO, "")
    clock.advance(0.5)
    assert accounts.told == [(JULIET, 100.0, "Good night"), (ROMEO, 100.5, "")]
    clock.advance(10)
    assert len(accounts.told) == 2


def test_last_note_counts(seen: LastSeen, accounts: Accounts, clock: Clock) -> None:
    """Two notes of one account are one write."""
    seen.note(JULIET, "one")
    seen.note(JULIET, "two")
    clock.advance(1)
    assert accounts.told == [(JULIET, 0.0, "two")]


def test_a_few_at_a_time(seen: LastSeen, accounts: Accounts, clock: Clock) -> None:
    """A thousand who leave at once are not a thousand questions at once."""
    accounts.is_slow = True
    for number in range(TOGETHER + 1):
        seen.note(Jid.parse(f"guest{number}@capulet.example"), "")
    clock.advance(1)
    assert len(accounts.waiting) == TOGETHER
    for waiting in accounts.waiting[:TOGETHER]:
        waiting.callback(None)
    assert len(accounts.told) == TOGETHER + 1


def last(seen: LastSeen, account: Jid) -> Departure | None:
    result = drive(seen.last(account))
    assert not isinstance(result, Deferred)
    return result


def test_what_waits_is_known(seen: LastSeen, accounts: Accounts, clock: Clock) -> None:
    """Who asks is told at once: while it waits, while it is written, and when it was."""
    accounts.is_slow = True
    clock.advance(100)
    assert last(seen, JULIET) is None
    seen.note(JULIET, "Good night")
    expected = Departure(100.0, "Good night")
    assert last(seen, JULIET) == expected
    clock.advance(1)
    assert (last(seen, JULIET), len(accounts.waiting), accounts.asked) == (expected, 1, 1)
    accounts.waiting[0].callback(None)
    assert (last(seen, JULIET), accounts.asked) == (expected, 2)
    assert last(seen, Jid.parse("nobody@capulet.example")) is None


def test_noted_again_while_it_is_written(seen: LastSeen, accounts: Accounts, clock: Clock) -> None:
    """The newer note counts, and the end of the older write does not take it away."""
    accounts.is_slow = True
    seen.note(JULIET, "one")
    clock.advance(1)
    seen.note(JULIET, "two")
    assert last(seen, JULIET) == Departure(1.0, "two")
    clock.advance(1)
    accounts.waiting[0].callback(None)
    assert last(seen, JULIET) == Departure(1.0, "two")
    assert accounts.asked == 0


def test_database_that_is_down(seen: LastSeen, accounts: Accounts, clock: Clock) -> None:
    """A note that cannot be written is lost, and the next one is not."""
    accounts.is_down = True
    seen.note(JULIET, "")
    clock.advance(1)
    accounts.is_down = False
    seen.note(ROMEO, "")
    clock.advance(1)
    assert accounts.told == [(ROMEO, 1.0, "")]


def test_stop_writes_what_waits(seen: LastSeen, accounts: Accounts, clock: Clock) -> None:
    """A node that stops loses no note."""
    seen.note(JULIET, "")
    done: list[object] = []
    Deferred.fromCoroutine(seen.stop()).addBoth(done.append)
    assert done == [None]
    assert len(accounts.told) == 1
    assert clock.getDelayedCalls() == []
