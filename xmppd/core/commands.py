"""Administrative commands: declared once, beside what they administer, and run from everywhere.

    @command("account add", adhoc="http://jabber.org/protocol/admin#add-user", offline=True)
    async def add(self, jid: Annotated[Jid, argument("the new account", field="accountjid")], password: Secret) -> Done:
        '''Register an account.

        What the command does, in as many words as it needs.
        '''

The words are the command line (``xmppctl account add``); the parameters come from the signature (`arguments`); the
first line of the docstring is the summary, the rest the help. A command is an `async def` that returns a `Table`,
`Fields`, `Done` or None, or an async generator of rows that goes on until its caller leaves. The `Registry` knows them
all, by owner, so that what a module brings goes with it. Who may run a command is not said here: see `administration`.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import ModuleType
from typing import Any, Final, TypeVar

from ..config.quantities import Duration
from ..protocol.jid import Jid
from .arguments import Argument, Document, Kind, Parameter, Secret, argument, parameters_of
from .results import CommandError, Done, Exit, Fields, Plain, Result, Row, Table

__all__ = [
    "Argument",
    "Caller",
    "Command",
    "CommandError",
    "Declaration",
    "Document",
    "Done",
    "Duration",
    "Exit",
    "Fields",
    "Kind",
    "Origin",
    "Parameter",
    "Registry",
    "Result",
    "Row",
    "Secret",
    "Table",
    "argument",
    "command",
    "declared_in",
]

MARK: Final = "__command__"
Function = Callable[..., Coroutine[Any, Any, Result | None] | AsyncIterator[Row]]
F = TypeVar("F", bound=Function)


class Origin(StrEnum):
    """How a request to run a command reached us."""

    SOCKET = "socket"  # the administration socket, which only the server's own user and root can open
    ADHOC = "ad-hoc"  # XEP-0050, from an authenticated address
    OFFLINE = "offline"  # xmppctl itself, on the files and the database


@dataclass(frozen=True, slots=True)
class Caller:
    """Who runs a command; a parameter annotated `Caller` is given it and is no argument.

    :ivar jid: the authenticated bare JID of an ad-hoc command; None where the operating system vouches for the caller.
    """

    origin: Origin
    jid: Jid | None = None

    def __str__(self) -> str:
        return self.origin.value if self.jid is None else f"{self.jid} ({self.origin.value})"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `@command` says about a function.

    :ivar adhoc: the node that a specification gives it (XEP-0133), or an empty string.
    :ivar offline: it can work on the files and the database while the server is down.
    :ivar danger: it destroys something; people are asked to confirm it.
    :ivar scoped: it reaches no further than its addresses and its parameter `host` say, so that somebody who
        administers one host of several may run it there.
    :ivar not_kept: fields that its specification's form has and we take without keeping them, with their labels.
    """

    words: tuple[str, ...]
    adhoc: str
    offline: bool
    danger: bool
    scoped: bool
    not_kept: Mapping[str, str] = field(default_factory=dict)


def command(
    words: str,
    *,
    adhoc: str = "",
    offline: bool = False,
    danger: bool = False,
    scoped: bool = False,
    not_kept: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Declare a command, ``"noun verb"`` or ``"verb"``: see `Declaration`, and the module for the function's form."""
    declaration = Declaration(tuple(words.split()), adhoc, offline, danger, scoped, not_kept or {})
    if not declaration.words or not all(
        word.replace("-", "").isalnum() and word.islower() for word in declaration.words
    ):
        raise TypeError(f"{words!r} are no words of a command")

    def declare(function: F) -> F:
        setattr(function, MARK, declaration)
        return function

    return declare


@dataclass(frozen=True, slots=True)
class Command:
    """A declaration with the function that does it.

    :ivar owner: who brought it, a module's name or "admin".
    :ivar streams: it yields rows until its caller leaves.
    :ivar caller: the name of the parameter that takes the `Caller`, if it wants one.
    """

    declaration: Declaration
    owner: str
    function: Function
    parameters: tuple[Parameter, ...]
    summary: str
    help: str
    streams: bool
    caller: str = ""

    @classmethod
    def of(cls, function: Function, owner: str) -> "Command":
        """Read a decorated function; raise `TypeError` if its signature or docstring does not do."""
        declaration: Declaration = getattr(function, MARK)
        summary, _, rest = inspect.cleandoc(function.__doc__ or "").partition("\n")
        if not summary:
            raise TypeError(f"{function.__qualname__}: a command needs a docstring")
        streams = inspect.isasyncgenfunction(function)
        if not streams and not inspect.iscoroutinefunction(function):
            raise TypeError(f"{function.__qualname__}: a command is an async function")
        parameters = parameters_of(function, skip=(Caller,))
        hints = inspect.get_annotations(inspect.unwrap(function), eval_str=True)
        caller = next((name for name, hint in hints.items() if hint is Caller), "")
        return cls(declaration, owner, function, parameters, summary.rstrip("."), rest.strip(), streams, caller)

    @property
    def words(self) -> tuple[str, ...]:
        """What one types to run it."""
        return self.declaration.words

    @property
    def name(self) -> str:
        """The words as one string."""
        return " ".join(self.words)

    @property
    def node(self) -> str:
        """Its node as an ad-hoc command: the specification's, or one of ours; a command that streams has none."""
        return "" if self.streams else self.declaration.adhoc or f"xmppd/{'-'.join(self.words)}"

    def convert(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return the keyword arguments for `given`; raise `CommandError` for what is missing, unknown or unfit."""
        known = {parameter.name for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise CommandError(f"{self.name} takes no {name}", code=Exit.USAGE)
        return {parameter.name: parameter.convert(given.get(parameter.name)) for parameter in self.parameters}

    def describe(self) -> dict[str, Plain]:
        """Return what a front end needs to offer it."""
        return {
            "words": list(self.words),
            "summary": self.summary,
            "help": self.help,
            "offline": self.declaration.offline,
            "danger": self.declaration.danger,
            "streams": self.streams,
            "parameters": [parameter.describe() for parameter in self.parameters],
        }


def declared_in(source: object, owner: str) -> list[Command]:
    """Return the commands of an object's methods, of a class (to describe, not to run), a module or one function."""
    if hasattr(source, MARK):
        return [Command.of(source, owner)]  # type: ignore[arg-type]  # `command` marks functions only
    if isinstance(source, ModuleType):
        found = [value for value in vars(source).values() if inspect.isfunction(value) and hasattr(value, MARK)]
    else:
        kind = source if isinstance(source, type) else type(source)
        names = [name for name, value in inspect.getmembers_static(kind) if hasattr(value, MARK)]
        found = [getattr(source, name) for name in names]
    return [Command.of(function, owner) for function in found]


class Registry:
    """All commands of this server, by their words and by their ad-hoc nodes."""

    def __init__(self) -> None:
        self._commands: dict[tuple[str, ...], Command] = {}
        self._nodes: dict[str, Command] = {}

    def register(self, owner: str, source: object) -> None:
        """Add the commands of `source` (see `declared_in`), all or none of them.

        :raises TypeError: a command is ill-declared, or its words or node are taken.
        """
        added = declared_in(source, owner)
        trial = Registry()
        for command in (*self._commands.values(), *added):
            trial._add(command)
        self._commands, self._nodes = trial._commands, trial._nodes

    def _add(self, command: Command) -> None:
        for other in self._commands.values():
            shared = min(len(other.words), len(command.words))
            if other.words[:shared] == command.words[:shared]:
                raise TypeError(
                    f"{command.owner}: the command {command.name!r} collides with {other.name!r} of {other.owner}"
                )
        if command.node and command.node in self._nodes:
            raise TypeError(f"{command.owner}: {command.name!r} has the node of {self._nodes[command.node].name!r}")
        self._commands[command.words] = command
        if command.node:
            self._nodes[command.node] = command

    def unregister(self, owner: str) -> None:
        """Forget all commands of an owner."""
        self._commands = {words: command for words, command in self._commands.items() if command.owner != owner}
        self._nodes = {node: command for node, command in self._nodes.items() if command.owner != owner}

    def find(self, words: Sequence[str]) -> Command:
        """Return the command of these words; raise `CommandError` with the nearest one as remedy."""
        found = self._commands.get(tuple(words))
        if found is None:
            raise CommandError(f"there is no command {' '.join(words)!r}", self._nearest(words), Exit.USAGE)
        return found

    def at(self, node: str) -> Command | None:
        """Return the command of an ad-hoc node, if there is one."""
        return self._nodes.get(node)

    def list(self) -> Sequence[Command]:
        """Return all commands in the order of their words."""
        return [self._commands[words] for words in sorted(self._commands)]

    def __iter__(self) -> Iterator[Command]:
        return iter(self.list())

    def _nearest(self, words: Sequence[str]) -> str:
        from difflib import get_close_matches  # only a mistake pays for it

        nearest = get_close_matches(" ".join(words), [command.name for command in self._commands.values()], 1)
        return f"did you mean {nearest[0]!r}?" if nearest else ""
