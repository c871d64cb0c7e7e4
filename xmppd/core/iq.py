"""Who answers which IQ, and our own requests.

A request to a host or an account has exactly one answerer, found by type, payload and target; a second one is an
error when its module is loaded, not a surprise at run time. An answerer *returns* the payload of the result (None is
the empty result) or *raises* the error. Requests to a full JID are not ours to answer: they go to the session.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from twisted.internet.defer import Deferred

from ..protocol.element import Element
from ..protocol.errors import (
    FeatureNotImplemented,
    NotAllowed,
    RemoteServerTimeout,
    ServiceUnavailable,
    StanzaError,
    error_of,
)
from ..protocol.jid import Jid
from ..protocol.names import BIND
from ..protocol.stanza import Stanza
from .clock import Clock
from .fault_log import FaultLog
from .hooks import marked
from .log import Log

if TYPE_CHECKING:
    from .client_stream import ClientStream
    from .session import Session

log = Log("iq")
S = TypeVar("S")
BIND_REQUEST: Final = f"{{{BIND}}}bind"


class Target(StrEnum):
    """To what a request is addressed."""

    ACCOUNT = "account"  # the sender's own account: no `to`, or its own bare JID
    ANY_ACCOUNT = "any account"  # a local account, whoever asks; the answerer checks what the sender may know
    HOST = "host"  # a local host
    BEFORE_LOGIN = "before login"  # a stream that is not authenticated yet (XEP-0077)


@dataclass(slots=True)
class IqRequest:
    """A get or set that came for us.

    :ivar target: the bare JID of the account, or the host, that is to answer.
    :ivar from_: who asks; before login the host itself.
    :ivar payload: the request's only child.
    :ivar sender: the local session that asks; None for anybody else.
    :ivar stream: before login, the stream that asks.
    """

    stanza: Stanza
    target: Jid
    from_: Jid
    payload: Element
    sender: "Session | None" = None
    stream: "ClientStream | None" = None

    @property
    def is_own(self) -> bool:
        """Whether an account asks itself."""
        return self.from_.bare == self.target


Answerer = Callable[[IqRequest], Awaitable[Element | None]]


class Answer(NamedTuple):
    """What `iq` noted on a method."""

    type: str
    name: str
    target: Target


def iq(
    type: str, name: str, *targets: Target
) -> Callable[[Callable[[S, IqRequest], Any]], Callable[[S, IqRequest], Any]]:
    """Mark an async method as the answerer of requests of that type whose payload has that qualified name."""

    def mark(method: Any) -> Any:
        answers = tuple(Answer(type, name, target) for target in targets or (Target.ACCOUNT,))
        method.__xmppd_iqs__ = (*getattr(method, "__xmppd_iqs__", ()), *answers)
        return method

    return mark


class AlreadyAnswered(Exception):
    """Two modules want to answer the same request."""


class Iqs:
    """The answerers, and the requests of ours that wait for an answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults = FaultLog(log, clock)
        self._answerers: dict[tuple[str, str, Target], tuple[str, Answerer]] = {}
        self._pending: dict[str, tuple[Jid, Deferred[Element | None], Any]] = {}
        self._number = 0

    # Answering

    def bind(self, owner: str, handlers: object) -> None:
        """Bind all marked methods of `handlers`; raise `AlreadyAnswered` and bind none if one is taken."""
        found = list(marked(handlers, "__xmppd_iqs__"))
        for _, answer in found:
            taken = self._answerers.get(answer)
            if taken is not None:
                raise AlreadyAnswered(
                    f"{owner} and {taken[0]} both answer {answer.type} {answer.name} to {answer.target}"
                )
        for method, answer in found:
            self._answerers[answer] = (owner, method)

    def unbind(self, owner: str) -> None:
        """Forget every answerer of `owner`."""
        self._answerers = {key: value for key, value in self._answerers.items() if value[0] != owner}

    def entries(self) -> list[tuple[str, str, Target, str]]:
        """Return (type, payload, target, owner) of every answerer, for `xmppctl hooks`."""
        return sorted((type, name, target, owner) for (type, name, target), (owner, _) in self._answerers.items())

    def find(self, request: IqRequest, target: Target) -> tuple[str, Answerer]:
        """Return who answers.

        :raises FeatureNotImplemented: somebody answers the other type.
        :raises NotAllowed: it asks for a second resource: a stream has one (RFC 6120, 7.1).
        :raises ServiceUnavailable: nobody answers.
        """
        type, name = request.stanza.type, request.payload.name
        if target is Target.ACCOUNT and not request.is_own:
            target = Target.ANY_ACCOUNT
        found = self._answerers.get((type, name, target))
        if found is None and target is Target.ACCOUNT:
            found = self._answerers.get((type, name, Target.ANY_ACCOUNT))
        if found is not None:
            return found
        if target is Target.ANY_ACCOUNT:
            raise ServiceUnavailable()  # as if there were no such account
        if name == BIND_REQUEST and request.sender is not None:
            raise NotAllowed("this stream has its resource")
        other = "set" if type == "get" else "get"
        if (other, name, target) in self._answerers:
            raise FeatureNotImplemented(f"there is no {type} for this payload")
        raise ServiceUnavailable()

    def answers(self, request: IqRequest, target: Target) -> bool:
        """Whether there is anybody to answer."""
        return (request.stanza.type, request.payload.name, target) in self._answerers

    async def answer(self, request: IqRequest, target: Target) -> Element | None:
        """Return the payload of the answer; raise the error to answer with.

        :raises ResourceConstraint: the answerer had no storage.
        :raises InternalServerError: it failed.
        """
        owner, answerer = self.find(request, target)
        try:
            return await answerer(request)
        except StanzaError:
            raise
        except Exception as error:
            event = f"iq {request.stanza.type} {request.payload.name}"
            raise self._faults.answer(owner, event, error) from error

    # Asking

    def ask(
        self, from_: Jid, to: Jid, type: str, payload: Element, timeout: float = 60.0
    ) -> tuple[Stanza, Deferred[Any]]:
        """Make a request of ours; return it, to be routed, and what fires with the answer's payload or its error."""
        self._number += 1
        id = f"xmppd-{self._number:x}"
        waiting: Deferred[Element | None] = Deferred()
        call = self._clock.callLater(timeout, self._timed_out, id)
        self._pending[id] = (to, waiting, call)
        return Stanza.build("iq", payload, to=to, from_=from_, type=type, id=id), waiting

    def take_answer(self, stanza: Stanza) -> bool:
        """Give a result or error to whoever waits for it; only what was asked for, from whom it was asked, counts."""
        pending = self._pending.get(stanza.id or "")
        if pending is None or pending[0] != stanza.from_:
            return False
        del self._pending[stanza.id or ""]
        pending[2].cancel()
        if stanza.type == "result":
            pending[1].callback(stanza.element.first)
        else:
            pending[1].errback(error_of(stanza.element))
        return True

    def _timed_out(self, id: str) -> None:
        _, waiting, _ = self._pending.pop(id)
        waiting.errback(RemoteServerTimeout("no answer in time"))
