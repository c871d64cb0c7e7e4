"""RFC 6121, Appendix A: every stanza in every state.

The tables stand here as they stand in the appendix, in its words and not in those of the code: the state, whether the stanza
is routed (outbound) or delivered (inbound), and the new state ("same" where it does not change).
"""

import pytest

from xmppd.modules.roster.subscriptions import KINDS, PRE_APPROVED, TABLE, Kind, State, Step, Way, step

NAMES = {
    "None": State.NONE,
    "None + Pending Out": State.NONE_OUT,
    "None + Pending In": State.NONE_IN,
    "None + Pending Out+In": State.NONE_OUT_IN,
    "To": State.TO,
    "To + Pending In": State.TO_IN,
    "From": State.FROM,
    "From + Pending Out": State.FROM_OUT,
    "Both": State.BOTH,
}

APPENDIX = {
    (Way.OUT, Kind.SUBSCRIBE): """
        None                  | yes | None + Pending Out
        None + Pending Out    | yes | same
        None + Pending In     | yes | None + Pending Out+In
        None + Pending Out+In | yes | same
        To                    | yes | same
        To + Pending In       | yes | same
        From                  | yes | From + Pending Out
        From + Pending Out    | yes | same
        Both                  | yes | same""",
    (Way.OUT, Kind.UNSUBSCRIBE): """
        None                  | yes | same
        None + Pending Out    | yes | None
        None + Pending In     | yes | same
        None + Pending Out+In | yes | None + Pending In
        To                    | yes | None
        To + Pending In       | yes | None + Pending In
        From                  | yes | same
        From + Pending Out    | yes | From
        Both                  | yes | From""",
    (Way.OUT, Kind.SUBSCRIBED): """
        None                  | no  | same
        None + Pending Out    | no  | same
        None + Pending In     | yes | From
        None + Pending Out+In | yes | From + Pending Out
        To                    | no  | same
        To + Pending In       | yes | Both
        From                  | no  | same
        From + Pending Out    | no  | same
        Both                  | no  | same""",
    (Way.OUT, Kind.UNSUBSCRIBED): """
        None                  | no  | same
        None + Pending Out    | no  | same
        None + Pending In     | yes | None
        None + Pending Out+In | yes | None + Pending Out
        To                    | no  | same
        To + Pending In       | yes | To
        From                  | yes | None
        From + Pending Out    | yes | None + Pending Out
        Both                  | yes | To""",
    (Way.IN, Kind.SUBSCRIBE): """
        None                  | yes | None + Pending In
        None + Pending Out    | yes | None + Pending Out+In
        None + Pending In     | no  | same
        None + Pending Out+In | no  | same
        To                    | yes | To + Pending In
        To + Pending In       | no  | same
        From                  | no  | same
        From + Pending Out    | no  | same
        Both                  | no  | same""",
    (Way.IN, Kind.UNSUBSCRIBE): """
        None                  | no  | same
        None + Pending Out    | no  | same
        None + Pending In     | yes | None
        None + Pending Out+In | yes | None + Pending Out
        To                    | no  | same
        To + Pending In       | yes | To
        From                  | yes | None
        From + Pending Out    | yes | None + Pending Out
        Both                  | yes | To""",
    (Way.IN, Kind.SUBSCRIBED): """
        None                  | no  | same
        None + Pending Out    | yes | To
        None + Pending In     | no  | same
        None + Pending Out+In | yes | To + Pending In
        To                    | no  | same
        To + Pending In       | no  | same
        From                  | no  | same
        From + Pending Out    | yes | Both
        Both                  | no  | same""",
    (Way.IN, Kind.UNSUBSCRIBED): """
        None                  | no  | same
        None + Pending Out    | yes | None
        None + Pending In     | no  | same
        None + Pending Out+In | yes | None + Pending In
        To                    | yes | None
        To + Pending In       | yes | None + Pending In
        From                  | no  | same
        From + Pending Out    | yes | From
        Both                  | yes | From""",
}


def rows() -> list[tuple[Way, Kind, State, bool, State]]:
    """Return the appendix row by row."""
    found = []
    for (way, kind), text in APPENDIX.items():
        for line in text.strip().splitlines():
            before, passes, after = (part.strip() for part in line.split("|"))
            state = NAMES[before]
            found.append((way, kind, state, passes == "yes", state if after == "same" else NAMES[after]))
    return found


@pytest.mark.parametrize(("way", "kind", "before", "passes", "after"), rows())
def test_appendix(way: Way, kind: Kind, before: State, passes: bool, after: State) -> None:
    """Each row of the appendix: the new state, and whether the stanza goes on."""
    taken = step(way, kind, before)
    assert taken.state is after
    assert taken.passes is passes


def test_every_cell_is_told() -> None:
    """Eight stanzas in nine states, all of them in the table and in the appendix."""
    cells = {(way, kind, state) for way in Way for kind in Kind for state in State}
    assert set(TABLE) == cells
    assert {row[:3] for row in rows()} == cells
    assert {"subscribe", "subscribed", "unsubscribe", "unsubscribed"} == KINDS


@pytest.mark.parametrize(("way", "kind", "state"), list(TABLE))
def test_push_tells_what_clients_see(way: Way, kind: Kind, state: State) -> None:
    """2.1.6: there is a push if subscription or ask changes; a request that waits for the user is not in the roster."""
    taken = step(way, kind, state)
    was, became = (state.subscription, state.pending_out), (taken.state.subscription, taken.state.pending_out)
    pre_approves = way is Way.OUT and kind is Kind.SUBSCRIBED and state in (State.NONE, State.NONE_OUT, State.TO)
    assert taken.pushes is (was != became or pre_approves)


@pytest.mark.parametrize(("way", "kind", "state"), list(TABLE))
def test_only_a_subscriber_is_answered_by_the_server(way: Way, kind: Kind, state: State) -> None:
    """3.1.3: who asks for what it has is answered in the user's name, and nothing else is."""
    expected = Kind.SUBSCRIBED if way is Way.IN and kind is Kind.SUBSCRIBE and state.is_seen else None
    assert step(way, kind, state).reply is expected


# 3.4


@pytest.mark.parametrize("state", [State.NONE, State.NONE_OUT, State.TO])
def test_pre_approval(state: State) -> None:
    """3.4.2: an approval nobody asked for is noted, pushed and kept to ourselves; saying it again changes nothing."""
    assert step(Way.OUT, Kind.SUBSCRIBED, state) == Step(state, False, True, approved=True)
    assert not step(Way.OUT, Kind.SUBSCRIBED, state, approved=True).pushes


@pytest.mark.parametrize(
    ("state", "after"),
    [(State.NONE, State.FROM), (State.NONE_OUT, State.FROM_OUT), (State.TO, State.BOTH)],
)
def test_request_of_a_pre_approved_contact(state: State, after: State) -> None:
    """3.4.2: it is granted at once, and no client is asked."""
    taken = step(Way.IN, Kind.SUBSCRIBE, state, approved=True)
    assert taken == Step(after, False, True, reply=Kind.SUBSCRIBED)


@pytest.mark.parametrize("state", [state for state in State if state not in PRE_APPROVED])
def test_pre_approval_means_nothing_in_other_states(state: State) -> None:
    """3.4.2: who waits already is the user's to answer, who is subscribed is subscribed."""
    assert step(Way.IN, Kind.SUBSCRIBE, state, approved=True) == step(Way.IN, Kind.SUBSCRIBE, state)


@pytest.mark.parametrize("state", State)
def test_pre_approval_is_taken_back(state: State) -> None:
    """3.4.2: "unsubscribed" takes it back in every state, and clients see that."""
    taken = step(Way.OUT, Kind.UNSUBSCRIBED, state, approved=True)
    assert taken.approved is False
    assert taken.pushes
    assert taken.state is step(Way.OUT, Kind.UNSUBSCRIBED, state).state
