"""Metrics: plain numbers on the hot paths, OpenMetrics text for whoever asks.

A module, or a part of the core, declares what it counts as a class and needs an instance of it::

    class CarbonsMetrics(Metrics):
        copied: Tally = counter("Copies sent to other resources.", labels=("direction",))
        refused: int = counter("Copies that a private message did not get.")

    metrics.copied["sent"] += 1
    metrics.refused += 1

The values are ints and dictionaries of ints, bumped on the reactor's thread. `Exposition` reads them when it is asked
to render and names them ``xmppd_<area>_<name>``. Labels must come from small closed sets, never from what a client
sends: each new value is a new time series for ever.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from .log import Log

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
"""What `Exposition.render` returns, for the header of the HTTP answer."""

Label = str | tuple[str, ...]
Reading = Mapping[Label, float] | float

log = Log("metrics")


class Tally(defaultdict[Label, int]):
    """Counts by label: the value of the label, or a tuple of values if there are several labels."""

    def __init__(self) -> None:
        super().__init__(int)


@dataclass(frozen=True, slots=True)
class Declaration:
    """What one attribute of a `Metrics` class counts."""

    kind: str
    help: str
    labels: tuple[str, ...] = ()

    def zero(self) -> Any:
        """Return the value it starts with."""
        return Tally() if self.labels else 0


def counter(help: str, labels: Iterable[str] = ()) -> Any:
    """Declare a number that only grows: an `int`, or a `Tally` if it has labels."""
    return Declaration("counter", help, tuple(labels))


def gauge(help: str, labels: Iterable[str] = ()) -> Any:
    """Declare a number that goes up and down: an `int`, or a `Tally` if it has labels."""
    return Declaration("gauge", help, tuple(labels))


class Metrics:
    """The base of declarations: each instance starts at zero."""

    def __init__(self) -> None:
        for name, declaration in self.declared().items():
            setattr(self, name, declaration.zero())

    @classmethod
    def declared(cls) -> dict[str, Declaration]:
        """Return what is counted, by attribute; those of a base class first."""
        kinds = reversed(cls.__mro__)
        return {name: value for kind in kinds for name, value in vars(kind).items() if isinstance(value, Declaration)}


class Exposition:
    """Everything this process counts, as OpenMetrics text.

    :param version: the server's version, told as a label of ``xmppd_info``.
    """

    def __init__(self, version: str) -> None:
        self._version = version
        self._areas: dict[str, Metrics] = {}
        self._gauges: dict[str, tuple[str, tuple[str, ...], Callable[[], Reading]]] = {}
        self._collectors = CollectorRegistry(auto_describe=False)
        self._collectors.register(self)
        ProcessCollector(registry=self._collectors)
        GCCollector(registry=self._collectors)

    def register(self, area: str, metrics: Metrics) -> None:
        """Show the metrics of an area (a module's name, or that of a part of the server).

        :raises ValueError: the area is registered already.
        """
        if area in self._areas:
            raise ValueError(f"the metrics of {area} are registered already")
        self._areas[area] = metrics

    def unregister(self, area: str) -> None:
        """Forget an area; nothing happens if it has no metrics."""
        self._areas.pop(area, None)

    def gauge(self, name: str, help: str, read: Callable[[], Reading], labels: Iterable[str] = ()) -> None:
        """Show a number that is read when it is asked for, named ``xmppd_<name>``.

        :param read: returns the number, or numbers by label; if it fails, the gauge is left out and the log says why.
        :raises ValueError: the name is taken.
        """
        if name in self._gauges:
            raise ValueError(f"there is a gauge {name} already")
        self._gauges[name] = help, tuple(labels), read

    def render(self) -> bytes:
        """Return all metrics as text of the type `CONTENT_TYPE`."""
        text: bytes = generate_latest(self._collectors)  # type: ignore[no-untyped-call]
        return text

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as prometheus_client wants them; it calls this when it renders."""
        yield InfoMetricFamily("xmppd", "The server.", value={"version": self._version})
        for area, metrics in self._areas.items():
            for name, declaration in metrics.declared().items():
                yield _family(_full_name(area, name), declaration, getattr(metrics, name))
        for name, (help, labels, read) in self._gauges.items():
            yield from self._read(name, Declaration("gauge", help, labels), read)

    def _read(self, name: str, declaration: Declaration, read: Callable[[], Reading]) -> Iterator[Metric]:
        try:
            family = _family(f"xmppd_{name}", declaration, read())
        except Exception as error:
            log.failure("the gauge {name} cannot be read", error, name=name)
        else:
            yield family


def _full_name(area: str, name: str) -> str:
    return re.sub("[^A-Za-z0-9_]", "_", f"xmppd_{area}_{name}")


def _family(name: str, declaration: Declaration, value: Any) -> Metric:
    kind = CounterMetricFamily if declaration.kind == "counter" else GaugeMetricFamily
    family = kind(name, declaration.help, labels=declaration.labels)
    samples = sorted(value.items()) if declaration.labels else [((), value)]
    for label, number in samples:
        family.add_metric([label] if isinstance(label, str) else list(label), number)
    return family
