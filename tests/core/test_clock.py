"""The interface of time: what the tests move and what the server runs on have the same one."""

import asyncio
from collections.abc import Iterator

import pytest
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.task import Clock as ManualClock

from xmppd.core.clock import Call, Clock


@pytest.fixture(params=["manual", "reactor"])
def clock(request: pytest.FixtureRequest) -> Iterator[Clock]:
    """Both kinds of clock."""
    if request.param == "manual":
        yield ManualClock()
        return
    loop = asyncio.SelectorEventLoop()
    yield AsyncioSelectorReactor(loop)
    loop.close()


def test_time_does_not_go_back(clock: Clock) -> None:
    """Differences are what everybody uses."""
    assert clock.seconds() <= clock.seconds()


def test_a_call_is_to_come_until_it_is_cancelled(clock: Clock) -> None:
    """`Call` says what a scheduled call can do, on either clock."""
    call: Call = clock.callLater(3600.0, print, "never")
    assert call.active()
    call.cancel()
    assert not call.active()


def test_a_call_is_made_with_its_arguments() -> None:
    """Once, when its time has come, and not before."""
    clock, made = ManualClock(), list[tuple[int, int]]()
    clock.callLater(2.0, lambda one, two: made.append((one, two)), 1, two=2)
    clock.advance(1.9)
    assert made == []
    clock.advance(0.1)
    clock.advance(10.0)
    assert made == [(1, 2)]
