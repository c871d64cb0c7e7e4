"""Changes to what belongs to one owner come one after another."""

import pytest
from twisted.internet.defer import Deferred

from xmppd.core.drive import drive_alone
from xmppd.core.turns import Turns
from xmppd.protocol.jid import Jid

JULIET = Jid("juliet@capulet.example")
ROMEO = Jid("romeo@montague.example")


class Work:
    """Things that take a turn each, and as long as they are let."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.done: list[str] = []
        self.failed: list[BaseException] = []

    def begin(self, name: str, owner: Jid) -> "Deferred[None]":
        lasting: Deferred[None] = Deferred()

        async def work() -> None:
            async with self.turns.of(owner):
                self.done.append(f"{name} begins")
                await lasting
                self.done.append(f"{name} ends")

        drive_alone(work(), self.failed.append)
        return lasting


@pytest.fixture
def work() -> Work:
    return Work()


def test_one_after_another(work: Work) -> None:
    """Whoever comes second waits for the first."""
    first = work.begin("first", JULIET)
    second = work.begin("second", JULIET)
    assert work.done == ["first begins"]
    first.callback(None)
    second.callback(None)
    assert work.done == ["first begins", "first ends", "second begins", "second ends"]


def test_owners_do_not_wait_for_each_other(work: Work) -> None:
    """Each has a queue of its own, which is gone when nobody is in it."""
    lasting = work.begin("hers", JULIET)
    work.begin("his", ROMEO).callback(None)
    assert work.done == ["hers begins", "his begins", "his ends"]
    assert JULIET in work.turns
    assert ROMEO not in work.turns
    lasting.callback(None)
    assert JULIET not in work.turns


def test_who_fails_ends_its_turn(work: Work) -> None:
    """The next one comes all the same."""
    first = work.begin("first", JULIET)
    work.begin("second", JULIET).callback(None)
    first.errback(ValueError("a bug"))
    assert work.done == ["first begins", "second begins", "second ends"]
    assert len(work.failed) == 1
