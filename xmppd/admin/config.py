"""`config`: check, show and reload the configuration."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.commands import CommandError, Done, command

if TYPE_CHECKING:
    from ..config.changes import Change
    from ..config.problems import ConfigError
    from ..config.server import Config


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of reading the configuration again.

    :ivar changes: what differs, both what was changed and what waits for a restart.
    :ivar notes: what else was done or failed, a sentence each.
    """

    changes: "Sequence[Change]" = ()
    notes: Sequence[str] = ()


async def no_server() -> Reloaded:
    """Stand in for the reload while no server runs."""
    raise CommandError("no server runs that could read it again")


@dataclass(slots=True)
class ConfigCommands:
    """The configuration.

    :ivar file: where it is.
    :ivar read: reads and checks the file; raises `xmppd.config.load.ConfigError`.
    :ivar running: what the server runs with; with the server down what it would run with.
    :ivar reload_all: reads the file again and applies what can be changed in a running server.
    """

    file: Path
    read: "Callable[[], Config]"
    running: "Callable[[], Config]"
    reload_all: Callable[[], Awaitable[Reloaded]] = no_server

    @command("config check", offline=True)
    async def check(self) -> Done:
        """Check the configuration file, as the server would read it now.

        A running server also says what a reload would change.
        """
        from ..config.changes import diff
        from ..config.check import notes

        config = self._attempt(self.read)
        changes, remarks = diff(self._attempt(self.running), config), notes(config)
        told = [f"{self.file} is right", *remarks, *(f"not in use yet: {change}" for change in changes)]
        values = {"file": self.file, "right": True, "notes": remarks, "changes": described(changes)}
        return Done("\n".join(told), values)

    @command("config show", offline=True)
    async def show(self) -> Done:
        """Show every option with its value, defaults included; passwords are hidden.

        What the running server goes by is shown, which differs from the file while that waits for a restart.
        """
        from ..config.show import show, values

        config = self._attempt(self.running)
        return Done(show(config).rstrip(), values(config))

    @command("config reload")
    async def reload(self) -> Done:
        """Read the configuration again; a file with mistakes changes nothing."""
        from ..config.problems import ConfigError

        try:
            reloaded = await self.reload_all()
        except ConfigError as error:
            raise CommandError(str(error), "nothing was changed", details=problems(error)) from error
        lines = [*map(str, reloaded.changes), *reloaded.notes]
        values = {"file": self.file, "changes": described(reloaded.changes), "notes": list(reloaded.notes)}
        return Done("\n".join(lines) or "nothing has changed", values)

    def _attempt(self, read: "Callable[[], Config]") -> "Config":
        from ..config.problems import ConfigError

        try:
            return read()
        except ConfigError as error:
            raise CommandError(str(error), details=problems(error)) from error


def described(changes: "Iterable[Change]") -> list[dict[str, object]]:
    """Return changes for programs."""
    return [{"option": one.option, "old": one.old, "new": one.new, "live": one.live} for one in changes]


def problems(error: "ConfigError") -> dict[str, object]:
    """Return what is wrong with a file for programs."""
    found = [{"file": one.file, "option": one.option, "text": one.text} for one in error.problems]
    return {"problems": found}
