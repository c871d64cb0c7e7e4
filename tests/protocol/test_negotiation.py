"""The table of a client's stream, whole: every state with every input."""

import pytest

from xmppd.protocol.errors import StreamError
from xmppd.protocol.negotiation import Input, Negotiation, State, refusal

S, I = State, Input  # noqa: E741
ALLOWED = {
    (S.PLAIN, I.STARTTLS): S.SECURED,
    (S.SECURED, I.AUTH): S.AUTHENTICATING,
    (S.SECURED, I.REQUEST): S.SECURED,
    (S.AUTHENTICATING, I.RESPONSE): S.AUTHENTICATING,
    (S.AUTHENTICATING, I.SUCCESS): S.AUTHENTICATED,
    (S.AUTHENTICATING, I.FAILURE): S.SECURED,
    (S.AUTHENTICATING, I.ABORT): S.SECURED,
    (S.SECURED, I.AUTHENTICATE): S.EXCHANGING,
    (S.EXCHANGING, I.RESPONSE_2): S.EXCHANGING,
    (S.EXCHANGING, I.CONTINUE): S.TASK_DUE,
    (S.EXCHANGING, I.SUCCESS): S.AUTHENTICATED,
    (S.EXCHANGING, I.FAILURE): S.SECURED,
    (S.EXCHANGING, I.ABORT_2): S.SECURED,
    (S.TASK_DUE, I.NEXT): S.TASK,
    (S.TASK_DUE, I.ABORT_2): S.REFUSED,
    (S.TASK, I.TASK_DATA): S.TASK,
    (S.TASK, I.CONTINUE): S.TASK_DUE,
    (S.TASK, I.SUCCESS): S.AUTHENTICATED,
    (S.TASK, I.FAILURE): S.REFUSED,
    (S.TASK, I.ABORT_2): S.REFUSED,
    (S.AUTHENTICATED, I.BIND): S.BOUND,
    (S.AUTHENTICATED, I.RESUME): S.BOUND,
    (S.AUTHENTICATED, I.NONZA): S.AUTHENTICATED,
    (S.BOUND, I.STANZA): S.BOUND,
    (S.BOUND, I.NONZA): S.BOUND,
    **{(state, I.CLOSE): S.CLOSED for state in S},
}
PLAIN_ALLOWED = {
    (S.PLAIN, I.STARTTLS): S.SECURED,
    (S.PLAIN, I.AUTH): S.AUTHENTICATING,
    (S.PLAIN, I.AUTHENTICATE): S.EXCHANGING,
    (S.PLAIN, I.REQUEST): S.PLAIN,
    (S.PLAIN, I.CLOSE): S.CLOSED,
    (S.AUTHENTICATING, I.RESPONSE): S.AUTHENTICATING,
    (S.AUTHENTICATING, I.SUCCESS): S.AUTHENTICATED,
    (S.AUTHENTICATING, I.FAILURE): S.PLAIN,
    (S.AUTHENTICATING, I.ABORT): S.PLAIN,
    (S.AUTHENTICATING, I.CLOSE): S.CLOSED,
    (S.EXCHANGING, I.RESPONSE_2): S.EXCHANGING,
    (S.EXCHANGING, I.CONTINUE): S.TASK_DUE,
    (S.EXCHANGING, I.SUCCESS): S.AUTHENTICATED,
    (S.EXCHANGING, I.FAILURE): S.PLAIN,
    (S.EXCHANGING, I.ABORT_2): S.PLAIN,
    (S.EXCHANGING, I.CLOSE): S.CLOSED,
}
EVERYTHING = [(state, given) for state in S for given in I]


@pytest.mark.parametrize(("state", "given"), EVERYTHING, ids=lambda value: value.name)
def test_table(state: State, given: Input) -> None:
    """What is listed leads on; everything else is refused and changes nothing."""
    negotiation = Negotiation(state)
    after = ALLOWED.get((state, given))
    if after is not None:
        assert negotiation.accept(given) is after
        assert negotiation.state is after
        return
    with pytest.raises(StreamError):
        negotiation.accept(given)
    assert negotiation.state is state


@pytest.mark.parametrize("given", I, ids=lambda value: value.name)
@pytest.mark.parametrize("state", [S.PLAIN, S.AUTHENTICATING, S.EXCHANGING], ids=lambda value: value.name)
def test_table_of_a_listener_that_does_not_require_tls(state: State, given: Input) -> None:
    """Authentication and requests may come in the clear; a failure leaves the choice to begin TLS."""
    negotiation = Negotiation(plain_allowed=True)
    negotiation.state = state
    after = PLAIN_ALLOWED.get((state, given))
    if after is not None:
        assert negotiation.accept(given) is after
        return
    with pytest.raises(StreamError):
        negotiation.accept(given)
    assert negotiation.state is state


@pytest.mark.parametrize("ends", [I.FAILURE, I.ABORT], ids=lambda value: value.name)
@pytest.mark.parametrize("direct", [False, True])
def test_tls_is_for_good(direct: bool, ends: Input) -> None:
    """A failed authentication on a stream that has TLS does not make it a stream that could begin TLS."""
    negotiation = Negotiation(S.SECURED if direct else S.PLAIN, plain_allowed=True)
    if not direct:
        negotiation.accept(I.STARTTLS)
    negotiation.accept(I.REQUEST)
    negotiation.accept(I.AUTH)
    negotiation.accept(ends)
    assert negotiation.state is S.SECURED
    with pytest.raises(StreamError):
        negotiation.accept(I.STARTTLS)


@pytest.mark.parametrize(
    ("state", "given", "condition"),
    [
        (S.PLAIN, I.AUTH, "policy-violation"),
        (S.PLAIN, I.REQUEST, "policy-violation"),
        (S.PLAIN, I.STANZA, "not-authorized"),
        (S.SECURED, I.STANZA, "not-authorized"),
        (S.SECURED, I.RESPONSE, "not-authorized"),
        (S.AUTHENTICATING, I.AUTH, "not-authorized"),
        (S.AUTHENTICATING, I.REQUEST, "not-authorized"),
        (S.AUTHENTICATED, I.STANZA, "not-authorized"),
        (S.AUTHENTICATED, I.REQUEST, "not-authorized"),
        (S.AUTHENTICATED, I.AUTH, "policy-violation"),
        (S.PLAIN, I.AUTHENTICATE, "policy-violation"),
        (S.AUTHENTICATING, I.RESPONSE_2, "not-authorized"),
        (S.EXCHANGING, I.RESPONSE, "not-authorized"),
        (S.EXCHANGING, I.STANZA, "not-authorized"),
        (S.TASK_DUE, I.AUTHENTICATE, "policy-violation"),
        (S.TASK, I.AUTHENTICATE, "policy-violation"),
        (S.REFUSED, I.AUTHENTICATE, "policy-violation"),
        (S.REFUSED, I.NEXT, "not-authorized"),
        (S.AUTHENTICATED, I.AUTHENTICATE, "policy-violation"),
        (S.AUTHENTICATED, I.STARTTLS, "policy-violation"),
        (S.BOUND, I.BIND, "policy-violation"),
    ],
)
def test_conditions(state: State, given: Input, condition: str) -> None:
    """RFC 6120, 7.1 and 4.9.3: stanzas before resource binding are not authorised, repeated negotiation is a violation."""
    assert refusal(state, given).condition == condition
