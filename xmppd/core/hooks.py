"""Hooks: three kinds of typed event, and who handles them in which order.

* A **Decision** asks whether something may happen and who takes it. Handlers run in the order of their phases; the
  first `Verdict` settles it; a `StanzaError` refuses it; any other exception is a bug and fails closed: it is logged
  with the handler's name and becomes `internal-server-error`; a database that is down becomes `resource-constraint`.
* A **Collection** asks what everybody has to contribute; all handlers run, a failing one no further than its failure.
* A **Notice** tells that something has happened; all handlers run, each isolated from the others.

There are no numeric priorities. Within a phase handlers run in the order of their owners' names, and that must not
matter.

Whoever may wait is `async def`. A handler that every message passes and that nearly never waits is a plain method,
which returns its verdict, or what is to be awaited for it: a coroutine costs more than such a handler does. One that
has to do with some children of a stanza only says which, and is not called for others.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from enum import Enum, IntEnum, auto
from typing import Any, NamedTuple, TypeVar

from ..protocol.element import Element, Names
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
Pending = Awaitable[None] | None
"""What is left of something that was begun: None if nothing is, else what must be awaited."""

Ruling = Verdict | Awaitable[Verdict | None] | None
"""What a handler of a decision returns, and all of them together: a verdict or none, or what to await for it."""


Handler = Callable[[Any], Any]
Handlers = tuple[Handler, ...]


class Registration(NamedTuple):
    """What a decorator noted on a method: the event's class, for a decision the phase, and which children it is for."""

    event: type[Decision] | type[Collection] | type[Notice]
    phase: Phase | None
    children: Names | None = None


class Entry(NamedTuple):
    """One bound handler, as `xmppctl hooks` prints it.

    :ivar children: it is called for stanzas with one of these only; None for all.
    """

    event: type[Decision] | type[Collection] | type[Notice]
    phase: Phase | None
    owner: str
    handler: Handler
    children: Names | None = None

    @property
    def name(self) -> str:
        """The handler's name, for logs and tables."""
        return f"{self.owner}.{getattr(self.handler, '__name__', '?')}"


class Pipeline(NamedTuple):
    """The handlers of one event, in order.

    :ivar plain: those that are called for any stanza.
    :ivar names: children that others ask for; None if there are no others.
    :ivar entries: those and the others.
    """

    plain: Handlers
    names: Names | None
    entries: tuple[Entry, ...]


def on(
    event: type[D], phase: Phase, *, children: Names | None = None
) -> Callable[[Callable[[S, D], Ruling]], Callable[[S, D], Ruling]]:
    """Mark a method as a handler of a decision.

    :param children: it is called only if the event's stanza, as it is when the first handler is asked, has a child of
        one of these names.
    """
    return _marking(Registration(event, phase, children))


def collect(event: type[C]) -> Callable[[Callable[[S, C], Awaitable[None]]], Callable[[S, C], Awaitable[None]]]:
    """Mark an async method as a contributor to a collection."""
    return _marking(Registration(event, None))


def notice(
    event: type[N], *, children: Names | None = None
) -> Callable[[Callable[[S, N], Pending]], Callable[[S, N], Pending]]:
    """Mark a method as a listener to a notice.

    :param children: as in `on`.
    """
    return _marking(Registration(event, None, children))


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
        self._pipelines: dict[type, Pipeline] = {}
        self._names: Names | None = None  # all children that any handler asks for
        self._looked_at: Element | None = None  # what was looked at last,
        self._is_marked = False  # and whether any of them is in it
        self.tap: Callable[[Decision], None] | None = None
        self.generation = 0

    # Binding

    def bind(self, owner: str, handlers: object) -> None:
        """Bind all marked methods of `handlers` under the name `owner`.

        :raises Misuse: one of them is bound already; none is bound twice.
        """
        found = [
            Entry(registration.event, registration.phase, owner, method, registration.children)
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
        by_event: dict[type, list[Entry]] = {}
        for entry in self._entries:
            by_event.setdefault(entry.event, []).append(entry)
        self._pipelines = {event: _pipeline(entries) for event, entries in by_event.items()}
        self._names = _together(self._entries)
        self._looked_at = None
        self.generation += 1

    def entries(self) -> list[Entry]:
        """Return the whole pipeline in order."""
        return list(self._entries)

    def wants(self, event: type) -> bool:
        """Whether anybody handles that event; a hot path need not build one that nobody wants."""
        return event in self._pipelines or self.tap is not None

    # Firing

    async def decide(self, event: Decision) -> Verdict | None:
        """Run the handlers of a decision; return the verdict that settled it, or None.

        :raises StanzaError: a handler refused, failed (`InternalServerError`) or had no storage (`ResourceConstraint`).
        """
        ruling = self.begin(event)
        return ruling if ruling is None or isinstance(ruling, Verdict) else await ruling

    def begin(self, event: Decision) -> Ruling:
        """As `decide`, for the hot path: only what waits has to be awaited."""
        if self.tap is not None:
            self.tap(event)
        pipeline = self._pipelines.get(event.__class__)
        if pipeline is None:
            return None
        handlers, names, _ = pipeline
        if names is not None and self._has_some(event):
            handlers = _chosen(pipeline, event)
        handler = None
        try:
            for handler in handlers:
                found = handler(event)
                if found is not None:
                    return found if found.__class__ is Verdict else self._go_on(event, handlers, handler, found)
        except StanzaError:
            raise
        except Exception as error:
            raise self._answer(handler, event, error) from error
        return None

    async def _go_on(
        self, event: Decision, handlers: Handlers, handler: Handler, found: Awaitable[Verdict | None]
    ) -> Verdict | None:
        """Await what a handler returned, and run those behind it."""
        rest = handlers[handlers.index(handler) + 1 :]
        try:
            verdict = await found
            for handler in rest:
                if verdict is not None:
                    break
                ruling = handler(event)
                verdict = ruling if ruling is None or isinstance(ruling, Verdict) else await ruling
        except StanzaError:
            raise
        except Exception as error:
            raise self._answer(handler, event, error) from error
        return verdict

    def _answer(self, handler: object, event: Decision, error: Exception) -> StanzaError:
        return self.faults.answer(self._name(handler), type(event).__name__, error)

    def _has_some(self, event: Any) -> bool:
        """Whether a stanza has children that any handler asks for; looked up once for all events that it comes to."""
        element = event.stanza.element
        if element is not self._looked_at:
            assert self._names is not None, "somebody asks for some"
            self._looked_at = element
            self._is_marked = self._names.occur_in(element)
        return self._is_marked

    async def collect(self, event: C) -> C:
        """Let everybody contribute; return the event."""
        pending = self.tell(event)
        if pending is not None:
            await pending
        return event

    async def notify(self, event: Notice) -> None:
        """Tell everybody."""
        pending = self.tell(event)
        if pending is not None:
            await pending

    def tell(self, event: Collection | Notice) -> Pending:
        """As `notify` and `collect`, for the hot path: only what waits has to be awaited."""
        pipeline = self._pipelines.get(event.__class__)
        if pipeline is None:
            return None
        handlers, names, _ = pipeline
        if names is not None and self._has_some(event):
            handlers = _chosen(pipeline, event)
        for handler in handlers:
            try:
                found = handler(event)
                if found is not None:
                    return self._tell_on(event, handlers, handler, found)
            except Exception as error:
                self._failed(handler, event, error)
        return None

    async def _tell_on(
        self, event: Collection | Notice, handlers: Handlers, handler: Handler, found: Awaitable[None]
    ) -> None:
        """Await what a handler returned, and tell those behind it."""
        rest = handlers[handlers.index(handler) + 1 :]
        try:
            await found
        except Exception as error:
            self._failed(handler, event, error)
        for handler in rest:
            try:
                pending = handler(event)
                if pending is not None:
                    await pending
            except Exception as error:
                self._failed(handler, event, error)

    def _failed(self, handler: object, event: Collection | Notice, error: Exception) -> None:
        self.faults.tell(self._name(handler), type(event).__name__, error)

    def _name(self, handler: object) -> str:
        """Return the name of a handler, which may have been unbound while it ran."""
        for entry in self._entries:
            if entry.handler == handler:
                return entry.name
        return str(getattr(handler, "__qualname__", handler))


def _pipeline(entries: Sequence[Entry]) -> Pipeline:
    """Return the handlers of one event, whose entries are in order."""
    plain = tuple(entry.handler for entry in entries if entry.children is None)
    return Pipeline(plain, _together(entries), tuple(entries))


def _chosen(pipeline: Pipeline, event: Any) -> Handlers:
    """Return who is called for an event whose stanza may have children that are asked for."""
    element = event.stanza.element
    return tuple(
        [entry.handler for entry in pipeline.entries if entry.children is None or entry.children.occur_in(element)]
    )


def _together(entries: Iterable[Entry]) -> Names | None:
    """Return all names of children that are asked for; None if none are."""
    names = {name for entry in entries if entry.children is not None for name in entry.children}
    return Names(*names) if names else None
