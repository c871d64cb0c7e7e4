"""Who is connected, and who is about to be."""

from typing import Any

from xmppd.core.session import Session
from xmppd.core.sessions import Sessions
from xmppd.protocol.element import E
from xmppd.protocol.errors import StreamError
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

JULIET = Jid("juliet@capulet.example")


class Wire:
    """A stream that only ends."""

    def __init__(self, sessions: Sessions | None = None) -> None:
        self.errors: list[Any] = []
        self.sessions = sessions
        self.session: Session | None = None

    def close(self, error: StreamError | None = None) -> None:
        self.errors.append(error)
        if self.sessions is not None and self.session is not None:
            self.sessions.remove(self.session)
        if self.sessions is not None:
            self.sessions.expect_no_more(JULIET, self)  # type: ignore[arg-type]


def session(resource: str, wire: Any = None) -> Session:
    return Session(JULIET.with_resource(resource), wire or Wire())


def test_order() -> None:
    """An account's sessions are in the order in which they were bound."""
    sessions = Sessions()
    one, two = session("1"), session("2")
    for one_of_them in (one, two):
        sessions.add(one_of_them)
    assert list(sessions.of(JULIET)) == [one, two]
    assert sessions.at(Jid("juliet@capulet.example/2")) is two
    assert sessions.at(Jid("juliet@capulet.example/3")) is None
    assert sessions.at(Jid("nurse@capulet.example/2")) is None
    assert list(sessions) == [one, two]
    assert (len(sessions), sessions.accounts()) == (2, 1)


def test_removal() -> None:
    """Who is taken out twice was there once; the last one takes the account along."""
    sessions = Sessions()
    one, two = session("1"), session("1")
    sessions.add(one)
    assert not sessions.remove(two), "another session of the same resource is another session"
    assert sessions.remove(one)
    assert not sessions.remove(one)
    assert (len(sessions), sessions.accounts(), list(sessions.of(JULIET))) == (0, 0, [])


def test_safe_to_iterate() -> None:
    """What was returned does not change while its reader waits."""
    sessions = Sessions()
    one = session("1")
    sessions.add(one)
    before = sessions.of(JULIET)
    sessions.add(session("2"))
    sessions.remove(one)
    assert list(before) == [one]


def test_available() -> None:
    """RFC 6121, 4.2: a resource is available once it sent presence."""
    sessions = Sessions()
    one, two = session("1"), session("2")
    sessions.add(one)
    sessions.add(two)
    two.presence = Stanza("presence", E("{jabber:client}presence"), None, two.jid, "")
    assert sessions.available(JULIET) == [two]
    assert sessions.available("nobody@capulet.example") == []


def test_close() -> None:
    """All sessions of the account end, and what was to become one; others go on."""
    sessions = Sessions()
    wires = [Wire(sessions) for _ in range(3)]
    for number, wire in enumerate(wires[:2]):
        wire.session = session(str(number), wire)
        sessions.add(wire.session)
    sessions.expect(JULIET, wires[2])  # type: ignore[arg-type]
    other = Wire()
    sessions.add(Session(Jid("nurse@capulet.example/kitchen"), other))  # type: ignore[arg-type]
    error = StreamError("policy-violation")
    assert sessions.close(JULIET, error) == 2
    assert [wire.errors for wire in wires] == [[error]] * 3
    assert other.errors == []
    assert sessions.close(JULIET, error) == 0
    assert len(sessions) == 1


def test_expectation_ends() -> None:
    """A stream whose session was added, or that is gone, is expected no more; that may be said twice."""
    sessions = Sessions()
    wire: Any = Wire()
    sessions.expect(JULIET, wire)
    sessions.expect_no_more(JULIET, wire)
    sessions.expect_no_more(JULIET, wire)
    sessions.close(JULIET, StreamError("conflict"))
    assert wire.errors == []
