"""What becomes of one stanza, noted step by step: hooks, answerers and a router that tell what they do.

They are the real ones, and do what the real ones do; `xmppd.app.rehearsal` gives them stand-ins to do it to.
"""

from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final

from twisted.internet.defer import Deferred, fail

from ..protocol.element import Element
from ..protocol.errors import InternalServerError, RemoteServerTimeout, StanzaError
from ..protocol.jid import Jid
from ..protocol.stanza import Stanza
from ..protocol.writer import serialise
from .accounts import Accounts
from .clock import Clock
from .drive import waited
from .events import OutboundMessage
from .hooks import Entry, Hooks, Pending, Verdict
from .host import Hosts
from .iq import IqRequest, Iqs, Target
from .message_log import MessageLog
from .router import Router
from .session import Session
from .sessions import Sessions

ROUTER: Final = "router"
LONGEST: Final = 400
"""Characters of XML in one step."""


@dataclass(slots=True)
class Step:
    """What one handler, an answerer or the router makes of a stanza.

    :ivar event: the event, or the request; empty for the router.
    :ivar phase: the handler's phase, or the target of the request.
    :ivar rule: what the handler goes by, in its own words: the beginning of its docstring.
    """

    event: str
    phase: str
    who: str
    outcome: str = ""
    rule: str = ""


@dataclass(slots=True)
class Trace:
    """The steps so far, in the order in which they began.

    :ivar is_open: whether more is noted.
    """

    steps: list[Step] = field(default_factory=list)
    is_open: bool = True

    def begin(self, who: str, event: str = "", phase: str = "", rule: str = "") -> Step:
        """Note a step whose outcome is not known yet; what happens meanwhile stands behind it."""
        step = Step(event, phase, who, "", rule)
        if self.is_open:
            self.steps.append(step)
        return step

    def note(self, outcome: str, who: str = ROUTER) -> None:
        """Note what somebody has done."""
        self.begin(who).outcome = outcome


class TracedHooks(Hooks):
    """Hooks whose decisions are noted, handler by handler."""

    def __init__(self, trace: Trace, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self._trace = trace

    def bind(self, owner: str, handlers: object) -> None:
        """Bind all marked methods of `handlers`, each with somebody who watches it."""
        known = self.entries()
        super().bind(owner, handlers)
        self._entries = [entry if entry in known else self._watched(entry) for entry in self._entries]
        self._compile()

    def _watched(self, entry: Entry) -> Entry:
        if entry.phase is None:
            return entry
        phase, rule = entry.phase.name, rule_of(entry.handler)

        @wraps(entry.handler)
        async def handler(event: Any) -> Any:
            step = self._trace.begin(entry.name, entry.event.__name__, phase, rule)
            before = _content(event)
            try:
                found = entry.handler(event)
                verdict = found if found is None or isinstance(found, Verdict) else await found
            except Exception as error:
                step.outcome = described(error)
                raise
            if verdict is not None:
                step.outcome = f"settles it: {verdict.name.lower()}"
            else:
                after = _content(event)
                step.outcome = "lets it pass" if after == before else f"changes it: {shortened(after)}"
            return verdict

        return entry._replace(handler=handler, children=None)  # who need not be asked says so


class TracedIqs(Iqs):
    """Answerers whose answers are noted. Nobody else is asked anything: there is no time to wait for answers."""

    def __init__(self, trace: Trace, clock: Clock) -> None:
        super().__init__(clock)
        self._trace = trace

    async def answer(self, request: IqRequest, target: Target) -> Element | None:
        """Return the payload of the answer; raise the error to answer with."""
        name = f"{request.stanza.type} {request.payload.name}"
        try:
            owner, answerer = self.find(request, target)
        except StanzaError as error:
            self._trace.begin(ROUTER, name, target.value).outcome = f"nobody answers this: {error}"
            raise
        who = f"{owner}.{getattr(answerer, '__name__', '?')}"
        step = self._trace.begin(who, name, target.value, rule_of(answerer))
        try:
            result = await super().answer(request, target)
        except Exception as error:
            step.outcome = described(error)
            raise
        step.outcome = "answers" if result is None else f"answers: {shortened(serialise(result))}"
        return result

    def ask(
        self, from_: Jid, to: Jid, type: str, payload: Element, timeout: float = 60.0
    ) -> tuple[Stanza, Deferred[Any]]:
        """Note a request of ours, which nobody answers."""
        self._trace.note(f"asks {to} and goes by the answer; here there is none: {shortened(serialise(payload))}")
        stanza = Stanza.build("iq", payload, to=to, from_=from_, type=type, id="explain")
        return stanza, fail(RemoteServerTimeout("nobody is asked"))


class TracedRouter(Router):
    """A router that says where each stanza goes, and who is there."""

    def __init__(
        self,
        trace: Trace,
        hosts: Hosts,
        sessions: Sessions,
        hooks: Hooks,
        iqs: Iqs,
        accounts: Accounts,
        log: MessageLog,
        clock: Clock,
    ) -> None:
        super().__init__(hosts, sessions, hooks, iqs, accounts, log, clock)
        self._trace = trace

    async def route(self, stanza: Stanza, session: Session | None = None, copy: int = 0) -> None:
        """Move a stanza to its addressee."""
        await self._tell(stanza)
        await super().route(stanza, session, copy)

    def _message_goes(self, event: OutboundMessage) -> Pending:
        """Move a client's message: to a local account by no way that others take, too."""
        to = event.stanza.to
        is_told_there = to is None or not to.localpart or to.domainpart not in self.hosts
        return super()._message_goes(event) if is_told_there else self._told(event)

    async def _told(self, event: OutboundMessage) -> None:
        await self._tell(event.stanza)
        await waited(super()._message_goes(event))

    async def _tell(self, stanza: Stanza) -> None:
        name = f"{stanza.kind} {stanza.type}".rstrip()
        self._trace.note(f"routes {name} of {stanza.from_} to {await self._place(stanza.to)}")

    async def _place(self, to: Jid | None) -> str:
        """Return who an address is, and whether somebody is there."""
        assert to is not None, "a stanza is routed by its address"
        if to.domainpart not in self.hosts:
            kind = "a service of this server" if to.domainpart in self.services() else "on another server"
            return f"{to}, {kind}"
        if not to.localpart:
            return f"{to}, this server itself"
        sessions = self.sessions.of(to.bare)
        if not sessions and await self.accounts.get(to.bare) is None:
            return f"{to}: there is no such account"
        if to.resourcepart:
            return f"{to}, which is {'connected' if self.sessions.at(to) else 'not connected'}"
        if not sessions:
            return f"{to}, who is not connected"
        return f"{to}: {len(sessions)} connected, {len(self.sessions.available(to.bare))} available"


def rule_of(function: object) -> str:
    """Return the first line of a docstring."""
    return (getattr(function, "__doc__", None) or "").strip().partition("\n")[0]


def described(error: Exception) -> str:
    """Return what an exception of a handler or an answerer means."""
    if isinstance(error, InternalServerError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    if isinstance(error, StanzaError):
        return f"refuses: {error}"
    return f"fails with {type(error).__name__}: {error}".rstrip(": ")


def shortened(xml: bytes) -> str:
    """Return XML as one reads it, and no more of it than that."""
    text = xml.decode("utf-8", "replace")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def _content(event: Any) -> bytes:
    stanza: Stanza | None = getattr(event, "stanza", None)
    return b"" if stanza is None else stanza.to_bytes()
