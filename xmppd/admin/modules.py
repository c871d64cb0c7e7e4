"""`module`: what runs, and loading, unloading and reloading it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from ..core.commands import CommandError, Done, Exit, Table, argument, command

if TYPE_CHECKING:
    from ..core.loader import Loader

Name = Annotated[str, argument("The module")]


@dataclass(slots=True)
class ModuleCommands:
    """The modules of this node. What is changed here lasts until the server starts again."""

    loader: "Loader"

    @command("module list")
    async def list_all(self) -> Table:
        """List all modules that are installed, those that run and what they implement."""
        loader = self.loader
        rows = [
            [
                name,
                name in loader.loaded,
                [f"XEP-{xep.number:04}" for xep in cls.xeps],
                (cls.__doc__ or "").split("\n")[0],
            ]
            for name, cls in sorted(loader.known.items())
        ]
        return Table(("module", "loaded", "implements", "what_it_does"), rows)

    @command("module load")
    async def load(self, name: Name) -> Done:
        """Load a module until the server stops."""
        self._known(name)
        await self._attempt(self.loader.load, name)
        return Done(f"{name} is loaded", {"loaded": [name]})

    @command("module unload")
    async def unload(self, name: Name) -> Done:
        """Unload a module until the server starts again."""
        self._known(name)
        await self._attempt(self.loader.unload, name)
        return Done(f"{name} is unloaded", {"unloaded": [name]})

    @command("module reload")
    async def reload(self, name: Name) -> Done:
        """Read a module's code again and replace the running one; if the new one is broken the old one goes on."""
        self._known(name)
        await self._attempt(self.loader.reload, name)
        return Done(f"{name} is reloaded", {"reloaded": [name]})

    def _known(self, name: str) -> None:
        if name not in self.loader.known:
            from difflib import get_close_matches

            nearest = get_close_matches(name, self.loader.known, 1)
            remedy = f"did you mean {nearest[0]}?" if nearest else "xmppctl module list shows them all"
            raise CommandError(f"there is no module {name}", remedy, Exit.UNKNOWN)

    async def _attempt(self, change: Callable[[str], Awaitable[object]], name: str) -> None:
        from ..core.loader import LoadError

        try:
            await change(name)
        except LoadError as error:
            raise CommandError(str(error)) from error
