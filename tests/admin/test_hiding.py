"""Passwords in stanzas that somebody looks at."""

import pytest

from xmppd.admin.explain import read_element, read_stanza
from xmppd.admin.hiding import hidden, without_secrets
from xmppd.protocol.element import E
from xmppd.protocol.writer import serialise

REGISTER = """
    <iq type='set' id='1' from='romeo@montague.example/orchard' to='montague.example'>
      <query xmlns='jabber:iq:register'><username>romeo</username><password>pencil</password></query>
    </iq>
"""


@pytest.mark.parametrize(
    "xml",
    [
        "<query xmlns='jabber:iq:register'><username>juliet</username><password>pencil</password></query>",
        "<query xmlns='jabber:iq:auth'><digest>pencil</digest></query>",
        "<x xmlns='http://jabber.org/protocol/muc'><password>pencil</password></x>",
        "<x xmlns='jabber:x:conference' jid='room@muc.example' password='pencil'/>",
        "<x xmlns='jabber:x:data' type='submit'><field var='password'><value>pencil</value></field></x>",
        "<x xmlns='jabber:x:data' type='submit'><field var='password-verify'><value>pencil</value></field></x>",
        "<x xmlns='jabber:x:data' type='form'><field type='text-private' var='x'><value>pencil</value></field></x>",
        "<x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_roomsecret'><value>pencil</value></field></x>",
        "<password xmlns='urn:x'><deep><deeper secret='pencil'>pencil</deeper></deep></password>",
    ],
)
def test_secrets_are_hidden(xml: str) -> None:
    """By the names that specifications give them, wherever they are; what is beside them stays."""
    shown = serialise(hidden(read_element(f"<message><wrap xmlns='urn:y'>{xml}</wrap></message>")))
    assert b"pencil" not in shown
    assert b"***" in shown
    assert (b"juliet" in shown) is ("juliet" in xml)


def test_nothing_to_hide() -> None:
    """A stanza without secrets is shown as it is."""
    stanza = read_stanza("<message from='a@b.example/c'><body>My password is pencil</body></message>")
    assert without_secrets(stanza) is stanza
    stanza = stanza.with_added(E("{urn:x}mark"))
    assert without_secrets(stanza) is stanza


def test_a_whole_stanza() -> None:
    """Its addresses stay, and so does what was added; secrets are hidden there as well."""
    stanza = read_stanza(REGISTER).with_added(E("{urn:x}mark", password="eraser"))
    xml = without_secrets(stanza).to_bytes()
    assert b"pencil" not in xml and b"eraser" not in xml
    for part in (b"from='romeo@montague.example/orchard'", b"id='1'", b"<username>romeo</username>", b"mark"):
        assert part in xml
    assert b"pencil" in stanza.to_bytes()
