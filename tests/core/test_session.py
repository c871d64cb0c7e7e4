"""A session, and the notes that modules keep on it."""

from typing import Any

from xmppd.core.session import Session, SessionKey
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

WIRE: Any = None


def test_addresses() -> None:
    """A session knows its account and its resource, which are parts of one address."""
    session = Session(Jid("juliet@capulet.example/balcony"), WIRE)
    assert session.account == "juliet@capulet.example"
    assert session.account is session.jid.bare
    assert session.resource == "balcony"
    assert not session.is_anonymous
    assert repr(session) == "<Session juliet@capulet.example/balcony>"


def test_notes() -> None:
    """A note has its default until it is set, and belongs to one session and one key, whatever that is called."""
    enabled, other = SessionKey("carbons", False), SessionKey("carbons", False)
    one = Session(Jid("juliet@capulet.example/balcony"), WIRE)
    two = Session(Jid("juliet@capulet.example/chamber"), WIRE)
    assert one[enabled] is False
    one[enabled] = True
    assert one[enabled] is True
    assert one[other] is False
    assert two[enabled] is False
    assert repr(enabled) == "SessionKey('carbons')"


def test_availability() -> None:
    """RFC 6121, 4.2: a session is unavailable until it broadcast presence."""
    session = Session(Jid("juliet@capulet.example/balcony"), WIRE)
    assert not session.is_available
    session.presence = Stanza("presence", E("{jabber:client}presence"), None, session.jid, "")
    assert session.is_available
    assert session.priority == 0
    assert session.directed is None


def test_double() -> None:
    """A double knows what the session knows, and goes its own way from there."""
    note, other = SessionKey("note", ""), object()
    session = Session(Jid("juliet@capulet.example/balcony"), WIRE, is_anonymous=True)
    session.presence, session.priority = Stanza.build("presence", to=None, from_=session.jid), 5
    session.is_interested, session.directed = True, {Jid("romeo@montague.example")}
    session[note] = "mine"
    wire: Any = other
    double = session.double(wire)
    assert (double.jid, double.wire, double.is_anonymous) == (session.jid, other, True)
    assert (double.presence, double.priority, double.is_interested) == (session.presence, 5, True)
    assert (double.directed, double[note]) == (session.directed, "mine")
    double[note] = "other"
    double.directed.clear()  # type: ignore[union-attr]
    assert (session[note], len(session.directed)) == ("mine", 1)
    assert Session(Jid("a@b.example/c"), WIRE).double(wire).directed is None
