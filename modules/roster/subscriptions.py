"""The subscription state machine of RFC 6121, Appendix A, as one table.

A subscription between an account and a contact has nine states, seen from the account. "To" is what the account knows
of the contact's presence, "From" what the contact knows of the account's; "Out" is a request of the account's that
was not answered yet, "In" one of the contact's. Two rules are worth keeping in mind:

* Only what is in the table moves a state. A stanza that does not fit the state is ignored, so that neither a forgery
  nor a late answer grants anything.
* Outbound stanzas are *routed* in nearly all states, even if nothing changes here: the other side may have another
  idea of the state (RFC 6121, 3.1.2, 3.3.2), and this is how the two come together again. Inbound ones are
  *delivered* only if they tell something new.

Pre-approval (RFC 6121, 3.4) is no state but a mark on the contact: `PRE_APPROVED` says what it changes.
"""

from enum import Enum, StrEnum
from typing import Final, NamedTuple


class State(Enum):
    """A state of a subscription: (`subscription` as the roster says it, pending out, pending in)."""

    NONE = ("none", False, False)
    NONE_OUT = ("none", True, False)
    NONE_IN = ("none", False, True)
    NONE_OUT_IN = ("none", True, True)
    TO = ("to", False, False)
    TO_IN = ("to", False, True)
    FROM = ("from", False, False)
    FROM_OUT = ("from", True, False)
    BOTH = ("both", False, False)

    def __init__(self, subscription: str, pending_out: bool, pending_in: bool) -> None:
        self.subscription = subscription
        self.pending_out = pending_out
        self.pending_in = pending_in
        self.sees = subscription in ("to", "both")
        self.is_seen = subscription in ("from", "both")


class Way(Enum):
    """Which way a stanza goes, seen from the account."""

    OUT = "outbound"
    IN = "inbound"


class Kind(StrEnum):
    """The four types of presence that are about subscriptions."""

    SUBSCRIBE = "subscribe"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBE = "unsubscribe"
    UNSUBSCRIBED = "unsubscribed"


KINDS: Final = frozenset(kind.value for kind in Kind)


class Step(NamedTuple):
    """What a stanza does in a state.

    :ivar state: the state behind it.
    :ivar passes: whether it is routed (outbound) or delivered (inbound).
    :ivar pushes: whether the roster changes as clients see it; a request that waits for their answer is not in it.
    :ivar reply: the type of presence that the server answers with in the account's name, or None.
    :ivar approved: what becomes of the mark of pre-approval, which clients see too; None leaves it.
    """

    state: State
    passes: bool
    pushes: bool = False
    reply: Kind | None = None
    approved: bool | None = None


N, NO, NI, NOI, T, TI, F, FO, B = State
_pass: Final = True
_stop: Final = False
_push: Final = True

_ROWS: Final[dict[tuple[Way, Kind], dict[State, Step]]] = {
    # A.2.1
    (Way.OUT, Kind.SUBSCRIBE): {
        N: Step(NO, _pass, _push),
        NO: Step(NO, _pass),
        NI: Step(NOI, _pass, _push),
        NOI: Step(NOI, _pass),
        T: Step(T, _pass),
        TI: Step(TI, _pass),
        F: Step(FO, _pass, _push),
        FO: Step(FO, _pass),
        B: Step(B, _pass),
    },
    # A.2.2
    (Way.OUT, Kind.UNSUBSCRIBE): {
        N: Step(N, _pass),
        NO: Step(N, _pass, _push),
        NI: Step(NI, _pass),
        NOI: Step(NI, _pass, _push),
        T: Step(N, _pass, _push),
        TI: Step(NI, _pass, _push),
        F: Step(F, _pass),
        FO: Step(F, _pass, _push),
        B: Step(F, _pass, _push),
    },
    # A.2.3; without a request it is a pre-approval (3.4.2)
    (Way.OUT, Kind.SUBSCRIBED): {
        N: Step(N, _stop, approved=True),
        NO: Step(NO, _stop, approved=True),
        NI: Step(F, _pass, _push),
        NOI: Step(FO, _pass, _push),
        T: Step(T, _stop, approved=True),
        TI: Step(B, _pass, _push),
        F: Step(F, _stop),
        FO: Step(FO, _stop),
        B: Step(B, _stop),
    },
    # A.2.4; it takes a pre-approval back too (3.4.2)
    (Way.OUT, Kind.UNSUBSCRIBED): {
        N: Step(N, _stop, approved=False),
        NO: Step(NO, _stop, approved=False),
        NI: Step(N, _pass, approved=False),
        NOI: Step(NO, _pass, approved=False),
        T: Step(T, _stop, approved=False),
        TI: Step(T, _pass, approved=False),
        F: Step(N, _pass, _push, approved=False),
        FO: Step(NO, _pass, _push, approved=False),
        B: Step(T, _pass, _push, approved=False),
    },
    # A.3.1; who is subscribed already is told so again (3.1.3)
    (Way.IN, Kind.SUBSCRIBE): {
        N: Step(NI, _pass),
        NO: Step(NOI, _pass),
        NI: Step(NI, _stop),
        NOI: Step(NOI, _stop),
        T: Step(TI, _pass),
        TI: Step(TI, _stop),
        F: Step(F, _stop, reply=Kind.SUBSCRIBED),
        FO: Step(FO, _stop, reply=Kind.SUBSCRIBED),
        B: Step(B, _stop, reply=Kind.SUBSCRIBED),
    },
    # A.3.2
    (Way.IN, Kind.UNSUBSCRIBE): {
        N: Step(N, _stop),
        NO: Step(NO, _stop),
        NI: Step(N, _pass),
        NOI: Step(NO, _pass),
        T: Step(T, _stop),
        TI: Step(T, _pass),
        F: Step(N, _pass, _push),
        FO: Step(NO, _pass, _push),
        B: Step(T, _pass, _push),
    },
    # A.3.3
    (Way.IN, Kind.SUBSCRIBED): {
        N: Step(N, _stop),
        NO: Step(T, _pass, _push),
        NI: Step(NI, _stop),
        NOI: Step(TI, _pass, _push),
        T: Step(T, _stop),
        TI: Step(TI, _stop),
        F: Step(F, _stop),
        FO: Step(B, _pass, _push),
        B: Step(B, _stop),
    },
    # A.3.4
    (Way.IN, Kind.UNSUBSCRIBED): {
        N: Step(N, _stop),
        NO: Step(N, _pass, _push),
        NI: Step(NI, _stop),
        NOI: Step(NI, _pass, _push),
        T: Step(N, _pass, _push),
        TI: Step(NI, _pass, _push),
        F: Step(F, _stop),
        FO: Step(F, _pass, _push),
        B: Step(F, _pass, _push),
    },
}

TABLE: Final[dict[tuple[Way, Kind, State], Step]] = {
    (way, kind, state): step for (way, kind), row in _ROWS.items() for state, step in row.items()
}

PRE_APPROVED: Final[dict[State, Step]] = {
    N: Step(F, _stop, _push, reply=Kind.SUBSCRIBED),
    NO: Step(FO, _stop, _push, reply=Kind.SUBSCRIBED),
    T: Step(B, _stop, _push, reply=Kind.SUBSCRIBED),
}
"""What an inbound `subscribe` does if it was approved beforehand (RFC 6121, 3.4.2)."""


def step(way: Way, kind: Kind, state: State, approved: bool = False) -> Step:
    """Look up what a stanza does.

    :param approved: whether the contact is pre-approved.
    """
    if approved and way is Way.IN and kind is Kind.SUBSCRIBE and state in PRE_APPROVED:
        return PRE_APPROVED[state]
    found = TABLE[way, kind, state]
    changes_mark = found.approved not in (None, approved)
    return found._replace(pushes=True) if changes_mark else found
