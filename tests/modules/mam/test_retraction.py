"""Tombstones: XEP-0424."""

from collections.abc import Sequence
from typing import Any

import pytest

from xmppd.core.drive import drive
from xmppd.core.message_log import ARCHIVE, CHAT, GONE, RECEIVED, SENT, WAIT, Row, id_at
from xmppd.modules.mam.retraction import (
    MUC_USER,
    RETRACT,
    ROOM,
    bury_received,
    bury_sent,
    grave,
    retracted_id,
    tombstone,
)
from xmppd.protocol.element import E, Element
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza
from xmppd.protocol.timestamps import parse_time

ROMEO, LORD = Jid("romeo@montague.example"), Jid("lord@capulet.example")
ORCHARD = Jid(f"{ROMEO}/orchard")
ORIGINAL = (
    b"<message from='romeo@montague.example/orchard' to='lord@capulet.example' type='chat' id='wrong-recipient-1'>"
    b"<body>Have not saints lips, and holy palmers too?</body></message>"
)
SENT_AT = id_at(parse_time("2019-09-20T23:08:25Z"))
RETRACTED_AT = id_at(parse_time("2019-09-20T23:09:32Z"))


def retraction(*more: Element, type: str = "chat", id: str | None = "retract-message-1") -> Stanza:
    retract = E(RETRACT, id="wrong-recipient-1")
    return Stanza.build("message", retract, *more, to=LORD, from_=ORCHARD, type=type, id=id)


def row(id: int = SENT_AT, direction: int = RECEIVED, flags: int = ARCHIVE, stanza: bytes = ORIGINAL) -> Row:
    return Row(id, "romeo@montague.example/orchard", direction, CHAT, flags, "wrong-recipient-1", stanza)


class Log:
    """One archive; says what it was asked for and what was put there."""

    def __init__(self, *rows: Row) -> None:
        self.rows = rows
        self.asked: list[tuple[Jid, Jid, str, int]] = []
        self.put: list[tuple[Jid, int, bytes, int]] = []

    async def find(self, owner: Jid, peer: Jid, origin_id: str, since: int = 0) -> list[Row]:
        self.asked.append((owner, peer, origin_id, since))
        return list(self.rows)

    async def replace(self, owner: Jid, id: int, stanza: bytes, flags: int) -> bool:
        self.put.append((owner, id, stanza, flags))
        return True


def test_tombstone() -> None:
    """Tombstones: the content is gone; what stays says who, when, and by which message it was taken back."""
    assert tombstone(row(), "retract-message-1", RETRACTED_AT) == (
        b"<message from='romeo@montague.example/orchard' to='lord@capulet.example' type='chat' id='wrong-recipient-1'>"
        b"<retracted xmlns='urn:xmpp:message-retract:1' id='retract-message-1' stamp='2019-09-20T23:09:32Z'/></message>"
    )


def test_tombstone_of_an_empty_message() -> None:
    """A message without content has one tag only."""
    assert tombstone(row(stanza=b"<message from='a@b'/>"), "'", 0) == (
        b"<message from='a@b'><retracted xmlns='urn:xmpp:message-retract:1' id='&apos;'/></message>"
    )


def test_a_retraction_names_a_message() -> None:
    """Use Case: by the id that its sender gave it."""
    assert retracted_id(retraction()) == "wrong-recipient-1"
    assert retracted_id(retraction(type="normal")) == "wrong-recipient-1"


@pytest.mark.parametrize(
    "stanza",
    [
        retraction(type="groupchat"),
        retraction(type="headline"),
        retraction(type="error"),
        retraction(id=None),
        retraction(E(ROOM)),
        Stanza.build("message", E(RETRACT), to=LORD, from_=ORCHARD, type="chat", id="1"),
        Stanza.build("message", E("{jabber:client}body"), to=LORD, from_=ORCHARD, type="chat", id="1"),
    ],
)
def test_what_takes_nothing_back(stanza: Stanza) -> None:
    """Rooms see to their own; a tombstone must name its retraction; other messages are none."""
    assert retracted_id(stanza) is None


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([row(5)], 5),
        ([row(5), row(7)], 7),
        ([row(5), row(11)], 5),
        ([row(5, flags=ARCHIVE | GONE)], None),
        ([row(5, direction=SENT)], None),
        ([row(5, stanza=ORIGINAL.replace(b"<body>", f"<x xmlns='{MUC_USER}'/><body>".encode()))], None),
        ([row(10)], None),
        ([], None),
    ],
)
def test_grave(rows: Sequence[Row], found: int | None) -> None:
    """Business Rules: the last message of that id before the retraction, by the same sender, not through a room."""
    chosen = grave(rows, RECEIVED, 10)
    assert (None if chosen is None else chosen.id) == found


def test_without_a_row_of_its_own() -> None:
    """A retraction that is not kept means the last message of that id."""
    chosen = grave([row(5), row(7)], RECEIVED, 0)
    assert chosen is not None
    assert chosen.id == 7


def test_in_the_recipients_archive() -> None:
    """Business Rules: what came from the same bare JID, whatever the resource."""
    log: Any = Log(row(flags=ARCHIVE | WAIT))
    assert drive(bury_received(log, LORD, retraction(), RETRACTED_AT, parse_time("2019-09-01T00:00:00Z")))
    assert log.asked == [(LORD, ROMEO, "wrong-recipient-1", id_at(parse_time("2019-09-01T00:00:00Z")))]
    ((owner, id, stanza, flags),) = log.put
    assert (owner, id, flags) == (LORD, SENT_AT, ARCHIVE | WAIT | GONE)
    assert b"holy palmers" not in stanza


def test_in_the_senders_archive() -> None:
    """Business Rules: its own message to that address."""
    log: Any = Log(row(direction=SENT))
    assert drive(bury_sent(log, ROMEO, retraction(), RETRACTED_AT, -5.0))
    assert log.asked == [(ROMEO, LORD, "wrong-recipient-1", 0)]
    assert log.put[0][:2] == (ROMEO, SENT_AT)


def test_others_messages_stay() -> None:
    """Business Rules: in the sender's archive only what it sent, in the recipient's only what came from the sender."""
    cases: Any = ((Log(row(direction=RECEIVED)), bury_sent), (Log(row(direction=SENT)), bury_received))
    for log, bury in cases:
        assert not drive(bury(log, LORD, retraction(), RETRACTED_AT, 0.0))
        assert log.put == []


def test_what_is_no_retraction_asks_for_nothing() -> None:
    """The log is left alone."""
    log: Any = Log(row())
    assert not drive(bury_received(log, LORD, retraction(type="groupchat"), 0, 0.0))
    assert log.asked == []
