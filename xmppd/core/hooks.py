"""Hooks: three kinds of typed event, and who handles them in which order.

* A **Decision** asks whether something may happen and who takes it. Handlers run in the order of their phases; the
  first `Verdict` settles it; a `StanzaError` refuses it; any other exception is a bug and fails closed: it is logged
  with the handler's name and becomes `internal-server-error`; a database that is down becomes `resource-constraint`.
* A **Collection** asks what everybody has to contribute; all handlers run, a failing one no further than its failure.
* A **Notice** tells that something has happened; all handlers run, each isolated from the others.

There are no numeric priorities. Within a phase handlers run in the order of their owners' names, and that must not
matter.
"""

from collections.abc import Awaitable, Callable, Iterator
from enum import Enum, IntEnum, auto
from typing import Any, NamedTuple, TypeVar

from ..protocol.errors import Misuse, StanzaError
from .clock import Clock
from .fault_log import FaultLog
from .log import Log

log = Log("hooks")


class Phase(IntEnum):
    """What a handler of a decision is for; also the order in which they run."""

    GUARD = auto()  # refuse
    SHAPE = auto()  # change
    RECORD = auto()  # keep
    COPY = auto()  # tell others
    DELIVER = auto()  # do it


class Verdict(Enum):
    """How a handler settles a decision."""

    HANDLED = auto()  # somebody took it
    DROP = auto()  # nobody will


class Decision:
    """May this happen, and who takes it? Subclasses carry the question."""

    __slots__ = ()


class Collection:
    """What do you contribute? Subclasses carry the list to add to."""

    __slots__ = ()


class Notice:
    """Something has happened. Subclasses say what."""

    __slots__ = ()


D = TypeVar("D", bound=Decision)
C = TypeVar("C", bound=Collection)
N = TypeVar("N", bound=Notice)
S = TypeVar("S")


class Registration(NamedTuple):
    """What a decorator noted on a method: the event's class and, for a decision, the phase."""

    event: type[Decision] | type[Collection] | type[Notice]
    phase: Phase | None


class Entry(NamedTuple):
    """One bound handler, as `xmppctl hooks` prints it."""

    event: type[Decision] | type[Collection] | type[Notice]
    phase: Phase | None
    owner: str
    handler: Callable[[Any], Awaitable[Any]]

    @property
    def name(self) -> str:
        """The handler's name, for logs and tables."""
        return f"{self.owner}.{getattr(self.handler, '__name__', '?')}"


def on(
    event: type[D], phase: Phase
) -> Callable[[Callable[[S, D], Awaitable[Verdict | None]]], Callable[[S, D], Awaitable[Verdict | None]]]:
    """Mark an async method as a handler of a decision."""
    return _marking(Registration(event, phase))


def collect(event: type[C]) -> Callable[[Callable[[S, C], Awaitable[None]]], Callable[[S, C], Awaitable[None]]]:
    """Mark an async method as a contributor to a collection."""
    return _marking(Registration(event, None))


def notice(event: type[N]) -> Callable[[Callable[[S, N], Awaitable[None]]], Callable[[S, N], Awaitable[None]]]:
    """Mark an async method as a listener to a notice."""
    return _marking(Registration(event, None))


def _marking(registration: Registration) -> Callable[[Any], Any]:
    def mark(method: Any) -> Any:
        method.__xmppd_hooks__ = (*getattr(method, "__xmppd_hooks__", ()), registration)
        return method

    return mark


def marked(owner: object, attribute: str) -> Iterator[tuple[Any, Any]]:
    """Yield (method, mark) for every method of `owner` that a decorator left `attribute` on, in source order.

    :param owner: an object, whose methods are bound, or a class, to read what it declares.
    """
    seen: set[str] = set()
    for cls in (owner if isinstance(owner, type) else type(owner)).__mro__:
        for name, value in vars(cls).items():
            marks = getattr(value, attribute, None)
            if marks is not None and name not in seen:
                seen.add(name)
                bound = getattr(owner, name)
                for mark in marks:
                    yield bound, mark


class Hooks:
    """Who handles what. One of these serves the whole process.

    :param clock: bounds what is logged of faults; without one all of it is.
    :ivar faults: tells of handlers that fail.
    :ivar generation: grows whenever handlers come or go; what was asked of them may be kept while it stays.
    :ivar tap: called with every decision before its handlers, if set (`xmppctl watch`); must not raise.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.faults = FaultLog(log, clock)
        self._entries: list[Entry] = []
        self._handlers: dict[type, tuple[Callable[[Any], Awaitable[Any]], ...]] = {}
        self.tap: Callable[[Decision], None] | None = None
        self.generation = 0

    # Binding

    def bind(self, owner: str, handlers: object) -> None:
        """Bind all marked methods of `handlers` under the name `owner`.

        :raises Misuse: one of them is bound already; none is bound twice.
        """
        found = [
            Entry(registration.event, registration.phase, owner, method)
            for method, registration in marked(handlers, "__xmppd_hooks__")
        ]
        twice = [entry.name for entry in found if entry in self._entries]
        if twice:
            raise Misuse(f"bound twice: {', '.join(twice)}")
        self._entries += found
        self._compile()

    def unbind(self, owner: str) -> None:
        """Forget every handler of `owner`."""
        self._entries = [entry for entry in self._entries if entry.owner != owner]
        self._compile()

    def _compile(self) -> None:
        self._entries.sort(key=lambda entry: (entry.event.__name__, entry.phase or 0, entry.owner))
        handlers: dict[type, list[Any]] = {}
        for entry in self._entries:
            handlers.setdefault(entry.event, []).append(entry.handler)
        self.generation += 1
        self._handlers = {event: tuple(found) for event, found in handlers.items()}

    def entries(self) -> list[Entry]:
        """Return the whole pipeline in order."""
        return list(self._entries)

    def wants(self, event: type) -> bool:
        """Whether anybody handles that event; a hot path need not build one that nobody wants."""
        return event in self._handlers or self.tap is not None

    # Firing

    async def decide(self, event: Decision) -> Verdict | None:
        """Run the handlers of a decision; return the verdict that settled it, or None.

        :raises StanzaError: a handler refused, failed (`InternalServerError`) or had no storage (`ResourceConstraint`).
        """
        if self.tap is not None:
            self.tap(event)
        handler = None
        try:
            for handler in self._handlers.get(event.__class__, ()):
                verdict = await handler(event)
                if verdict is not None:
                    return verdict  # type: ignore[no-any-return]
        except StanzaError:
            raise
        except Exception as error:
            raise self.faults.answer(self._name(handler), type(event).__name__, error) from error
        return None

    async def collect(self, event: C) -> C:
        """Let everybody contribute; return the event."""
        await self._tell_all(event)
        return event

    async def notify(self, event: Notice) -> None:
        """Tell everybody."""
        await self._tell_all(event)

    async def _tell_all(self, event: Collection | Notice) -> None:
        for handler in self._handlers.get(event.__class__, ()):
            try:
                await handler(event)
            except Exception as error:
                self.faults.tell(self._name(handler), type(event).__name__, error)

    def _name(self, handler: object) -> str:
        """Return the name of a handler, which may have been unbound while it ran."""
        for entry in self._entries:
            if entry.handler == handler:
                return entry.name
        return str(getattr(handler, "__qualname__", handler))
