"""`hooks`: who handles which event, in which order."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from ..core.commands import CommandError, Exit, Table, argument, command

if TYPE_CHECKING:
    from ..core.hooks import Hooks

KINDS: Final = ("Decision", "Collection", "Notice")


@dataclass(slots=True)
class HookCommands:
    """The pipeline."""

    hooks: "Hooks"

    @command("hooks")
    async def show(self, event: Annotated[str, argument("This event only")] = "") -> Table:
        """Show the handlers of every event in the order in which they run."""
        rows = [
            [entry.event.__name__, kind(entry.event), entry.phase.name if entry.phase else None, entry.name]
            for entry in self.hooks.entries()
            if event.lower() in ("", entry.event.__name__.lower())
        ]
        if event and not rows:
            raise CommandError(f"nobody handles an event {event}", code=Exit.UNKNOWN)
        return Table(("event", "kind", "phase", "handler"), rows)


def kind(event: type) -> str:
    """Return which of the three kinds of event a class is, in lower case."""
    return next((base.__name__.lower() for base in event.__mro__ if base.__name__ in KINDS), "")
