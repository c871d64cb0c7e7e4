"""What handlers do wrong is told, and a flood of it does not fill a disk."""

from typing import Any

import pytest
from twisted.internet.task import Clock

from xmppd.core.fault_log import PERIOD, FaultLog
from xmppd.core.log import Log
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.errors import InternalServerError, ResourceConstraint

from .logged import lines


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def events() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def faults(clock: Clock, events: list[dict[str, Any]]) -> FaultLog:
    return FaultLog(Log("hooks", events.append), clock)


def test_fault_is_told_whole(faults: FaultLog, events: list[dict[str, Any]]) -> None:
    """A bug is told with its traceback, the handler's name and what it handled."""
    faults.tell("muc.join", "InboundPresence", KeyError("x"))
    (event,) = events
    assert event["log_failure"].type is KeyError
    assert lines(events) == ["muc.join failed in InboundPresence"]


def test_same_fault_again(faults: FaultLog, events: list[dict[str, Any]], clock: Clock) -> None:
    """The same fault of the same handler is told once in a period, and then how often it came."""
    for number in range(1000):
        faults.tell("muc.join", "InboundPresence", KeyError(f"x{number}"))
    assert len(events) == 1
    clock.advance(PERIOD)
    faults.tell("muc.join", "InboundPresence", KeyError("x"))
    assert lines(events[1:]) == ["muc.join failed in InboundPresence (999 times more before)"]
    assert "log_failure" in events[1]


def test_other_faults(faults: FaultLog, events: list[dict[str, Any]]) -> None:
    """Another handler, event or kind of error is another fault."""
    faults.tell("muc.join", "InboundPresence", KeyError())
    faults.tell("muc.join", "InboundPresence", ValueError())
    faults.tell("muc.join", "InboundMessage", KeyError())
    faults.tell("muc.leave", "InboundPresence", KeyError())
    assert len(events) == 4


def test_storage(faults: FaultLog, events: list[dict[str, Any]], clock: Clock) -> None:
    """A database that is down is nobody's bug: one line without a traceback, whoever asks how often."""
    for number in range(100):
        faults.tell(f"handler{number}", "InboundMessage", StorageUnavailable("db.example is down: refused"))
    assert lines(events) == ["handler0 in InboundMessage has no storage: db.example is down: refused"]
    assert "log_failure" not in events[0]
    clock.advance(PERIOD)
    faults.tell("roster.get", "iq", StorageUnavailable("db.example is down: refused"))
    assert lines(events)[1] == "roster.get in iq has no storage: db.example is down: refused (99 times more before)"


def test_answers(faults: FaultLog) -> None:
    """Who asked is told to wait for the storage; a bug is the server's own fault."""
    unavailable = faults.answer("h", "E", StorageUnavailable("down"))
    assert isinstance(unavailable, ResourceConstraint)
    assert unavailable.element().get("type") == "wait"
    assert "down" not in str(unavailable.text or "")
    assert isinstance(faults.answer("h", "E", KeyError()), InternalServerError)


def test_without_a_clock(events: list[dict[str, Any]]) -> None:
    """Nothing is left out where there is no time."""
    faults = FaultLog(Log("hooks", events.append))
    for _ in range(3):
        faults.tell("h", "E", KeyError())
        faults.tell("h", "E", StorageUnavailable("down"))
    assert len(events) == 6
