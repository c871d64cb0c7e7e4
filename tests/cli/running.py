"""A running server for the command line: its administration socket, in a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from tests.admin.callers import listening
from xmppd.core.administration import Administration, Authority
from xmppd.core.commands import (
    CommandError,
    Document,
    Done,
    Exit,
    Fields,
    Registry,
    Row,
    Secret,
    Table,
    argument,
    command,
)
from xmppd.protocol.jid import Jid


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Noun:
    """One command for each thing that a command line can do."""

    calls: list[Any] = field(default_factory=list)

    @command("paint")
    async def paint(
        self,
        what: Annotated[str, argument("What to paint")],
        colour: Annotated[Colour, argument("The colour")] = Colour.RED,
        coats: Annotated[int, argument("How often")] = 1,
        where: Annotated[list[str], argument("Where")] = [],  # noqa: B006
        shiny: Annotated[bool, argument("Whether it shines")] = False,
    ) -> Done:
        """Paint something.

        With a brush.
        """
        self.calls.append((what, colour, coats, where, shiny))
        return Done("painted")

    @command("lock add")
    async def lock(self, jid: Jid, password: Annotated[Secret, argument("the password")]) -> Done:
        """Lock something."""
        self.calls.append((jid, str(password)))
        return Done("locked")

    @command("lock break", danger=True)
    async def break_all(self, names: list[str]) -> Done:
        """Break locks."""
        self.calls.append(names)
        return Done("broken")

    @command("show table")
    async def table(self, empty: bool = False) -> Table:
        """Show a table."""
        rows = [] if empty else [["a", 12, 90061, None], ["b\x1b[31m", 3, 5, ["x", "y"]]]
        return Table(("name", "count", "how_long", "more"), rows, "Things", {"how_long": "s"})

    @command("show fields")
    async def fields(self) -> Fields:
        """Show fields."""
        return Fields({"name": "a", "memory": 12_900_000, "on": True}, units={"memory": "B"})

    @command("show file")
    async def file(self, document: Annotated[Document, argument("The file")]) -> Done:
        """Show a file."""
        return Done(document)

    @command("fail")
    async def fail(self, code: int) -> None:
        """Fail."""
        raise CommandError("it is broken\x07", "mend it", Exit(code))

    @command("crash")
    async def crash(self) -> None:
        """Crash."""
        raise ZeroDivisionError

    @command("write")
    async def write(self, file: Annotated[str, argument("The file")], fails: bool = False) -> AsyncIterator[Row]:
        """Write lines."""
        self.calls.append(file)
        yield {"line": "<a/>"}
        if fails:
            raise CommandError("it is broken")
        yield {"line": "<b/>"}
        yield {"sentence": "2 lines written", "lines": 2}

    @command("wipe", danger=True)
    async def wipe(self, to: int) -> AsyncIterator[Row]:
        """Wipe things."""
        for number in range(to + 1):
            yield {"progress": number, "of": to}
        yield {"sentence": f"{to} wiped", "wiped": to}

    @command("count")
    async def count(self, to: int) -> AsyncIterator[Row]:
        """Count."""
        for number in range(to):
            yield {"number": number, "nothing": None, "text": "a\nb"}


@dataclass
class Running:
    """A server that runs."""

    path: Path
    noun: Noun


@contextmanager
def running(path: Path) -> Iterator[Running]:
    """Run a server at a socket as long as the block lasts."""
    noun = Noun()
    registry = Registry()
    registry.register("tests", noun)
    ready, ended = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with listening(path, Administration(registry, Authority())):
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield Running(path, noun)
    finally:
        loops[0].call_soon_threadsafe(ended.set)
        thread.join()
