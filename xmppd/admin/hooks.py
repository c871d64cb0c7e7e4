"""`hooks`: who handles which event, in which order, and who answers which request."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from ..core.commands import CommandError, Exit, Table, argument, command

if TYPE_CHECKING:
    from ..core.hooks import Hooks
    from ..core.iq import Iqs

KINDS: Final = ("Decision", "Collection", "Notice")


IQ: Final = "iq"


@dataclass(slots=True)
class HookCommands:
    """The pipeline."""

    hooks: "Hooks"
    iqs: "Iqs"

    @command("hooks")
    async def show(
        self, event: Annotated[str, argument("This event only; iq or a part of a payload's name for requests")] = ""
    ) -> Table:
        """Show the handlers of every event in the order in which they run, and who answers which request."""
        rows = [*self._handlers(event.lower()), *self._answerers(event.lower())]
        if event and not rows:
            raise CommandError(f"nobody handles an event {event}", code=Exit.UNKNOWN)
        return Table(("event", "kind", "phase", "target", "handler"), rows)

    def _handlers(self, wanted: str) -> list[list[object]]:
        return [
            [entry.event.__name__, kind(entry.event), entry.phase.name if entry.phase else None, None, entry.name]
            for entry in self.hooks.entries()
            if wanted in ("", entry.event.__name__.lower())
        ]

    def _answerers(self, wanted: str) -> list[list[object]]:
        return [
            [f"{type} {payload}", IQ, None, target, owner]
            for type, payload, target, owner in self.iqs.entries()
            if wanted in ("", IQ) or wanted in payload.lower()
        ]


def kind(event: type) -> str:
    """Return which of the three kinds of event a class is, in lower case."""
    return next((base.__name__.lower() for base in event.__mro__ if base.__name__ in KINDS), "")
