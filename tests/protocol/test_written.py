"""What we have written is read as it was."""

import pytest

from xmppd.protocol.element import E
from xmppd.protocol.errors import Misuse
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza
from xmppd.protocol.written import read_written

ROMEO = Jid.parse("romeo@montague.example/orchard")
JULIET = Jid.parse("juliet@capulet.example")


def test_there_and_back() -> None:
    """Addresses, type, id, and content."""
    stanza = Stanza.build(
        "message",
        E("{jabber:client}body", "<&>'\"\r\n"),
        E("{urn:x}a", b="c"),
        to=JULIET,
        from_=ROMEO,
        type="chat",
        id="1",
    )
    again = read_written(stanza.to_bytes())
    assert (again.kind, again.to, again.from_, again.type, again.id) == ("message", JULIET, ROMEO, "chat", "1")
    assert again.element.children == stanza.element.children
    assert again.to_bytes() == stanza.to_bytes()


def test_larger_than_streams_allow() -> None:
    """No limit of a stream holds: it was let in already."""
    stanza = Stanza.build("message", E("{jabber:client}body", "a" * 1_000_000), to=JULIET, from_=ROMEO)
    assert read_written(stanza.to_bytes()).text_of("{jabber:client}body") == "a" * 1_000_000


@pytest.mark.parametrize("data", [b"", b"<message from='a@b'>", b"<a from='a@b'/><b from='a@b'/>"])
def test_no_stanza(data: bytes) -> None:
    """Half a stanza and two are our own mistake."""
    with pytest.raises(Misuse):
        read_written(data)
