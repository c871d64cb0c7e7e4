"""What is held back: in order, the last of its kind, and never too much."""

from typing import Any

import pytest

from xmppd.config.schema import Size
from xmppd.core.session import Session
from xmppd.modules.client_state.held import ClientStateMetrics, Config, Held
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza

JULIET = Jid("juliet@capulet.example/phone")
ROMEO, NURSE = Jid("romeo@montague.example/orchard"), Jid("nurse@capulet.example/hall")


class Wire:
    """Keeps what is written.

    :ivar acknowledges: whether the client says what it has.
    """

    def __init__(self) -> None:
        self.written: list[tuple[bytes, int]] = []
        self.acknowledges = False
        self.is_connected = True
        self.takes = True

    def write_stanza(self, data: bytes, row: int = 0) -> bool:
        if self.takes:
            self.written.append((data, row))
        return self.takes


def presence(from_: Jid, show: str) -> Stanza:
    return Stanza.build("presence", E("{jabber:client}show", show), to=JULIET, from_=from_)


def receipt(id: str) -> Stanza:
    return Stanza.build("message", E("{urn:xmpp:receipts}received", id=id), to=JULIET, from_=ROMEO, type="chat")


def state() -> Stanza:
    inner = E("{http://jabber.org/protocol/chatstates}composing")
    return Stanza.build("message", inner, to=JULIET, from_=ROMEO, type="chat")


BODY = Stanza.build("message", E("{jabber:client}body", "Ay me!"), to=JULIET, from_=ROMEO, type="chat")


class TestHeld:
    """One inactive session."""

    @pytest.fixture(autouse=True)
    def session(self) -> None:
        self.wire: Any = Wire()
        self.config = Config(stanzas=3, size=Size("10 kB"))
        self.counters = ClientStateMetrics()
        self.delivered: list[tuple[Jid, int]] = []
        self.session_ = Session(JULIET, self.wire)
        self.held = Held(self.session_, self.config, self.counters, lambda *row: self.delivered.append(row))

    def hold(self, *stanzas: Stanza) -> None:
        for stanza in stanzas:
            assert not self.held.admits(stanza, 0)

    def written(self) -> list[bytes]:
        return [data for data, _ in self.wire.written]

    def test_order(self) -> None:
        """What comes first is written first; the last of a kind stands where it came."""
        away, dnd = presence(ROMEO, "away"), presence(ROMEO, "dnd")
        self.hold(away, presence(NURSE, "xa"), dnd)
        assert len(self.held) == 2
        self.held.flush()
        assert self.written() == [presence(NURSE, "xa").to_bytes(), dnd.to_bytes()]
        assert len(self.held) == 0
        assert (self.counters.held, self.counters.stale) == (3, 1)

    def test_what_matters(self) -> None:
        """It brings along what came before it, and is written by whoever asked."""
        self.hold(presence(ROMEO, "away"), state())
        assert self.held.admits(BODY, 7)
        assert self.written() == [presence(ROMEO, "away").to_bytes(), state().to_bytes()]

    def test_too_many(self) -> None:
        """With one stanza too much all are written."""
        self.hold(receipt("1"), receipt("2"), receipt("3"))
        assert self.written() == []
        self.hold(receipt("4"))
        assert self.written() == [receipt(id).to_bytes() for id in "1234"]

    def test_too_large(self) -> None:
        """And so they are with one byte too much; what is stale is not counted."""
        for _ in range(10):
            self.hold(presence(ROMEO, "x" * 5000))
        assert self.written() == []
        self.hold(presence(NURSE, "x" * 5000))
        assert len(self.written()) == 2

    def test_nothing_is_held(self) -> None:
        """A bound of 0 lets everything through, in order."""
        self.config.stanzas = 0
        self.hold(presence(ROMEO, "away"), presence(ROMEO, "dnd"))
        assert len(self.written()) == 2

    def test_rows(self) -> None:
        """A row of the log is delivered when it is written, and never stale."""
        for row in (4, 5):
            assert not self.held.admits(state(), row)
        assert self.held.rows() == [4, 5]
        self.held.flush()
        assert [row for _, row in self.wire.written] == [4, 5]
        assert self.delivered == [(JULIET.bare, 4), (JULIET.bare, 5)]

    def test_rows_that_are_acknowledged(self) -> None:
        """XEP-0198: the client says itself what it has."""
        self.wire.acknowledges = True
        self.held.admits(receipt("1"), 4)
        self.held.flush()
        assert self.wire.written == [(receipt("1").to_bytes(), 4)]
        assert self.delivered == []

    def test_rows_that_are_not_taken(self) -> None:
        """A stream that has ended takes nothing; then the row waits."""
        self.wire.takes = False
        self.held.admits(receipt("1"), 4)
        self.held.flush()
        assert self.delivered == []

    def test_hibernation(self) -> None:
        """XEP-0198: while the session waits for its client, what does not matter goes on to wait here."""
        asleep: Any = Wire()
        asleep.is_connected = False
        self.session_.wire = asleep
        self.hold(presence(ROMEO, "away"))
        assert asleep.written == []

    def test_resumption(self) -> None:
        """Interaction with Stream Resumption: another stream begins as active."""
        self.session_.valve = self.held
        self.hold(presence(ROMEO, "away"))
        another: Any = Wire()
        self.session_.wire = another
        assert self.held.admits(presence(NURSE, "xa"), 0)
        assert another.written == [(presence(ROMEO, "away").to_bytes(), 0)]
        assert self.session_.valve is None
