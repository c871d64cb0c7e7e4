"""Steps of a stanza, noted."""

from typing import Any

import pytest
from twisted.internet.task import Clock

from xmppd.core.drive import drive
from xmppd.core.events import AccountRemoved, OutboundMessage
from xmppd.core.hooks import Phase, Verdict, notice, on
from xmppd.core.iq import IqRequest, Target, iq
from xmppd.core.trace import LONGEST, Trace, TracedHooks, TracedIqs, rule_of, shortened
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import Forbidden, InternalServerError, NotAcceptable, RemoteServerTimeout, StanzaError
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

ROMEO, JULIET = Jid("romeo@montague.example/orchard"), Jid("juliet@capulet.example")


class Handlers:
    """One for each thing that can become of a decision; `behaviour` says what the guard does."""

    def __init__(self, behaviour: str = "") -> None:
        self.behaviour = behaviour

    @on(OutboundMessage, Phase.GUARD)
    async def guard(self, event: OutboundMessage) -> Verdict | None:
        """3.1: look who comes.

        And more.
        """
        if self.behaviour == "refuse":
            raise NotAcceptable("You have blocked this address.")
        if self.behaviour == "crash":
            raise ZeroDivisionError("oops")
        return Verdict.DROP if self.behaviour == "drop" else None

    @on(OutboundMessage, Phase.SHAPE)
    async def shape(self, event: OutboundMessage) -> Verdict | None:
        event.stanza = event.stanza.with_added(E("{urn:example}mark"))
        return None

    @on(OutboundMessage, Phase.DELIVER)
    async def deliver(self, event: OutboundMessage) -> Verdict | None:
        return Verdict.HANDLED

    @notice(AccountRemoved)
    async def hear(self, event: AccountRemoved) -> None:
        """Listen."""

    @iq("get", "{urn:example}x", Target.HOST)
    async def answer(self, request: IqRequest) -> Element | None:
        """4: answer."""
        if self.behaviour == "refuse":
            raise Forbidden("not you")
        if self.behaviour == "crash":
            raise ZeroDivisionError
        return None if self.behaviour == "empty" else E("{urn:example}y")


def message() -> OutboundMessage:
    session: Any = None
    return OutboundMessage(session, Stanza.build("message", to=JULIET, from_=ROMEO))


def decided(behaviour: str, error: type[StanzaError] | None = None) -> list[tuple[str, str, str]]:
    trace = Trace()
    hooks = TracedHooks(trace)
    hooks.bind("tests", Handlers(behaviour))
    hooks.bind("others", Handlers())
    hooks.unbind("others")
    if error is None:
        drive(hooks.decide(message()))
    else:
        with pytest.raises(error):
            drive(hooks.decide(message()))
    assert all(step.event == "OutboundMessage" for step in trace.steps)
    return [(step.phase, step.who, step.outcome) for step in trace.steps]


def test_handlers() -> None:
    """Each says what it made of the stanza, once, in the order in which they run."""
    assert decided("") == [
        ("GUARD", "tests.guard", "lets it pass"),
        (
            "SHAPE",
            "tests.shape",
            f"changes it: <message from='{ROMEO}' to='{JULIET}'><mark xmlns='urn:example'/></message>",
        ),
        ("DELIVER", "tests.deliver", "settles it: handled"),
    ]


@pytest.mark.parametrize(
    ("behaviour", "error", "outcome"),
    [
        ("drop", None, "settles it: drop"),
        ("refuse", NotAcceptable, "refuses: not-acceptable: You have blocked this address."),
        ("crash", InternalServerError, "fails with ZeroDivisionError: oops"),
    ],
)
def test_the_end_of_the_road(behaviour: str, error: type[StanzaError] | None, outcome: str) -> None:
    """A verdict, a refusal and a fault are told by whose they are."""
    assert decided(behaviour, error) == [("GUARD", "tests.guard", outcome)]


def test_the_rule() -> None:
    """What a handler goes by is the beginning of its docstring."""
    assert rule_of(Handlers.guard) == "3.1: look who comes."
    assert rule_of(Handlers.shape) == ""


def request() -> IqRequest:
    payload = E("{urn:example}x")
    host = Jid("montague.example")
    return IqRequest(Stanza.build("iq", payload, to=host, from_=ROMEO, type="get", id="1"), host, ROMEO, payload)


@pytest.mark.parametrize(
    ("behaviour", "error", "outcome"),
    [
        ("", None, "answers: <y xmlns='urn:example'/>"),
        ("empty", None, "answers"),
        ("refuse", Forbidden, "refuses: forbidden: not you"),
        ("crash", InternalServerError, "fails with"),
    ],
)
def test_answerers(behaviour: str, error: type[StanzaError] | None, outcome: str) -> None:
    """Likewise with requests."""
    trace = Trace()
    iqs = TracedIqs(trace, Clock())
    iqs.bind("tests", Handlers(behaviour))
    if error is None:
        drive(iqs.answer(request(), Target.HOST))
    else:
        with pytest.raises(error):
            drive(iqs.answer(request(), Target.HOST))
    (step,) = trace.steps
    assert (step.event, step.phase, step.who, step.rule) == (
        "get {urn:example}x", "host", "tests.answer", "4: answer.",
    )  # fmt: skip
    assert step.outcome.startswith(outcome)


def test_nobody_answers() -> None:
    """That is a step as well."""
    trace = Trace()
    with pytest.raises(StanzaError):
        drive(TracedIqs(trace, Clock()).answer(request(), Target.HOST))
    assert trace.steps[0].outcome == "nobody answers this: service-unavailable"


def test_nobody_is_asked() -> None:
    """Whoever asks a client goes on as if it had not answered."""
    trace = Trace()
    _, waiting = TracedIqs(trace, Clock()).ask(JULIET, ROMEO, "get", E("{urn:xmpp:ping}ping"))
    failures: list[Any] = []
    waiting.addErrback(failures.append)
    assert failures[0].check(RemoteServerTimeout)
    assert trace.steps[0].outcome.startswith(f"asks {ROMEO}")


def test_closed() -> None:
    """When it is over nothing is noted any more."""
    trace = Trace(is_open=False)
    trace.note("late")
    assert trace.steps == []


def test_long_stanzas() -> None:
    """Are shortened."""
    assert shortened(b"x" * LONGEST) == "x" * LONGEST
    assert shortened(b"x" * (LONGEST + 1)).endswith(f"... ({LONGEST + 1} characters)")
