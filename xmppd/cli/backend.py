"""Who runs a command: the running server, or this process."""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..core.results import CommandError, Exit
from .client import Client, Unreachable
from .description import Description, read_descriptions
from .finding import find

if TYPE_CHECKING:
    from ..core.commands import Command

Each = Callable[[dict[str, Any]], None]


class Backend(Protocol):
    """What the command line needs of whoever runs its commands.

    :ivar found: the configuration that was found as nobody had named one; None if one was.
    """

    found: Path | None

    @property
    def commands(self) -> Sequence[Description]:
        """All commands that there are, in the order of their words."""

    def check(self, description: Description) -> None:
        """Raise `CommandError` if this command cannot be run now."""

    def miss(self, word: str) -> None:
        """Raise `CommandError` if a command that is not known could be one of a server that does not answer."""

    def run(self, description: Description, arguments: dict[str, Any], each: Each) -> dict[str, Any]:
        """Run a command; call `each` with every row it streams, return its result as `plain_result` makes it."""


class Online:
    """The running server."""

    def __init__(self, client: Client, found: Path | None = None) -> None:
        self.found = found
        self._client = client

    @cached_property
    def commands(self) -> Sequence[Description]:
        """All commands that the server knows."""
        return read_descriptions(self._client.describe())

    def check(self, description: Description) -> None:
        """The server runs all of its commands."""

    def miss(self, word: str) -> None:
        """What the server does not know, nobody knows."""

    def run(self, description: Description, arguments: dict[str, Any], each: Each) -> dict[str, Any]:
        """Have the server run a command."""
        return self._client.run(description.words, arguments, each)


class Offline:
    """Our own process, on the files and the database, while no server answers.

    :param file: the configuration file, if one was named.
    :param why: why the server cannot be asked.
    """

    def __init__(self, file: Path | None, why: CommandError, found: Path | None = None) -> None:
        self.found = found
        self._file = file
        self._why = why

    @cached_property
    def commands(self) -> Sequence[Description]:
        """All commands that the server's own code declares."""
        return read_descriptions([command.describe() for command in self._declared.values()])

    @cached_property
    def _declared(self) -> "dict[tuple[str, ...], Command]":
        from ..admin.nouns import declared

        return {command.words: command for command in declared()}

    def check(self, description: Description) -> None:
        """Refuse what needs a server; and everything if there may be one that will not talk to us."""
        if not description.offline or not isinstance(self._why, Unreachable):
            raise self._why
        if self._file is None:
            raise no_configuration()

    def miss(self, word: str) -> None:
        """The commands of modules are known to a running server only."""
        if isinstance(self._why, Unreachable):
            remedy = f"{word} may be a command of a module, which needs a running server"
            raise CommandError(self._why.text, remedy, self._why.code)

    def run(self, description: Description, arguments: dict[str, Any], each: Each) -> dict[str, Any]:
        """Run a command here."""
        from .offline import run

        assert self._file is not None, "check has seen to that"
        return run(self._file, description.words, arguments, each)


def choose(config: Path | None, socket: Path | None, find: Callable[[], Path | None] = find) -> Backend:
    """Return the server behind the socket that was named, or that the configuration names, or this process.

    :param find: finds a configuration where neither is named.
    """
    file = config or environment_path("XMPPD_CONFIG")
    path = socket or environment_path("XMPPD_SOCKET")
    found = None
    try:
        if path is None and file is None:
            file = found = find()
        if path is None:
            path = socket_of(_existing(file))
        return Online(Client(path), found)
    except CommandError as error:
        return Offline(file, error, found)


def _existing(file: Path | None) -> Path:
    if file is None:
        raise no_configuration()
    return file


def environment_path(name: str) -> Path | None:
    """Return the path in an environment variable, if there is one."""
    value = os.environ.get(name)
    return Path(value) if value else None


def no_configuration() -> Unreachable:
    """Return the error of a command line that names no server."""
    error = Unreachable("no server is named, and there is no var/xmppd.toml here or in the checkout")
    error.remedy = "name its configuration with --config FILE or in XMPPD_CONFIG"
    return error


def socket_of(file: Path) -> Path:
    """Return the socket that a configuration file names, without reading more of it than that.

    A file with mistakes elsewhere is no reason not to talk to the server that runs.

    :raises CommandError: the file cannot be read; then no server can be found.
    """
    import tomllib

    from ..config.server import Admin, Server

    try:
        document = tomllib.loads(file.read_text("utf-8-sig"))
        data = document.get("server", {}).get("data_folder", Server().data_folder)
        socket = document.get("admin", {}).get("socket", Admin().socket)
        return file.absolute().parent / Path(data).expanduser() / Path(socket).expanduser()
    except (OSError, ValueError, AttributeError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnreadableConfiguration(f"{file}: {reason}") from error


class UnreadableConfiguration(Unreachable):
    """The configuration does not even say where the socket is; commands that only check it can still run."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.remedy = "xmppctl config check tells more"
        self.code = Exit.FAILED
