"""Hooks: three kinds of event, in an order that can be printed, and closed where a handler fails."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from xmppd.core.drive import drive
from xmppd.core.hooks import Collection, Decision, Hooks, Notice, Phase, Verdict, collect, marked, notice, on
from xmppd.core.shards import StorageUnavailable
from xmppd.protocol.element import E, Names
from xmppd.protocol.errors import Forbidden, InternalServerError, Misuse, ResourceConstraint
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

from .logged import lines


@dataclass
class May(Decision):
    seen: list[str] = field(default_factory=list)


@dataclass
class What(Collection):
    things: list[str] = field(default_factory=list)


@dataclass
class Happened(Notice):
    seen: list[str] = field(default_factory=list)


class Guest:
    """A handler in each phase."""

    def __init__(self, name: str, verdict: Verdict | None = None) -> None:
        self.name = name
        self.verdict = verdict

    @on(May, Phase.DELIVER)
    async def deliver(self, event: May) -> Verdict | None:
        event.seen.append(f"{self.name} delivers")
        return self.verdict

    @on(May, Phase.GUARD)
    async def guard(self, event: May) -> None:
        event.seen.append(f"{self.name} guards")

    @on(May, Phase.SHAPE)
    async def shape(self, event: May) -> None:
        event.seen.append(f"{self.name} shapes")

    @collect(What)
    async def give(self, event: What) -> None:
        event.things.append(self.name)

    @notice(Happened)
    async def hear(self, event: Happened) -> None:
        event.seen.append(self.name)


class Faulty:
    """Handlers that raise."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @on(May, Phase.RECORD)
    async def refuse(self, event: May) -> None:
        raise self.error

    @collect(What)
    async def fail_to_give(self, event: What) -> None:
        event.things.append("half")
        raise self.error

    @notice(Happened)
    async def fail_to_hear(self, event: Happened) -> None:
        raise self.error


@dataclass
class MayPass(Decision):
    stanza: Stanza
    seen: list[str] = field(default_factory=list)


@dataclass
class Passed(Notice):
    stanza: Stanza
    seen: list[str] = field(default_factory=list)


class Choosy:
    """Handlers that have to do with some stanzas only; none of them ever waits."""

    @on(MayPass, Phase.SHAPE, children=Names("{urn:a}a"))
    def shape(self, event: MayPass) -> None:
        event.seen.append("shape")

    @on(MayPass, Phase.COPY, children=Names("{urn:b}b", "{urn:c}c"))
    def copy(self, event: MayPass) -> None:
        event.seen.append("copy")

    @on(MayPass, Phase.DELIVER)
    def deliver(self, event: MayPass) -> Verdict:
        event.seen.append("deliver")
        return Verdict.HANDLED

    @notice(Passed, children=Names("{urn:b}b"))
    def hear(self, event: Passed) -> None:
        event.seen.append("hear")


def message_with(*children: str) -> Stanza:
    """Return a message with these children."""
    return Stanza.build("message", *[E(name) for name in children], to=None, from_=Jid("romeo@montague.example"))


class Slow:
    """Thinks until the test lets it."""

    def __init__(self, waiting: "Deferred[None]") -> None:
        self.waiting = waiting

    @on(May, Phase.GUARD)
    async def think(self, event: May) -> None:
        await self.waiting


def undecided(hooks: Hooks, waiting: "Deferred[None]") -> "Deferred[Verdict | None]":
    """Ask somebody slow; return what will come of it."""
    hooks.bind("slow", Slow(waiting))
    result = drive(hooks.decide(May()))
    assert isinstance(result, Deferred)
    return result


@pytest.fixture
def logged() -> Any:
    """What was logged, as (format, fields)."""
    events: list[dict[str, Any]] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def names(logged: list[dict[str, Any]]) -> list[str]:
    """Return the handlers that were logged as failed."""
    return [event["handler"] for event in logged if "log_failure" in event]


class TestDecisions:
    """May this happen, and who takes it?"""

    def test_order(self) -> None:
        """Handlers run in the order of phases, within a phase in the order of their owners' names."""
        hooks = Hooks()
        hooks.bind("b", Guest("b"))
        hooks.bind("a", Guest("a"))
        event = May()
        assert drive(hooks.decide(event)) is None
        assert event.seen == ["a guards", "b guards", "a shapes", "b shapes", "a delivers", "b delivers"]

    def test_printed_order_is_the_order(self) -> None:
        """What `xmppctl hooks` prints is what happens."""
        hooks = Hooks()
        hooks.bind("b", Guest("b"))
        hooks.bind("a", Guest("a"))
        printed = [(entry.phase, entry.name) for entry in hooks.entries() if entry.event is May]
        assert printed == [
            (Phase.GUARD, "a.guard"),
            (Phase.GUARD, "b.guard"),
            (Phase.SHAPE, "a.shape"),
            (Phase.SHAPE, "b.shape"),
            (Phase.DELIVER, "a.deliver"),
            (Phase.DELIVER, "b.deliver"),
        ]

    @pytest.mark.parametrize("verdict", list(Verdict))
    def test_first_verdict_settles(self, verdict: Verdict) -> None:
        """Nobody is asked behind a verdict."""
        hooks = Hooks()
        hooks.bind("a", Guest("a", verdict))
        hooks.bind("b", Guest("b"))
        event = May()
        assert drive(hooks.decide(event)) is verdict
        assert event.seen[-1] == "a delivers"

    def test_refusal(self, logged: list[dict[str, Any]]) -> None:
        """A StanzaError refuses: it is raised as it is, is no bug, and nobody is asked behind it."""
        hooks = Hooks()
        hooks.bind("guest", Guest("guest"))
        hooks.bind("faulty", Faulty(Forbidden("no")))
        event = May()
        with pytest.raises(Forbidden, match="no"):
            drive(hooks.decide(event))
        assert event.seen == ["guest guards", "guest shapes"]
        assert names(logged) == []

    def test_bug_fails_closed(self, logged: list[dict[str, Any]]) -> None:
        """Architecture rule 12: any other exception becomes internal-server-error and is logged once, by name."""
        hooks = Hooks()
        hooks.bind("guest", Guest("guest"))
        hooks.bind("faulty", Faulty(KeyError("x")))
        event = May()
        with pytest.raises(InternalServerError):
            drive(hooks.decide(event))
        assert event.seen == ["guest guards", "guest shapes"]
        assert names(logged) == ["faulty.refuse"]

    def test_storage_that_is_down(self, logged: list[dict[str, Any]]) -> None:
        """Who needs a database that is down is no bug: the sender is told to wait, without a traceback in the log."""
        hooks = Hooks()
        hooks.bind("faulty", Faulty(StorageUnavailable("db.example is down")))
        with pytest.raises(ResourceConstraint) as refused:
            drive(hooks.decide(May()))
        assert refused.value.element().get("type") == "wait"
        assert lines(logged) == ["faulty.refuse in May has no storage: db.example is down"]
        assert names(logged) == []

    def test_same_fault_in_a_flood(self, logged: list[dict[str, Any]]) -> None:
        """Each stanza is refused; the log does not grow with them."""
        hooks = Hooks(Clock())
        hooks.bind("faulty", Faulty(KeyError("x")))
        for _ in range(100):
            with pytest.raises(InternalServerError):
                drive(hooks.decide(May()))
        assert names(logged) == ["faulty.refuse"]

    def test_bug_behind_a_wait(self, logged: list[dict[str, Any]]) -> None:
        """It makes no difference whether the handler waited before it failed."""
        waiting: Deferred[None] = Deferred()
        hooks = Hooks()
        result = undecided(hooks, waiting)
        failures: list[Any] = []
        result.addErrback(failures.append)
        waiting.errback(ValueError("late"))
        assert failures[0].check(InternalServerError)
        assert names(logged) == ["slow.think"]

    def test_unbound_while_it_runs(self, logged: list[dict[str, Any]]) -> None:
        """A handler whose module was unloaded meanwhile still fails by its name."""
        waiting: Deferred[None] = Deferred()
        hooks = Hooks()
        result = undecided(hooks, waiting)
        result.addErrback(lambda failure: failure.trap(InternalServerError) and None)
        hooks.unbind("slow")
        waiting.errback(ValueError("late"))
        assert [name.rpartition(".")[2] for name in names(logged)] == ["think"]

    def test_plain_method_that_returns_a_deferred(self) -> None:
        """Whatever can be awaited is awaited, so a method may hand on a Deferred."""

        class Old:
            @on(May, Phase.GUARD)
            def look(self, event: May) -> "Deferred[Verdict | None]":
                return succeed(Verdict.DROP)

        hooks = Hooks()
        hooks.bind("old", Old())
        assert drive(hooks.decide(May())) is Verdict.DROP

    def test_plain_methods_are_done_at_once(self) -> None:
        """Who never waits costs no coroutine: the ruling is there, and nothing is to be awaited."""
        hooks = Hooks()
        hooks.bind("choosy", Choosy())
        assert hooks.begin(MayPass(message_with())) is Verdict.HANDLED
        assert hooks.begin(May()) is None

    def test_plain_methods_behind_one_that_waits(self) -> None:
        """The order stays what it is, whoever waits."""
        waiting: Deferred[None] = Deferred()

        class Thinker:
            @on(MayPass, Phase.GUARD)
            async def think(self, event: MayPass) -> None:
                await waiting
                event.seen.append("think")

        hooks = Hooks()
        hooks.bind("choosy", Choosy())
        hooks.bind("thinker", Thinker())
        event = MayPass(message_with("{urn:a}a"))
        verdicts: list[Verdict | None] = []
        result = drive(hooks.decide(event))
        assert isinstance(result, Deferred)
        result.addCallback(verdicts.append)
        assert event.seen == []
        waiting.callback(None)
        assert (verdicts, event.seen) == ([Verdict.HANDLED], ["think", "shape", "deliver"])

    @pytest.mark.parametrize(
        ("children", "seen"),
        [
            ((), ["deliver"]),
            (("{urn:z}a",), ["deliver"]),
            (("{urn:a}a",), ["shape", "deliver"]),
            (("{urn:z}z", "{urn:c}c"), ["copy", "deliver"]),
            (("{urn:b}b", "{urn:a}a"), ["shape", "copy", "deliver"]),
        ],
    )
    def test_handlers_for_some_children(self, children: tuple[str, ...], seen: list[str]) -> None:
        """One that asks for children is not called without them."""
        hooks = Hooks()
        hooks.bind("choosy", Choosy())
        event = MayPass(message_with(*children))
        hooks.begin(event)
        assert event.seen == seen

    def test_handlers_that_come_later(self) -> None:
        """What was found in a stanza is looked for anew when somebody asks for more."""
        hooks = Hooks()
        hooks.bind("choosy", Choosy())
        event = MayPass(message_with("{urn:d}d"))
        hooks.begin(event)

        class Late:
            @on(MayPass, Phase.GUARD, children=Names("{urn:d}d"))
            def guard(self, event: MayPass) -> None:
                event.seen.append("guard")

        hooks.bind("late", Late())
        hooks.begin(event)
        assert "guard" in event.seen

    def test_tap(self) -> None:
        """Who watches sees every decision before anybody handles it, also those that nobody handles."""
        hooks = Hooks()
        assert not hooks.wants(May)
        seen: list[Decision] = []
        hooks.tap = seen.append
        assert hooks.wants(May)
        event = May()
        assert drive(hooks.decide(event)) is None
        assert seen == [event]

    def test_wants(self) -> None:
        """A hot path need not build what nobody handles."""
        hooks = Hooks()
        hooks.bind("guest", Guest("guest"))
        assert hooks.wants(May)
        hooks.unbind("guest")
        assert not hooks.wants(May)


class TestCollections:
    """What do you contribute?"""

    def test_all_contribute(self, logged: list[dict[str, Any]]) -> None:
        """A handler that fails keeps nobody else from contributing, and is logged by name."""
        hooks = Hooks()
        for name in ("c", "a"):
            hooks.bind(name, Guest(name))
        hooks.bind("b", Faulty(Forbidden()))
        event = What()
        assert drive(hooks.collect(event)) is event
        assert event.things == ["a", "half", "c"]
        assert names(logged) == ["b.fail_to_give"]


class TestNotices:
    """Something has happened."""

    def test_all_hear(self, logged: list[dict[str, Any]]) -> None:
        """Each handler is isolated from the others."""
        hooks = Hooks()
        for name in ("c", "a"):
            hooks.bind(name, Guest(name))
        hooks.bind("b", Faulty(KeyError("x")))
        event = Happened()
        drive(hooks.notify(event))
        assert event.seen == ["a", "c"]
        assert names(logged) == ["b.fail_to_hear"]

    def test_storage_that_is_down(self, logged: list[dict[str, Any]]) -> None:
        """A listener that needs it keeps nobody from hearing, and has one line for many notices."""
        hooks = Hooks(Clock())
        hooks.bind("a", Faulty(StorageUnavailable("db.example is down")))
        hooks.bind("b", Guest("b"))
        event = Happened()
        for _ in range(10):
            drive(hooks.notify(event))
        assert event.seen == ["b"] * 10
        assert lines(logged) == ["a.fail_to_hear in Happened has no storage: db.example is down"]

    def test_wait_keeps_nobody_from_hearing(self, logged: list[dict[str, Any]]) -> None:
        """Who waits, and who fails behind that, is isolated as well."""
        waiting: Deferred[None] = Deferred()

        class Waiter:
            @notice(Happened)
            async def hear(self, event: Happened) -> None:
                await waiting

        hooks = Hooks()
        hooks.bind("a", Waiter())
        hooks.bind("b", Faulty(KeyError("x")))
        hooks.bind("c", Guest("c"))
        event = Happened()
        result = drive(hooks.notify(event))
        assert isinstance(result, Deferred)
        assert event.seen == []
        waiting.errback(ValueError("late"))
        assert event.seen == ["c"]
        assert names(logged) == ["a.hear", "b.fail_to_hear"]

    def test_children(self) -> None:
        """As with decisions."""
        hooks = Hooks()
        hooks.bind("choosy", Choosy())
        events = [Passed(message_with()), Passed(message_with("{urn:b}b"))]
        assert [hooks.tell(event) for event in events] == [None, None]
        assert [event.seen for event in events] == [[], ["hear"]]

    def test_nobody_listens(self) -> None:
        """An event that nobody handles is nothing special."""
        event = Happened()
        assert drive(Hooks().notify(event)) is None
        assert event.seen == []


class TestBinding:
    """Who is bound, and for how long."""

    def test_unbind(self) -> None:
        """All of one owner goes, and nothing of others."""
        hooks = Hooks()
        hooks.bind("a", Guest("a"))
        hooks.bind("b", Guest("b"))
        hooks.unbind("a")
        hooks.unbind("nobody")
        event = May()
        drive(hooks.decide(event))
        assert event.seen == ["b guards", "b shapes", "b delivers"]
        assert {entry.owner for entry in hooks.entries()} == {"b"}

    def test_unbind_while_firing(self) -> None:
        """Who is unbound by a handler before it is still asked this time: the pipeline is that of the beginning."""
        hooks = Hooks()

        class Revolver:
            @on(May, Phase.GUARD)
            async def fire(self, event: May) -> None:
                hooks.unbind("guest")

        hooks.bind("a", Revolver())
        hooks.bind("guest", Guest("guest"))
        event = May()
        drive(hooks.decide(event))
        assert event.seen == ["guest guards", "guest shapes", "guest delivers"]

    def test_bind_twice(self) -> None:
        """A handler that is bound already is a mistake, and nothing is bound twice by it."""
        hooks = Hooks()
        guest = Guest("a")
        hooks.bind("a", guest)
        with pytest.raises(Misuse, match="guard"):
            hooks.bind("a", guest)
        event = Happened()
        drive(hooks.notify(event))
        assert event.seen == ["a"]

    def test_two_objects_of_one_owner(self) -> None:
        """A module may have several objects with handlers."""
        hooks = Hooks()
        hooks.bind("a", Guest("one"))
        hooks.bind("a", Guest("two"))
        event = Happened()
        drive(hooks.notify(event))
        assert event.seen == ["one", "two"]

    def test_one_method_of_two_events(self) -> None:
        """Marks add up."""

        class Both:
            @notice(Happened)
            @collect(What)
            async def any(self, event: object) -> None:
                """Take either."""

        hooks = Hooks()
        hooks.bind("a", Both())
        assert {entry.event for entry in hooks.entries()} == {Happened, What}

    def test_inheritance(self) -> None:
        """A method that is overridden keeps the mark of the one it overrides."""

        class Louder(Guest):
            async def hear(self, event: Happened) -> None:
                event.seen.append(self.name.upper())

        hooks = Hooks()
        hooks.bind("a", Louder("a"))
        event = Happened()
        drive(hooks.notify(event))
        assert event.seen == ["A"]

    def test_marks_of_a_class(self) -> None:
        """What a class declares can be read without an object of it."""
        assert [method.__name__ for method, _ in marked(Guest, "__xmppd_hooks__")] == [
            "deliver", "guard", "shape", "give", "hear",
        ]  # fmt: skip
