"""Loading: what a module counts is shown under its name as long as it is loaded."""

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from xmppd.core.commands import Registry
from xmppd.core.hooks import Hooks
from xmppd.core.iq import Iqs
from xmppd.core.loader import Loader, LoadError
from xmppd.core.metrics import Exposition, Metrics, counter
from xmppd.core.module import Module


class Falls(Metrics):
    """What a well counts."""

    buckets: int = counter("Buckets that were drawn.")


@dataclass(slots=True)
class Well(Module):
    """A module that counts."""

    name: ClassVar = "deep.well"

    metrics: Falls


@dataclass(slots=True)
class Dry(Module):
    """A module that counts and cannot start."""

    name: ClassVar = "dry"

    metrics: Falls

    async def start(self) -> None:
        raise OSError("no water")


def make(provided: dict[type, Any]) -> Loader:
    return Loader(Hooks(), Iqs(Clock()), Registry(), provided, {"deep.well": Well, "dry": Dry}, {})


def wait(coroutine: Coroutine[Any, Any, Any]) -> Any:
    results: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(results.append)
    if hasattr(results[0], "raiseException"):
        results[0].raiseException()
    return results[0]


def test_shown_while_loaded() -> None:
    """It begins at zero with each load; nothing of it is left behind."""
    exposition = Exposition("1")
    loader = make({Exposition: exposition})
    module = wait(loader.load("deep.well"))
    module.metrics.buckets += 3
    assert b"xmppd_deep_well_buckets_total 3" in exposition.render()
    wait(loader.unload("deep.well"))
    assert b"deep_well" not in exposition.render()
    wait(loader.load("deep.well"))
    assert b"xmppd_deep_well_buckets_total 0" in exposition.render()


def test_nobody_need_look() -> None:
    """In memory nothing is shown, and modules count all the same."""
    module = wait(make({}).load("deep.well"))
    module.metrics.buckets += 1
    assert module.metrics.buckets == 1


def test_a_module_that_fails_shows_nothing() -> None:
    """Not even its name."""
    exposition = Exposition("1")
    with pytest.raises(LoadError):
        wait(make({Exposition: exposition}).load("dry"))
    assert b"dry" not in exposition.render()


def test_a_name_that_is_taken() -> None:
    """Two that count under one name cannot be told apart: the second one is not loaded, the first one goes on."""
    exposition, taken = Exposition("1"), Falls()
    exposition.register("deep.well", taken)
    loader = make({Exposition: exposition})
    with pytest.raises(LoadError, match="registered already"):
        wait(loader.load("deep.well"))
    assert loader.loaded == {}
    taken.buckets += 7
    assert b"xmppd_deep_well_buckets_total 7" in exposition.render()
