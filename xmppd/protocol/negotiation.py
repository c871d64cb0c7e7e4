"""What may come when: the states of a client's stream as one table.

There are two dimensions, kept apart on purpose: whether the bytes are inside a stream (the header was read, and the
features were sent) is the stream's own business; *how far the negotiation got* is said here. A restart (RFC 6120,
4.3.3) does not change the state: it is the consequence of a transition.

Rules:

* everything that decides what an element means at its moment lives in this table;
* an input that a state does not list is refused and changes nothing: the driver hears of it as a `StreamError`;
* STARTTLS in any state but PLAIN, a second authentication, or a stanza before `BOUND` is thus impossible, not checked
  for.
"""

from enum import Enum, auto
from typing import Final

from .errors import StreamError


class State(Enum):
    """How far a client's stream was negotiated."""

    PLAIN = auto()  # no TLS yet
    SECURED = auto()  # TLS, or a listener that does without
    AUTHENTICATING = auto()  # a SASL exchange is going on
    EXCHANGING = auto()  # the same by SASL2 (XEP-0388)
    TASK_DUE = auto()  # its exchange has succeeded, and a task is to be done
    TASK = auto()  # that is going on
    REFUSED = auto()  # the task came to nothing, and nobody may authenticate again
    AUTHENTICATED = auto()  # the account is known
    BOUND = auto()  # the resource is known: stanzas flow
    CLOSED = auto()

    __hash__ = object.__hash__  # Enum's own is Python, and each input looks up two


class Input(Enum):
    """What the other side did, or what the driver answered."""

    STARTTLS = auto()
    AUTH = auto()
    RESPONSE = auto()
    ABORT = auto()
    AUTHENTICATE = auto()  # with these, SASL2's; what follows counts for both
    RESPONSE_2 = auto()
    ABORT_2 = auto()
    CONTINUE = auto()
    NEXT = auto()
    TASK_DATA = auto()
    SUCCESS = auto()
    FAILURE = auto()
    REQUEST = auto()  # an IQ before authentication: in-band registration (XEP-0077)
    BIND = auto()
    RESUME = auto()  # an earlier session goes on, with its resource (XEP-0198)
    STANZA = auto()
    NONZA = auto()
    CLOSE = auto()

    __hash__ = object.__hash__


TRANSITIONS: Final[dict[State, dict[Input, State]]] = {
    State.PLAIN: {Input.STARTTLS: State.SECURED},
    State.SECURED: {
        Input.AUTH: State.AUTHENTICATING,
        Input.AUTHENTICATE: State.EXCHANGING,
        Input.REQUEST: State.SECURED,
    },
    State.AUTHENTICATING: {
        Input.RESPONSE: State.AUTHENTICATING,
        Input.SUCCESS: State.AUTHENTICATED,
        Input.FAILURE: State.SECURED,
        Input.ABORT: State.SECURED,
    },
    State.EXCHANGING: {
        Input.RESPONSE_2: State.EXCHANGING,
        Input.CONTINUE: State.TASK_DUE,
        Input.SUCCESS: State.AUTHENTICATED,
        Input.FAILURE: State.SECURED,
        Input.ABORT_2: State.SECURED,
    },
    State.TASK_DUE: {Input.NEXT: State.TASK, Input.ABORT_2: State.REFUSED},
    State.TASK: {
        Input.TASK_DATA: State.TASK,
        Input.CONTINUE: State.TASK_DUE,
        Input.SUCCESS: State.AUTHENTICATED,
        Input.FAILURE: State.REFUSED,
        Input.ABORT_2: State.REFUSED,
    },
    State.REFUSED: {},
    State.AUTHENTICATED: {
        Input.BIND: State.BOUND,
        Input.RESUME: State.BOUND,
        Input.NONZA: State.AUTHENTICATED,
    },
    State.BOUND: {Input.STANZA: State.BOUND, Input.NONZA: State.BOUND},
    State.CLOSED: {},
}
for row in TRANSITIONS.values():  # either side may close at any time
    row[Input.CLOSE] = State.CLOSED


class Negotiation:
    """The state of one stream.

    :ivar plain_allowed: whether what is for SECURED may come in PLAIN, too; False for good once TLS is on, so that
        nothing leads back to PLAIN from there.
    """

    __slots__ = ("plain_allowed", "state")

    def __init__(self, state: State = State.PLAIN, *, plain_allowed: bool = False) -> None:
        self.state = state
        self.plain_allowed = plain_allowed and state is State.PLAIN

    def accept(self, given: Input) -> State:
        """Take one input; return the new state, or raise `StreamError` and stay."""
        state = self.state
        if state is State.PLAIN and self.plain_allowed and given is not Input.STARTTLS:
            state = State.SECURED
        try:
            after = TRANSITIONS[state][given]
        except KeyError:
            raise refusal(self.state, given) from None
        if given is Input.STARTTLS:
            self.plain_allowed = False
        elif after is State.SECURED and self.plain_allowed:
            after = State.PLAIN  # a failed try without TLS leaves the choice to begin it
        self.state = after
        return after


AUTHENTICATED_ONCE: Final = (State.TASK_DUE, State.TASK, State.REFUSED, State.AUTHENTICATED, State.BOUND)
"""From here on nobody authenticates again: RFC 6120, 6.3.1, and XEP-0388, Multiple Authentication."""


def refusal(state: State, given: Input) -> StreamError:
    """Return the stream error for an input that a state does not list."""
    if state is State.PLAIN and given in (Input.AUTH, Input.AUTHENTICATE, Input.REQUEST):
        return StreamError("policy-violation", "TLS is required first")
    if state in AUTHENTICATED_ONCE and given in (Input.AUTH, Input.AUTHENTICATE, Input.STARTTLS, Input.BIND):
        return StreamError("policy-violation", f"{given.name.lower()} came twice or too late")
    if given in (Input.STANZA, Input.REQUEST):
        return StreamError("not-authorized", "no stanza may come before a resource is bound")  # RFC 6120, 7.1
    return StreamError("not-authorized", f"{given.name.lower()} cannot come now")
