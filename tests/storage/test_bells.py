"""Bells wake one thread, once for each ring."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from xmppd.storage.bells import Bell, LockBell, PipeBell

from .deployments import HANG

BELLS = pytest.mark.parametrize("make", [LockBell, PipeBell])


@BELLS
def test_wakes(make: Callable[[], Bell]) -> None:
    """Who waits goes on when the bell is rung, each time anew."""
    bell, turns = make(), threading.Barrier(2)
    woken: list[int] = []

    def sleep() -> None:
        for number in range(3):
            bell.wait()
            woken.append(number)
            turns.wait(HANG)

    sleeper = threading.Thread(target=sleep, daemon=True)
    sleeper.start()
    for number in range(3):
        assert len(woken) == number
        bell.ring()
        turns.wait(HANG)
    sleeper.join(HANG)
    assert woken == [0, 1, 2]
    bell.close()


@BELLS
def test_rung_before(make: Callable[[], Bell]) -> None:
    """A bell that was rung already does not let wait."""
    bell = make()
    bell.ring()
    bell.wait()
    bell.close()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_pipe_is_closed() -> None:
    """Threads that have ended leave no files open."""
    before = open_files()
    bell = PipeBell()
    assert open_files() == before + 2
    bell.close()
    assert open_files() == before
