"""Delays for those who fail to log in: they grow, they end, and they cost the attacked nothing."""

from unittest import mock

import pytest
from twisted.internet.task import Clock

from xmppd.config.limits import Limits
from xmppd.config.quantities import Duration
from xmppd.core import throttle as throttle_module
from xmppd.core.throttle import FORGET_AFTER, LoginThrottle

ADDRESS = "192.0.2.1"
JULIET = "juliet@capulet.example"
LIMITS = Limits(
    login_failures_per_address=3,
    login_failures_per_account=2,
    login_delay=Duration("1s"),
    login_delay_limit=Duration("10s"),
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(LIMITS, clock)


def waits(throttle: LoginThrottle, number: int, address: str = ADDRESS, account: str | None = None) -> list[float]:
    """Fail some times; return the waits."""
    return [throttle.failed(address, account) for _ in range(number)]


class TestAddresses:
    """Per address: late answers, and no answer at all to what comes meanwhile."""

    def test_growth(self, throttle: LoginThrottle) -> None:
        """A few are free, then the wait doubles up to its limit."""
        assert waits(throttle, 9) == [0, 0, 0, 1, 2, 4, 8, 10, 10]
        assert throttle.failures == 9

    def test_very_many(self, throttle: LoginThrottle) -> None:
        """Doubling does not overflow."""
        assert waits(throttle, 3000)[-1] == 10

    def test_refused_for_as_long(self, throttle: LoginThrottle, clock: Clock) -> None:
        """While the wait goes on the address is refused, afterwards no longer."""
        waits(throttle, 3)
        assert not throttle.refused(ADDRESS)
        waits(throttle, 2)
        assert throttle.refused(ADDRESS)
        clock.advance(1.9)
        assert throttle.refused(ADDRESS)
        clock.advance(0.1)
        assert not throttle.refused(ADDRESS)
        assert not throttle.refused("192.0.2.2")

    def test_forgotten(self, throttle: LoginThrottle, clock: Clock) -> None:
        """An hour without a failure is a new beginning."""
        waits(throttle, 5)
        clock.advance(FORGET_AFTER + 1)
        assert waits(throttle, 3) == [0, 0, 0]

    def test_success_frees_no_address(self, throttle: LoginThrottle) -> None:
        """One right password must not buy many guesses."""
        waits(throttle, 4, account=JULIET)
        throttle.succeeded(JULIET)
        assert waits(throttle, 1, account="nurse@capulet.example") == [2]

    @pytest.mark.parametrize(
        ("one", "two", "together"),
        [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", True),
            ("2001:db8:1:2::1", "2001:DB8:1:2::1", True),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
            ("::ffff:192.0.2.1", "192.0.2.1", True),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
            ("192.0.2.1", "192.0.2.2", False),
            ("fe80::1%eth0", "fe80::1%eth0", True),
            ("unix:", "unix:", True),
        ],
    )
    def test_networks(self, throttle: LoginThrottle, one: str, two: str, together: bool) -> None:
        """A customer has a whole /64 of IPv6 addresses, which count as one."""
        waits(throttle, 5, one)
        assert throttle.refused(two) is together


class TestAccounts:
    """Per account: late answers to failures, and nothing else."""

    def test_growth(self, throttle: LoginThrottle) -> None:
        """The wait grows whatever address the guesses come from, and refuses none of them."""
        assert [throttle.failed(f"192.0.2.{number}", JULIET) for number in range(5)] == [0, 0, 1, 2, 4]
        assert not any(throttle.refused(f"192.0.2.{number}") for number in range(5))

    def test_success(self, throttle: LoginThrottle) -> None:
        """The right password ends it."""
        for number in range(5):
            throttle.failed(f"192.0.2.{number}", JULIET)
        throttle.succeeded(JULIET)
        assert throttle.failed("192.0.2.99", JULIET) == 0
        throttle.succeeded("nobody@capulet.example")

    def test_longer_one_counts(self, throttle: LoginThrottle) -> None:
        """Where both are due the longer wait is the wait."""
        assert waits(throttle, 5, account=JULIET) == [0, 0, 1, 2, 4]

    def test_names_are_no_addresses(self, throttle: LoginThrottle) -> None:
        """An account that is called like an address blocks nobody."""
        for number in range(9):
            throttle.failed(f"198.51.100.{number}", ADDRESS)
        assert not throttle.refused(ADDRESS)


def test_bounded_by_the_time_of_negotiation(clock: Clock) -> None:
    """The connection that waits must still be there when the answer comes."""
    limits = Limits(login_failures_per_address=1, login_delay=Duration("5m"), login_delay_limit=Duration("1d"))
    throttle = LoginThrottle(limits, clock)
    assert waits(throttle, 4) == [0, 15, 15, 15]
    clock.advance(299)
    assert throttle.refused(ADDRESS)


def test_memory(throttle: LoginThrottle) -> None:
    """Whatever the number of attackers, what is remembered is bounded; the oldest goes, who is at it stays."""
    with mock.patch.object(throttle_module, "LONGEST_MEMORY", 100):
        waits(throttle, 5)
        for number in range(1000):
            throttle.failed("203.0.113.1", f"user{number}@capulet.example")
        assert len(throttle._failures) == 100
        assert throttle.refused("203.0.113.1")
        assert not throttle.refused(ADDRESS)
