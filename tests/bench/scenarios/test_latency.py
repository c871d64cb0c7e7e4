"""Latency at a fixed rate."""

from typing import Any

from bench.scenarios.latency import STAMP, Arrivals, quantile

from .stage import Wire


def test_quantiles() -> None:
    """The value below which the share lies; the whole share is the largest."""
    ordered = [float(value) for value in range(100)]
    assert quantile(ordered, 0.5) == 50.0
    assert quantile(ordered, 0.99) == 99.0
    assert quantile(ordered, 1.0) == 99.0


def test_delays_are_read_once_wherever_the_stream_is_cut() -> None:
    """A stamp in two pieces counts once, and so does one that stays in the kept tail."""
    recipient: Any = Wire()
    delays: list[float] = []
    Arrivals(recipient, delays)
    stream = b"<message><body>@12345 text</body></message>" * 3
    for cut in range(0, len(stream), 5):
        recipient.receive(stream[cut : cut + 5])
    assert len(delays) == 3
    assert STAMP.search(stream) is not None
