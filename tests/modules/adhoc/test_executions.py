"""XEP-0050, Session Lifetime, and the errors that sessions have."""

import pytest
from twisted.internet.task import Clock

from xmppd.modules.adhoc.executions import LIFETIME, MOST, Executions
from xmppd.protocol.errors import BadRequest, NotAllowed
from xmppd.protocol.jid import Jid

BARD = Jid.parse("bard@shakespeare.example/globe")
HERE = Jid.parse("shakespeare.example")
NODE = "config"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def executions(clock: Clock) -> Executions:
    return Executions(clock)


def is_over(executions: Executions, session: str) -> bool:
    """Whether a request with that session is told that it is over."""
    try:
        executions.take(session, BARD, HERE, NODE)
    except NotAllowed as error:
        assert error.specific is not None
        assert error.specific.local == "session-expired"
        return True
    return False


def test_unique(executions: Executions) -> None:
    """It is the responder's responsibility to ensure that each id is unique."""
    ids = {executions.new_id(BARD, HERE, NODE) for _ in range(100)}
    assert len(ids) == 100


def test_one_answer(executions: Executions) -> None:
    """A session goes on once for each form that was shown."""
    session = executions.new_id(BARD, HERE, NODE)
    assert is_over(executions, session), "it never waited"
    executions.keep(session)
    assert not is_over(executions, session)
    assert is_over(executions, session)


def test_timed_out(executions: Executions, clock: Clock) -> None:
    """A session that was left alone is over; the time runs from the last form."""
    session = executions.new_id(BARD, HERE, NODE)
    executions.keep(session)
    clock.advance(LIFETIME)
    assert not is_over(executions, session)
    executions.keep(session)
    clock.advance(LIFETIME + 1)
    assert is_over(executions, session)


@pytest.mark.parametrize(
    ("caller", "target", "node"),
    [
        (BARD.bare, HERE, NODE),
        (Jid.parse("bard@shakespeare.example/home"), HERE, NODE),
        (BARD, Jid.parse("capulet.example"), NODE),
        (BARD, HERE, "reset"),
    ],
)
def test_between_one_pair(executions: Executions, caller: Jid, target: Jid, node: str) -> None:
    """An id is valid between one requester and one responder, for one command; trying does not end the session."""
    session = executions.new_id(BARD, HERE, NODE)
    executions.keep(session)
    with pytest.raises(BadRequest) as caught:
        executions.take(session, caller, target, node)
    assert caught.value.specific is not None
    assert caught.value.specific.local == "bad-sessionid"
    assert not is_over(executions, session)


@pytest.mark.parametrize(
    "session", ["", ".", "config:20020923T213616Z-700", "AAAA.\u00e9", "AAAA.000000000000000000000000"]
)
def test_invented(executions: Executions, session: str) -> None:
    """An id that was never given is no session that is over."""
    with pytest.raises(BadRequest):
        executions.take(session, BARD, HERE, NODE)


def test_memory_is_bounded(executions: Executions) -> None:
    """Of too many sessions the oldest are over."""
    sessions = [executions.new_id(BARD, HERE, NODE) for _ in range(MOST + 2)]
    for session in sessions:
        executions.keep(session)
    assert [is_over(executions, session) for session in sessions[:3]] == [True, True, False]
