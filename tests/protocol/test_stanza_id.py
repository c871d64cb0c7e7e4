"""Marks on stanzas that are bytes already (XEP-0359, XEP-0203)."""

from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza
from xmppd.protocol.stanza_id import appended, delay_bytes, stanza_id, stanza_id_bytes
from xmppd.protocol.writer import serialise

JULIET = Jid("juliet@capulet.example")


def test_an_id_is_the_same_as_bytes() -> None:
    """The element and its bytes say the same."""
    assert serialise(stanza_id(JULIET, 17)) == stanza_id_bytes(JULIET, 17)


def test_an_address_is_escaped() -> None:
    """An apostrophe in an address ends no attribute."""
    assert b"by='o&apos;hara@capulet.example'" in stanza_id_bytes("o'hara@capulet.example", 1)


def test_a_delay_tells_who_and_when() -> None:
    """In the name of the host that kept the stanza."""
    assert delay_bytes("capulet.example", 0.5) == (
        b"<delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='1970-01-01T00:00:00.5Z'/>"
    )


def test_marks_go_to_the_end() -> None:
    """Behind what is there, or into what was empty."""
    assert appended(b"<message to='a'><body>x</body></message>", b"<y/>", b"<z/>") == (
        b"<message to='a'><body>x</body><y/><z/></message>"
    )
    assert appended(b"<message to='a'/>", b"<y/>") == b"<message to='a'><y/></message>"


def test_a_stanza_knows_its_mark() -> None:
    """It is an element to who looks, and bytes to who writes."""
    stanza = Stanza.build("message", E("{jabber:client}body", "x"), to=JULIET, from_=Jid("romeo@montague.example"))
    whole = appended(stanza.to_bytes(), stanza_id_bytes(JULIET, 17))
    marked = stanza.with_mark(stanza_id(JULIET, 17), whole)
    assert marked.added == (stanza_id(JULIET, 17),)
    assert marked.to_bytes() == whole
    assert marked.copy().to_bytes() == whole
    assert stanza.added == ()
