"""What happens to streams because time passes."""

from typing import Any

import pytest
from twisted.internet.task import Clock

from xmppd.config.limits import Limits
from xmppd.core.upkeep import VISIT_EVERY, Upkeep
from xmppd.protocol.errors import StreamError

LIMITS = Limits()


class Stream:
    """A stream as the upkeep sees it."""

    def __init__(self, upkeep: Upkeep) -> None:
        self.last_heard = upkeep.now
        self.pinged_at: float | None = None
        self.asked = 0
        self.errors: list[StreamError] = []

    def ask_for_life(self) -> None:
        self.asked += 1

    def close(self, error: StreamError) -> None:
        self.errors.append(error)

    def let_go(self, error: StreamError) -> None:
        self.errors.append(error)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def upkeep(clock: Clock) -> Upkeep:
    upkeep = Upkeep(LIMITS, clock)
    upkeep.start()
    return upkeep


def bound(upkeep: Upkeep) -> Any:
    stream: Any = Stream(upkeep)
    upkeep.negotiating(stream)
    upkeep.bound(stream)
    return stream


def passes(clock: Clock, seconds: int) -> None:
    """Let time pass second by second."""
    for _ in range(seconds):
        clock.advance(1)


class TestNegotiation:
    """Architecture rule 9: 30 s, trickling or not."""

    def test_deadline(self, upkeep: Upkeep, clock: Clock) -> None:
        """What is not bound in time is closed."""
        stream: Any = Stream(upkeep)
        upkeep.negotiating(stream)
        passes(clock, 29)
        assert stream.errors == []
        passes(clock, 1)
        assert [error.condition for error in stream.errors] == ["connection-timeout"]

    def test_bound_in_time(self, upkeep: Upkeep, clock: Clock) -> None:
        """What is bound is watched otherwise."""
        stream = bound(upkeep)
        passes(clock, 60)
        assert stream.errors == []
        assert upkeep.counts() == (0, 1)

    def test_gone(self, upkeep: Upkeep, clock: Clock) -> None:
        """What is gone is closed no more."""
        stream: Any = Stream(upkeep)
        upkeep.negotiating(stream)
        upkeep.gone(stream)
        passes(clock, 60)
        assert stream.errors == []
        assert upkeep.streams() == []
        upkeep.gone(stream)


class TestSilence:
    """RFC 6120, 4.6."""

    def test_asked_then_closed(self, upkeep: Upkeep, clock: Clock) -> None:
        """A silent stream is asked, and closed if it stays silent; the limits hold within one round."""
        stream = bound(upkeep)
        passes(clock, int(LIMITS.idle_ping))
        assert stream.asked == 0
        passes(clock, VISIT_EVERY)
        assert stream.asked == 1
        passes(clock, int(LIMITS.idle_timeout) - VISIT_EVERY)
        assert stream.errors == []
        passes(clock, 2 * VISIT_EVERY)
        assert stream.errors[0].condition == "connection-timeout"
        assert stream.asked == 1

    def test_answers(self, upkeep: Upkeep, clock: Clock) -> None:
        """Who answers is asked again only after another silence."""
        stream = bound(upkeep)
        for number in range(1, 4):
            passes(clock, int(LIMITS.idle_ping) + VISIT_EVERY)
            assert stream.asked == number
            stream.last_heard, stream.pinged_at = upkeep.now, None
        assert stream.errors == []

    def test_every_stream_has_its_turn(self, upkeep: Upkeep, clock: Clock) -> None:
        """However many there are, each is visited once a round, and a tick visits a slice of them."""
        streams = [bound(upkeep) for _ in range(1000)]
        passes(clock, int(LIMITS.idle_ping) + 1)
        most = 0
        for _ in range(2 * VISIT_EVERY):
            before = sum(stream.asked for stream in streams)
            passes(clock, 1)
            most = max(most, sum(stream.asked for stream in streams) - before)
        assert {stream.asked for stream in streams} == {1}
        assert most <= 1000 // VISIT_EVERY + 1

    def test_gone_within_a_round(self, upkeep: Upkeep, clock: Clock) -> None:
        """A stream that goes while its round is under way is not visited."""
        streams = [bound(upkeep) for _ in range(100)]
        passes(clock, int(LIMITS.idle_ping) + 2)
        gone = [stream for stream in streams if not stream.asked]
        for stream in gone:
            upkeep.gone(stream)
        passes(clock, VISIT_EVERY + 1)
        assert {stream.asked for stream in gone} == {0}


def test_now(upkeep: Upkeep, clock: Clock) -> None:
    """The time of the last tick is what streams note; it is at most a second old."""
    clock.advance(1)
    assert upkeep.now == 1
    clock.advance(0.5)
    assert upkeep.now == 1


def test_stop(upkeep: Upkeep, clock: Clock) -> None:
    """Nothing happens any more, and stopping twice is stopping."""
    stream: Any = Stream(upkeep)
    upkeep.negotiating(stream)
    upkeep.stop()
    upkeep.stop()
    assert clock.getDelayedCalls() == []
    clock.advance(60)
    assert stream.errors == []


def test_streams(upkeep: Upkeep) -> None:
    """Those that negotiate come first."""
    second = bound(upkeep)
    first: Any = Stream(upkeep)
    upkeep.negotiating(first)
    assert upkeep.streams() == [first, second]
    assert upkeep.counts() == (1, 1)
