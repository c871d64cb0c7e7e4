"""Lines of the log that strangers can cause are bounded, and none is left out in silence."""

from twisted.internet.task import Clock

from xmppd.core.line_limit import LineLimit


def test_a_period_has_so_many_lines() -> None:
    """What is beyond them is left out and counted; the next period's first line tells the number."""
    clock = Clock()
    limit = LineLimit(clock, most=3, period=10.0)
    assert [limit.admit() for _ in range(5)] == [0, 0, 0, None, None]
    clock.advance(10.0)
    assert [limit.admit() for _ in range(4)] == [2, 0, 0, None]
    clock.advance(25.0)
    assert limit.admit() == 1


def test_a_clock_that_is_set_back() -> None:
    """The real clock may jump: a period never lasts longer for it."""
    clock = Clock()
    clock.advance(1000.0)
    limit = LineLimit(clock, most=1)
    assert [limit.admit(), limit.admit()] == [0, None]
    clock.rightNow = 5.0
    assert limit.admit() == 1
