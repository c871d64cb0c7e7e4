"""Usage between two readings, and what is shown of it."""

import os

from bench.meter import Meter, Reading, Usage, calibrate


def test_what_neither_server_nor_generator_used_is_others() -> None:
    """The machine's busy time less the two known shares is everybody else's."""
    usage = Reading(10.0, 1.0, 2.0, 50.0, 0.5).until(Reading(14.0, 2.0, 2.5, 53.5, 0.6))
    assert usage.wall == 4.0
    assert usage.server == 1.0
    assert usage.generator == 0.5
    assert usage.others == 2.0


def test_cost_is_per_unit() -> None:
    """Microseconds by default, milliseconds by scale; no unit at all does not divide by zero."""
    usage = Reading(0.0, 0.0, 0.0, 0.0, 0.0).until(Reading(1.0, 0.5, 0.0, 0.5, 0.0))
    assert usage.per_unit(1000) == 500.0
    assert usage.per_unit(100, 1e3) == 5.0
    assert usage.per_unit(0) == 500_000.0


def test_a_database_is_counted_for_itself_and_in_all() -> None:
    """It is no part of the others; where there is none there are no parts."""
    before = Reading(0.0, 1.0, 0.0, 10.0, 0.0, 5.0)
    usage = before.until(Reading(1.0, 1.5, 0.25, 11.75, 0.0, 5.75))
    assert (usage.server, usage.database, usage.whole, usage.others) == (0.5, 0.75, 1.25, 0.25)
    assert usage.cost(1000) == {"cpu_us": 1250.0, "server_us": 500.0, "database_us": 750.0}
    assert usage.figures()["database_cores"] == 0.75
    alone = Usage(0.0, 1.0, 0.5, 0.0, 0.0, 0.0)
    assert alone.cost(1000) == {"cpu_us": 500.0}
    assert "database_cores" not in alone.figures()


def test_what_had_to_be_paid_anyway_is_taken_off() -> None:
    """Of both parts; and what else was paid is added."""
    one, other = Usage(0.0, 1.0, 5.0, 0.0, 0.0, 0.0, 4.0), Usage(0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 1.0)
    assert (one.less(other).server, one.less(other).database) == (3.0, 3.0)
    assert (one.plus(other).server, one.plus(other).database) == (7.0, 5.0)
    alone = Usage(0.0, 1.0, 5.0, 0.0, 0.0, 0.0)
    assert alone.less(alone).plus(alone).whole == 5.0
    assert alone.less(alone).database is None


def test_shares_are_in_cores_and_not_negative() -> None:
    """Clocks of unlike resolution may make others negative by a tick; that reads as zero."""
    figures = Reading(5.0, 0.0, 0.0, 0.0, 0.0).until(Reading(7.0, 1.0, 1.0, 1.99, 0.0)).figures()
    assert figures["at"] == 5.0
    assert figures["server_cores"] == 0.5
    assert figures["other_cores"] == 0.0


def test_a_meter_reads_the_tree_it_was_given() -> None:
    """This very process as the server: it has used time and memory. No server: zeros."""
    meter = Meter(os.getpid())
    assert meter.resident() > 0
    assert 0 < meter.read().server <= meter.cpu()
    assert Meter(None).cpu() == 0.0
    assert Meter(None).resident() == 0
    assert meter.read().database is None
    assert (Meter(None, os.getpid()).read().database or 0) > 0
    assert Meter(None, os.getpid()).cpu() > 0


def test_calibration_takes_time() -> None:
    """The fixed piece of work is measurable."""
    assert calibrate(1000) > 0
