"""Time, as a parameter: `twisted.internet.task.Clock` and the real reactor both fit."""

from collections.abc import Callable
from typing import Any, Protocol


class Call(Protocol):
    """A scheduled call."""

    def cancel(self) -> None:
        """Do not make the call."""

    def active(self) -> bool:
        """Say whether the call is still to come."""


class Clock(Protocol):
    """What `IReactorTime` gives, as far as we use it."""

    def seconds(self) -> float:
        """Return the time in seconds; differences are meaningful (the real one counts from the epoch)."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: Any, **kw: Any) -> Any:
        """Call `callable` in `delay` seconds; return an object like `Call`."""
