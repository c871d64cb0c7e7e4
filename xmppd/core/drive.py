"""Run a coroutine; pay for a Deferred only if it really waits.

Every handler is `async def`. Most never wait, so a stanza's whole road is one coroutine that the first `send`
finishes. Only if it waits is it handed, *already started*, to `Deferred.fromCoroutine`. That works because a Deferred
that has not fired yields itself again when it is resumed with None; a test pins it.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> "T | Deferred[T]":
    """Run `coroutine` until it waits; return its value, or a Deferred if it waits.

    An exception before the first wait is raised here, one behind it is the Deferred's failure.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    return Deferred.fromCoroutine(coroutine)


def drive_alone(coroutine: Coroutine[Any, Any, Any], failed: Callable[[BaseException], None]) -> None:
    """Run `coroutine` for its effects; tell `failed` of an exception, whenever it comes."""
    try:
        result = drive(coroutine)
    except Exception as error:
        failed(error)
        return
    if isinstance(result, Deferred):
        result.addErrback(_tell, failed)


async def waited(pending: Awaitable[None] | None) -> None:
    """Await what is left of something that was begun, if anything is."""
    if pending is not None:
        await pending


def _tell(failure: Failure, failed: Callable[[BaseException], None]) -> None:
    assert failure.value is not None, "a failure has its exception"
    failed(failure.value)
