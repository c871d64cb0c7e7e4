"""`drive`: a coroutine costs a Deferred only if it waits, and behaves as Twisted's own from then on."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.python.failure import Failure

from xmppd.core.drive import drive, drive_alone, waited


async def waits(on: "Deferred[Any]") -> Any:
    return await on


def outcome(result: Any) -> list[Any]:
    """Return the list to which the outcome of a Deferred is added."""
    assert isinstance(result, Deferred)
    got: list[Any] = []
    result.addCallbacks(got.append, lambda failure: got.append(failure.value))
    return got


class TestWithoutWaiting:
    """Nothing waits, so nothing is made."""

    def test_value(self) -> None:
        """The value is returned at once."""

        async def value() -> int:
            return 7

        assert drive(value()) == 7

    def test_error(self) -> None:
        """The exception is raised here."""

        async def error() -> None:
            raise KeyError("x")

        with pytest.raises(KeyError):
            drive(error())

    def test_fired_deferred(self) -> None:
        """Waiting for what is there already is no waiting; its failure is raised here, too."""
        assert drive(waits(succeed(7))) == 7
        with pytest.raises(KeyError):
            drive(waits(fail(KeyError("x"))))


class TestTwistedsBehaviour:
    """A Deferred that has not fired yields itself again when it is resumed with None: `drive` rests on it."""

    def test_pinned(self) -> None:
        """Twisted's own coroutine support must see the same Deferred a second time."""
        on: Deferred[int] = Deferred()
        coroutine = waits(on)
        assert coroutine.send(None) is on
        assert coroutine.send(None) is on
        on.callback(7)
        with pytest.raises(StopIteration) as stop:
            coroutine.send(None)
        assert stop.value.value == 7

    def test_result(self) -> None:
        """The result comes when it is there."""
        on: Deferred[int] = Deferred()
        got = outcome(drive(waits(on)))
        assert got == []
        on.callback(7)
        assert got == [7]

    def test_failure(self) -> None:
        """A failure is raised inside the coroutine, with its traceback."""
        on: Deferred[int] = Deferred()

        async def catches() -> str:
            try:
                await on
            except KeyError:
                return "caught"
            return "not"

        got = outcome(drive(catches()))
        on.errback(KeyError("x"))
        assert got == ["caught"]

    def test_error_behind_a_wait(self) -> None:
        """An exception behind a wait is the Deferred's failure."""
        on: Deferred[None] = Deferred()

        async def fails() -> None:
            await on
            raise KeyError("late")

        got = outcome(drive(fails()))
        on.callback(None)
        assert isinstance(got[0], KeyError)

    def test_several_waits(self) -> None:
        """A coroutine waits as often as it likes, also for what is there and in coroutines inside it."""
        first: Deferred[int] = Deferred()
        second: Deferred[int] = Deferred()

        async def inner() -> int:
            return await first + await succeed(1)

        async def outer() -> int:
            return await inner() + await second

        got = outcome(drive(outer()))
        second.callback(10)
        assert got == []
        first.callback(100)
        assert got == [111]

    def test_order(self) -> None:
        """What follows a wait runs inside the call that ended it."""
        on: Deferred[None] = Deferred()
        log: list[str] = []

        async def steps() -> None:
            log.append("before")
            await on
            log.append("behind")

        drive(steps())
        log.append("between")
        on.callback(None)
        log.append("after")
        assert log == ["before", "between", "behind", "after"]

    def test_cancellation(self) -> None:
        """Cancelling reaches what is waited for, and the coroutine may clean up."""
        cancelled: list[str] = []
        on: Deferred[None] = Deferred(lambda _: cancelled.append("asked"))

        async def cleans() -> None:
            try:
                await on
            finally:
                cancelled.append("cleaned")

        result = drive(cleans())
        got = outcome(result)
        assert isinstance(result, Deferred)
        result.cancel()
        assert cancelled == ["asked", "cleaned"]
        assert isinstance(got[0], CancelledError)

    def test_chained_deferreds(self) -> None:
        """A Deferred whose callback returns another one is waited for to its end."""
        first: Deferred[Any] = Deferred()
        second: Deferred[int] = Deferred()
        first.addCallback(lambda _: second)
        got = outcome(drive(waits(first)))
        first.callback(None)
        assert got == []
        second.callback(7)
        assert got == [7]

    def test_paused_deferred(self) -> None:
        """A Deferred that fired but is paused is waited for."""
        on: Deferred[int] = succeed(7)
        on.pause()
        got = outcome(drive(waits(on)))
        assert got == []
        on.unpause()
        assert got == [7]

    def test_what_is_no_deferred(self) -> None:
        """Only Deferreds are waited for: a future of asyncio raises where it is awaited, and nothing hangs."""
        loop = asyncio.new_event_loop()
        future = loop.create_future()

        async def foreign() -> None:
            await future

        got = outcome(drive(foreign()))
        loop.close()
        assert isinstance(got[0], RuntimeError)


class TestAlone:
    """For its effects."""

    def failing(self, on: "Deferred[None] | None") -> Callable[[], Any]:
        async def run() -> None:
            if on is not None:
                await on
            raise KeyError("x")

        return run

    def test_early_error(self) -> None:
        """An exception before the first wait is told."""
        told: list[BaseException] = []
        drive_alone(self.failing(None)(), told.append)
        assert isinstance(told[0], KeyError)

    def test_late_error(self) -> None:
        """So is one behind it; nothing is left unhandled."""
        told: list[BaseException] = []
        on: Deferred[None] = Deferred()
        drive_alone(self.failing(on)(), told.append)
        assert told == []
        on.callback(None)
        assert isinstance(told[0], KeyError)
        assert not isinstance(told[0], Failure)

    def test_success(self) -> None:
        """Nothing is told if nothing fails."""
        told: list[BaseException] = []
        on: Deferred[None] = Deferred()
        drive_alone(waits(on), told.append)
        drive_alone(waits(succeed(None)), told.append)
        on.callback(None)
        assert told == []


def test_waited() -> None:
    """Nothing is left, or what is left is awaited."""
    on: Deferred[None] = Deferred()
    assert drive(waited(None)) is None
    result = drive(waited(on))
    assert isinstance(result, Deferred)
    assert not result.called
    on.callback(None)
    assert result.called
