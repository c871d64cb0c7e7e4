"""Log lines that an attacker causes."""

from twisted.internet.task import Clock

from xmppd.transport.throttle import Throttle


def test_one_line_an_interval() -> None:
    """The first is written at once; those within the interval are counted and told with the next."""
    clock = Clock()
    throttle = Throttle(clock, interval=10.0)

    assert [throttle.admit() for _ in range(4)] == [0, None, None, None]
    clock.advance(9.9)
    assert throttle.admit() is None
    clock.advance(0.1)
    assert throttle.admit() == 4
    clock.advance(10.0)
    assert throttle.admit() == 0
