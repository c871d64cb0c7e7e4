"""What a client's stream tells its driver.

Most of them want an answer, as they say; until the driver has given it, `Stream.next_event` returns None, whatever more
has been received (h11 calls that PAUSED): no later byte is read before its state exists.
"""

from dataclasses import dataclass

from . import sasl2
from .element import Element


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """A stream header came. Answer with `Stream.open` (or `Stream.fail`).

    :ivar to: the host asked for, as written, or None.
    :ivar lang: the stream's language, or None.
    :ivar from_: who the client says it is, as written, or None.
    """

    to: str | None
    lang: str | None
    from_: str | None = None


@dataclass(frozen=True, slots=True)
class StartTlsRequested:
    """`<starttls/>` came. Answer with `Stream.proceed`, then make the connection secure."""


@dataclass(frozen=True, slots=True)
class AuthStarted:
    """`<auth/>` came: answer with `challenge`, `succeed` or `refuse`.

    :ivar mechanism: its name as written.
    :ivar text: the initial response in base64; None if there was none, "=" if it was empty.
    """

    mechanism: str
    text: str | None


@dataclass(frozen=True, slots=True)
class AuthenticateStarted:
    """`<authenticate/>` came (XEP-0388): answer with `challenge`, `ask_for`, `complete` or `refuse`."""

    request: sasl2.Authenticate


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """`<response/>` came, in either profile: answer as to what began the exchange. `text` is base64."""

    text: str


@dataclass(frozen=True, slots=True)
class AuthAborted:
    """`<abort/>` came; the stream has answered, and the exchange is over."""


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """`<next/>` came: the client begins a task (XEP-0388). Answer with `send_task_data` or `refuse`.

    :ivar task: its name as written.
    """

    task: str


@dataclass(frozen=True, slots=True)
class TaskDataReceived:
    """`<task-data/>` came. Answer with `send_task_data`, `ask_for`, `complete` or `refuse`."""

    element: Element


@dataclass(frozen=True, slots=True)
class RequestBeforeLogin:
    """An IQ get or set came before authentication. Answer with `Stream.answer`."""

    element: Element


@dataclass(frozen=True, slots=True)
class BindRequested:
    """A resource is to be bound. Answer with `bind` or `answer` (an error; the client may try again).

    :ivar element: the IQ.
    :ivar resource: the resource asked for; None leaves the choice to the server.
    """

    element: Element
    resource: str | None


@dataclass(frozen=True, slots=True)
class NonzaReceived:
    """An element that is no stanza came behind authentication and before a resource is bound (XEP-0360).

    Answer with `Stream.say`, or, if it makes the stream go on with an earlier session, with `Stream.resume`.
    """

    element: Element


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The other side closed its stream; ours is closed, too."""


StreamEvent = (
    StreamStarted | StartTlsRequested | AuthStarted | AuthenticateStarted | AuthResponse | AuthAborted | TaskStarted
    | TaskDataReceived | RequestBeforeLogin | BindRequested | NonzaReceived | StreamEnded
)  # fmt: skip
