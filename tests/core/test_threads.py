"""Work off the loop, as modules ask for it."""

from typing import Any

from xmppd.core.drive import drive
from xmppd.core.threads import Threads


def test_runs_what_it_was_given() -> None:
    """A module awaits a function with its arguments; who runs it is the node's business."""
    ran: list[Any] = []

    async def run(function: Any, *args: Any) -> Any:
        ran.append(args)
        return function(*args)

    async def work() -> Any:
        return await Threads(run).run(pow, 2, 10)

    assert drive(work()) == 1024
    assert ran == [(2, 10)]
