"""`module`: what runs, and loading, unloading and reloading it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

from ..core.commands import Caller, CommandError, Done, Exit, Origin, Table, argument, command

if TYPE_CHECKING:
    from ..core.loader import Loader

T = TypeVar("T")
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
    async def load(
        self, name: Annotated[str, argument("The module, or the dotted name of a third party's")], caller: Caller
    ) -> Done:
        """Load a module until the server stops.

        A third party's is named as Python imports it; modules.load in the configuration loads it at every start.
        """
        for chosen in (names := self._named(name, caller)):
            await self._attempt(self.loader.load, chosen)
        return Done(f"{', '.join(names)} is loaded", {"loaded": names})

    @command("module unload")
    async def unload(self, name: Name) -> Done:
        """Unload a module until the server starts again."""
        self._known(name)
        await self._attempt(self.loader.unload, name)
        return Done(f"{name} is unloaded", {"unloaded": [name]})

    @command("module reload")
    async def reload(self, name: Name) -> Done:
        """Read a module's code again and replace the running one; if the new one is broken the old one goes on.

        Those that need it are started again.
        """
        self._known(name)
        first, *others = names = await self._attempt(self.loader.reload, name)
        again = f"; started again: {', '.join(others)}" if others else ""
        return Done(f"{first} is reloaded{again}", {"reloaded": names})

    def _named(self, name: str, caller: Caller) -> list[str]:
        """Return the modules of a name, which may be a dotted one that was never heard before."""
        from ..core.discovery import LoadError, exists

        if name in self.loader.known or not exists(name):
            self._known(name)
            return [name]
        if caller.origin is not Origin.SOCKET:  # importing runs code: that is for who has the machine
            raise CommandError(f"there is no module {name} yet", "xmppctl module load can load it", Exit.REFUSED)
        try:
            return self.loader.learn(name)
        except LoadError as error:
            raise CommandError(str(error)) from error

    def _known(self, name: str) -> None:
        if name not in self.loader.known:
            from difflib import get_close_matches

            nearest = get_close_matches(name, self.loader.known, 1)
            remedy = f"did you mean {nearest[0]}?" if nearest else "xmppctl module list shows them all"
            raise CommandError(f"there is no module {name}", remedy, Exit.UNKNOWN)

    async def _attempt(self, change: Callable[[str], Awaitable[T]], name: str) -> T:
        from ..core.discovery import LoadError

        try:
            return await change(name)
        except LoadError as error:
            raise CommandError(str(error)) from error
