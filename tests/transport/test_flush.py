"""The flush queue."""

import asyncio

from twisted.logger import capturedLogs

from xmppd.transport.flush import FlushQueue


class Written:
    """A connection that has something to send."""

    def __init__(self, order: list[str], name: str) -> None:
        self.order = order
        self.name = name

    def flush(self) -> None:
        self.order.append(self.name)

    def abort(self) -> None:
        self.order.append(f"{self.name} aborted")


class Broken(Written):
    def flush(self) -> None:
        raise ZeroDivisionError


async def turn() -> None:
    """Let the loop run what is due."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_soon(done.set_result, None)
    await done


def test_all_are_flushed_once_behind_the_turn(loop: asyncio.AbstractEventLoop) -> None:
    """Nothing is sent within the turn; behind it each connection is flushed, in the order of its first write."""
    order: list[str] = []

    async def story() -> None:
        queue = FlushQueue(loop)
        queue.add(Written(order, "romeo"))
        queue.add(Written(order, "juliet"))
        order.append("the turn goes on")
        await turn()
        queue.add(Written(order, "romeo again"))
        await turn()

    loop.run_until_complete(story())
    assert order == ["the turn goes on", "romeo", "juliet", "romeo again"]


def test_a_broken_connection_stops_no_other(loop: asyncio.AbstractEventLoop) -> None:
    """One that fails is logged and aborted; the others are flushed."""
    order: list[str] = []

    async def story() -> None:
        queue = FlushQueue(loop)
        queue.add(Broken(order, "tybalt"))
        queue.add(Written(order, "romeo"))
        await turn()

    with capturedLogs() as events:
        loop.run_until_complete(story())
    assert order == ["tybalt aborted", "romeo"]
    assert [event["log_failure"].type for event in events] == [ZeroDivisionError]


def test_later_is_another_turn(loop: asyncio.AbstractEventLoop) -> None:
    """What is put off does not run within the call."""
    order: list[str] = []

    async def story() -> None:
        FlushQueue(loop).later(lambda: order.append("later"))
        order.append("now")
        await turn()

    loop.run_until_complete(story())
    assert order == ["now", "later"]
