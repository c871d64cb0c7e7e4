"""`config`: check, show and reload the configuration."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.commands import CommandError, Done, command

if TYPE_CHECKING:
    from ..config.server import Config


async def no_server() -> Sequence[str]:
    """Stand in for the reload while no server runs."""
    raise CommandError("no server runs that could read it again")


@dataclass(slots=True)
class ConfigCommands:
    """The configuration.

    :ivar file: where it is.
    :ivar read: reads and checks the file; raises `xmppd.config.load.ConfigError`.
    :ivar running: what the server runs with; with the server down what it would run with.
    :ivar reload_all: reads the file again and applies what can be changed in a running server; returns what was changed
        and what waits for a restart, a line each.
    """

    file: Path
    read: "Callable[[], Config]"
    running: "Callable[[], Config]"
    reload_all: Callable[[], Awaitable[Sequence[str]]] = no_server

    @command("config check", offline=True)
    async def check(self) -> Done:
        """Check the configuration file, as the server would read it now."""
        from ..config.check import notes

        config = self._attempt(self.read)
        return Done("\n".join([f"{self.file} is right", *notes(config)]))

    @command("config show", offline=True)
    async def show(self) -> Done:
        """Show every option with its value, defaults included; passwords are hidden.

        What the running server goes by is shown, which differs from the file while that waits for a restart.
        """
        from ..config.show import show

        return Done(show(self._attempt(self.running)).rstrip())

    @command("config reload")
    async def reload(self) -> Done:
        """Read the configuration again; a file with mistakes changes nothing."""
        from ..config.problems import ConfigError

        try:
            lines = await self.reload_all()
        except ConfigError as error:
            raise CommandError(str(error), "nothing was changed") from error
        return Done("\n".join(lines) or "nothing has changed")

    def _attempt(self, read: "Callable[[], Config]") -> "Config":
        from ..config.problems import ConfigError

        try:
            return read()
        except ConfigError as error:
            raise CommandError(str(error)) from error
