"""`db`: the databases and their schema."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.commands import Done, Table, command


class Revision(Protocol):
    """Where a shard's schema stands; `current` is None if the shard is empty."""

    @property
    def shard(self) -> int: ...

    @property
    def place(self) -> str: ...

    @property
    def current(self) -> str | None: ...

    @property
    def head(self) -> str: ...


@dataclass(slots=True)
class DatabaseCommands:
    """The shards.

    :ivar revisions: returns where each shard stands; asks them all, off the event loop.
    :ivar bring_up: brings every shard to the schema of this release, off the event loop; returns what was done.
    """

    revisions: Callable[[], Awaitable[Sequence[Revision]]]
    bring_up: Callable[[], Awaitable[Sequence[str]]]

    @command("db status", offline=True)
    async def status(self) -> Table:
        """Show the databases, and whether each has the schema of this release."""
        rows = [
            [revision.shard, revision.place, revision.current, revision.head, judge(revision)]
            for revision in await self.revisions()
        ]
        return Table(("shard", "database", "revision", "needed", "state"), rows)

    @command("db migrate", offline=True)
    async def migrate(self) -> Done:
        """Bring every database to the schema of this release.

        Servers of the release before go on working with the new schema, so they need not be stopped.
        """
        lines = await self.bring_up()
        return Done("\n".join(lines) or "every database has the schema of this release", {"steps": lines})


def judge(revision: Revision) -> str:
    """Return what a shard's revision means."""
    if revision.current == revision.head:
        return "right"
    if revision.current is None:
        return "empty: run xmppctl db migrate"
    return "newer than this release" if revision.current > revision.head else "old: run xmppctl db migrate"
