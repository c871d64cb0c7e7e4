"""Batches share commits while few messages come, and nobody waits for nothing."""

import pytest

from xmppd.storage.message_log.pace import ENOUGH, FORGIVING, GAP, IN_VAIN, Pace


@pytest.fixture
def pace() -> Pace:
    return Pace(GAP)


def test_the_first_goes_at_once(pace: Pace) -> None:
    """There is no batch that it could be too close to."""
    assert pace.delay(100.0, 2) <= 0


def test_behind_a_small_batch(pace: Pace) -> None:
    """The next one begins a gap later."""
    pace.sent(100.0, 2, 1, False)

    assert pace.delay(100.0, 2) == pytest.approx(GAP)
    assert pace.delay(100.0 + GAP / 2, 2) == pytest.approx(GAP / 2)


def test_behind_a_pause(pace: Pace) -> None:
    """Somebody's only message waits for nothing."""
    pace.sent(100.0, 2, 1, False)

    assert pace.delay(100.0 + 2 * GAP, 2) <= 0


def test_enough_has_gathered(pace: Pace) -> None:
    """It goes before its time."""
    pace.sent(100.0, 2, 1, False)

    assert pace.delay(100.0, ENOUGH) <= 0


def test_behind_a_large_batch(pace: Pace) -> None:
    """Under load batches gather while others are in flight."""
    pace.sent(100.0, ENOUGH, ENOUGH, False)

    assert pace.delay(100.0, 2) <= 0


def test_waiting_in_vain(pace: Pace) -> None:
    """Who sends one message after the other is not held up, but for a few."""
    for _ in range(IN_VAIN):
        assert pace.delay(100.0, 2) <= GAP
        pace.sent(100.0, 2, 1, True)
    for _ in range(FORGIVING):
        assert pace.delay(100.0, 2) <= 0
        pace.sent(100.0, 2, 1, False)

    assert pace.delay(100.0, 2) > 0


def test_company_is_worth_waiting_for(pace: Pace) -> None:
    """A wait in vain between others does not matter."""
    for items in (1, 2) * IN_VAIN:
        pace.sent(100.0, 2, items, True)

    assert pace.delay(100.0, 2) > 0


def test_without_a_gap() -> None:
    """Nothing ever waits."""
    pace = Pace(0.0)
    pace.sent(100.0, 2, 1, False)

    assert pace.delay(100.0, 2) <= 0
