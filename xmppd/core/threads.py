"""Work that takes milliseconds of processor time and must not hold up the loop."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Threads:
    """Runs functions off the loop.

    :ivar run: ``await threads.run(function, argument, ...)``.
    """

    run: Callable[..., Awaitable[Any]]
