"""Metrics: plain numbers in, OpenMetrics text out."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from twisted.logger import globalLogPublisher

from xmppd.core.metrics import (
    CONTENT_TYPE,
    Exposition,
    Metrics,
    Tally,
    counter,
    gauge,
)


class CarbonsMetrics(Metrics):
    copied: Tally = counter("Copies sent to other resources.", labels=("direction",))
    routes: Tally = counter("Ways.", labels=("from", "to"))
    refused: int = counter("Copies not made.")
    waiting: int = gauge("Copies that wait.")


def samples(exposition: Exposition) -> dict[str, float]:
    """Return what an independent parser reads, by name and labels."""
    families = text_string_to_metric_families(exposition.render().decode())  # type: ignore[no-untyped-call]
    return {
        sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_counts_start_at_zero_and_are_not_shared() -> None:
    """Two servers in one process count for themselves."""
    one, other = CarbonsMetrics(), CarbonsMetrics()
    one.refused += 2
    one.copied["sent"] += 1
    assert (other.refused, other.copied) == (0, {})


def test_every_kind_is_rendered() -> None:
    """Names have the area in them, counters end in _total."""
    metrics, exposition = CarbonsMetrics(), Exposition("1.2")
    exposition.register("carbons", metrics)
    metrics.copied["sent"] += 3
    metrics.copied["received"] += 1
    metrics.routes["a", "b"] += 1
    metrics.refused += 2
    metrics.waiting += 5

    found = {name: value for name, value in samples(exposition).items() if name.startswith("xmppd")}
    assert found == {
        "xmppd_info version=1.2": 1,
        "xmppd_carbons_copied_total direction=sent": 3,
        "xmppd_carbons_copied_total direction=received": 1,
        "xmppd_carbons_routes_total from=a to=b": 1,
        "xmppd_carbons_refused_total": 2,
        "xmppd_carbons_waiting": 5,
    }


def test_the_text_says_what_it_is() -> None:
    """OpenMetrics ends with its mark, and the type of the content names the version."""
    assert Exposition("1.2").render().endswith(b"# EOF\n")
    assert CONTENT_TYPE.startswith("application/openmetrics-text; version=1.0.0")


def test_the_process_is_measured_too() -> None:
    """Memory, processor time and file descriptors are what everybody looks at first."""
    found = samples(Exposition("1.2"))
    assert found["process_resident_memory_bytes"] > 1_000_000
    assert found["process_open_fds"] > 2
    assert "python_gc_collections_total generation=2" in found


def test_a_gauge_is_read_when_it_is_asked_for() -> None:
    """One number, or numbers by label."""
    queue: list[int] = []
    exposition = Exposition("1.2")
    exposition.gauge("queue", "What waits.", lambda: len(queue))
    exposition.gauge("shards_up", "Which shards answer.", lambda: {"0": 1, "1": 0}, labels=("shard",))
    assert samples(exposition)["xmppd_queue"] == 0
    queue.append(1)
    found = samples(exposition)
    assert found["xmppd_queue"] == 1
    assert (found["xmppd_shards_up shard=0"], found["xmppd_shards_up shard=1"]) == (1, 0)


def test_a_gauge_that_cannot_be_read_costs_only_itself() -> None:
    """It is left out, the log says why, and the others are shown."""
    said: list[dict[str, object]] = []

    def broken() -> float:
        raise RuntimeError("no answer")

    exposition = Exposition("1.2")
    exposition.gauge("broken", "Never there.", broken)
    exposition.gauge("well", "Always there.", lambda: 1)
    globalLogPublisher.addObserver(said.append)  # type: ignore[arg-type]
    try:
        found = samples(exposition)
    finally:
        globalLogPublisher.removeObserver(said.append)  # type: ignore[arg-type]
    assert "xmppd_broken" not in found and found["xmppd_well"] == 1
    assert [event["name"] for event in said] == ["broken"]


def test_an_area_leaves_with_its_module() -> None:
    """A module that is loaded again starts anew."""
    exposition = Exposition("1.2")
    exposition.register("carbons", CarbonsMetrics())
    exposition.unregister("carbons")
    exposition.unregister("carbons")
    assert "xmppd_carbons_refused_total" not in samples(exposition)
    exposition.register("carbons", CarbonsMetrics())
    exposition.register("xmppd_example.greeter", CarbonsMetrics())
    assert samples(exposition)["xmppd_carbons_refused_total"] == 0
    assert samples(exposition)["xmppd_xmppd_example_greeter_refused_total"] == 0


def test_a_name_is_taken_once() -> None:
    """Two areas or two gauges of one name would be told apart by nobody."""
    exposition = Exposition("1.2")
    exposition.register("carbons", CarbonsMetrics())
    exposition.gauge("queue", "What waits.", lambda: 0)
    with pytest.raises(ValueError, match="carbons are registered already"):
        exposition.register("carbons", CarbonsMetrics())
    with pytest.raises(ValueError, match="gauge queue already"):
        exposition.gauge("queue", "What waits.", lambda: 0)
