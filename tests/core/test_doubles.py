"""Stand-ins for sessions."""

from tests.scenario.server import Server
from xmppd.core.doubles import Doubles, Recorder
from xmppd.core.session import SessionKey
from xmppd.core.trace import Trace
from xmppd.protocol.errors import StreamError
from xmppd.protocol.jid import Jid

ROMEO = Jid("romeo@montague.example/orchard")
JULIET = Jid("juliet@capulet.example/balcony")
NOTE = SessionKey("note", "")


def test_they_know_what_the_real_ones_know(server: Server) -> None:
    """Presence, notes and addresses; what is done to them is not done to the real ones."""
    client = server.online(ROMEO, peer_address="192.0.2.7")
    real = server.node.sessions.at(ROMEO)
    assert real is not None
    real[NOTE] = "mine"
    trace = Trace()
    doubles = Doubles(trace, server.node.sessions)
    double = doubles.at(ROMEO)
    assert double is not None
    assert double is not real
    assert doubles.at(ROMEO) is double
    assert double.is_available
    assert double.wire.peer_address == "192.0.2.7"
    assert double[NOTE] == "mine"
    double[NOTE] = "other"
    double.presence = None
    assert double.wire.write_stanza(b"<message/>")
    double.wire.close(StreamError("policy-violation"))
    assert (real[NOTE], real.is_available) == ("mine", True)
    client.receives_nothing()
    assert [step.outcome for step in trace.steps] == [
        f"delivers to {ROMEO}: <message/>",
        f"ends the stream of {ROMEO}: policy-violation",
    ]


def test_they_are_as_many(server: Server) -> None:
    """Whoever counts or lists sessions finds all of them, and those that came and went since."""
    server.online(ROMEO)
    server.connect(JULIET)
    doubles = Doubles(Trace(), server.node.sessions)
    assert {session.jid for session in doubles} == {ROMEO, JULIET}
    assert (len(doubles), doubles.accounts()) == (2, 2)
    assert [session.jid for session in doubles.available(ROMEO.bare)] == [ROMEO]
    assert doubles.available(JULIET.bare) == []
    gone = doubles.at(JULIET)
    assert gone is not None
    doubles.remove(gone)
    assert doubles.of(JULIET.bare) == ()
    assert server.node.sessions.at(JULIET) is not None


def test_somebody_who_is_not_connected(server: Server) -> None:
    """Is made a session, once."""
    doubles = Doubles(Trace(), server.node.sessions)
    session = doubles.enter(ROMEO)
    assert doubles.enter(ROMEO) is session
    assert not session.is_available
    assert isinstance(session.wire, Recorder)
    assert (session.wire.secure, session.wire.connected_at) == (True, 0.0)
    session.wire.close()
