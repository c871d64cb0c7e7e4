"""Stanzas: read by the rules of RFC 6120, 8, and relayed without being serialised again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.test_writer import elements, parsed, texts
from xmppd.protocol.element import E, Element
from xmppd.protocol.errors import BadRequest, JidMalformed, ServiceUnavailable, StanzaError
from xmppd.protocol.jid import Jid
from xmppd.protocol.names import IQ, MESSAGE, PRESENCE, XML_LANG
from xmppd.protocol.stanza import Malformed, Stanza, read

JULIET = Jid("juliet@capulet.example/balcony")
ROMEO = Jid("romeo@montague.example/garden")
BODY = E("{jabber:client}body", "Wherefore art thou?")


def received(text: str, lang: str | None = None) -> Stanza:
    """Read a stanza as it comes from Juliet's stream."""
    return read(parsed(text.encode()), JULIET, lang)


def refused(text: str) -> tuple[StanzaError, Stanza]:
    """Return the error that a stanza must be answered with, and what could be read of it."""
    with pytest.raises(Malformed) as malformed:
        received(text)
    return malformed.value.error, malformed.value.stanza


class TestReading:
    """RFC 6120, 8.1 and 8.2."""

    def test_attributes(self) -> None:
        """8.1: to, id, type and xml:lang are read; the sender is who the stream belongs to, whatever is written."""
        stanza = received("<message to='ROMEO@montague.example/garden' from='x' id='1' type='chat' xml:lang='it'/>")
        assert (stanza.kind, stanza.to, stanza.from_) == ("message", ROMEO, JULIET)
        assert (stanza.id, stanza.type, stanza.lang) == ("1", "chat", "it")

    def test_defaults(self) -> None:
        """What is left out is None, and a message without a type is normal."""
        message, presence = received("<message/>"), received("<presence/>")
        assert (message.to, message.id, message.type, message.lang) == (None, None, "normal", None)
        assert presence.type == ""

    @pytest.mark.parametrize(("header", "own", "expected"), [("en", None, "en"), ("en", "it", "it"), ("en", "", "")])
    def test_language(self, header: str, own: str | None, expected: str) -> None:
        """8.1.5: the stream's language counts for a stanza that names none; an empty one says "none"."""
        attribute = "" if own is None else f" xml:lang='{own}'"
        stanza = received(f"<message{attribute}/>", lang=header)
        assert stanza.lang == expected
        assert parsed(stanza.to_bytes()).get(XML_LANG) == expected

    def test_unknown_message_type(self) -> None:
        """RFC 6121, 5.2.2: an unknown type of message is normal."""
        assert received("<message type='urgent'/>").type == "normal"

    @pytest.mark.parametrize("kind", ["message", "presence"])
    def test_malformed_address(self, kind: str) -> None:
        """8.3.3.8: an address that is none is jid-malformed."""
        error, stanza = refused(f"<{kind} to='a@b@c d' id='1'/>")
        assert type(error) is JidMalformed
        assert (stanza.to, stanza.id) == (None, "1")

    def test_empty_address(self) -> None:
        """8.1.1: an empty address is malformed, not missing."""
        assert type(refused("<message to=''/>")[0]) is JidMalformed

    def test_unknown_presence_type(self) -> None:
        """RFC 6121, 4.7.1 lists the types; another one is a bad request, and nothing that could be broadcast."""
        error, stanza = refused("<presence type='invisible'/>")
        assert type(error) is BadRequest
        assert stanza.type == ""

    @pytest.mark.parametrize(
        "text",
        [
            "<iq type='get'><q xmlns='urn:x'/></iq>",
            "<iq type='get' id=''><q xmlns='urn:x'/></iq>",
            "<iq id='1'><q xmlns='urn:x'/></iq>",
            "<iq id='1' type='subscribe'><q xmlns='urn:x'/></iq>",
            "<iq id='1' type='get'/>",
            "<iq id='1' type='set'> text </iq>",
            "<iq id='1' type='set'><q xmlns='urn:x'/><r xmlns='urn:y'/></iq>",
            "<iq id='1' type='result'><q xmlns='urn:x'/><r xmlns='urn:y'/></iq>",
        ],
    )
    def test_iq_rules(self, text: str) -> None:
        """8.2.3: an IQ has an id, a known type, and as many payloads as that type has."""
        assert type(refused(text)[0]) is BadRequest

    @pytest.mark.parametrize(
        "text",
        [
            "<iq id='1' type='get'>\n <q xmlns='urn:x'/>\n</iq>",
            "<iq id='1' type='result'/>",
            "<iq id='1' type='result'><q xmlns='urn:x'/></iq>",
            "<iq id='1' type='error'><q xmlns='urn:x'/><error type='cancel'/></iq>",
        ],
    )
    def test_good_iqs(self, text: str) -> None:
        """8.2.3: white space between is nobody's payload, and an error may send the payload back."""
        assert received(text).id == "1"

    def test_malformed_address_and_type(self) -> None:
        """Of two faults the address is told first, since the answer must not go there."""
        assert type(refused("<iq id='1' to='@' type='get'/>")[0]) is JidMalformed


class TestRelaying:
    """RFC 6120, 8.1 and 10: a new start tag around the bytes that came."""

    def test_content_is_copied(self) -> None:
        """The bytes between the tags are those that were received."""
        inner = "<body>a&#65;<![CDATA[<]]>\u00e4</body>  <x xmlns='urn:x' a = \"1\" />"
        assert (
            received(f"<message  type='chat' to='romeo@montague.example/garden'>{inner}</message>").to_bytes()
            == (
                "<message from='juliet@capulet.example/balcony' to='romeo@montague.example/garden' type='chat'>"
                f"{inner}</message>"
            ).encode()
        )

    def test_unknown_attributes_are_dropped(self) -> None:
        """What RFC 6120 does not define on a stanza is not relayed, with or without a prefix."""
        stanza = received("<message to='a.example' x='1' xmlns:p='urn:p' p:y='2' from='forged@evil.example'/>")
        assert stanza.to_bytes() == b"<message from='juliet@capulet.example/balcony' to='a.example'/>"

    def test_prefixes_bound_outside_are_resolved(self) -> None:
        """Content that uses a prefix of its stanza's start tag means the same without that start tag."""
        text = "<message to='a.example' xmlns:p='urn:p'><p:a p:b='1'><c/></p:a></message>"
        assert parsed(received(text).to_bytes()).children == parsed(text.encode()).children

    @pytest.mark.parametrize("id", ["1", "it's", 'a"b', "a\nb\tc\rd", "<&>", "\u2028\U0001f339", "", " "])
    def test_ids_are_echoed_exactly(self, id: str) -> None:
        """8.1.3: whatever an id holds, the answer has the same, and is well-formed."""
        stanza = read(E(IQ, E("{urn:x}q"), id=id or "x", type="get"), JULIET)
        stanza.id = id
        for sent in (stanza, stanza.error(ServiceUnavailable()), stanza.reply("result")):
            assert parsed(sent.to_bytes()).get("id") == id

    @given(elements)
    def test_raw_and_serialised_mean_the_same(self, child: Element) -> None:
        """Whether a stanza's own bytes are copied or its tree is serialised makes no difference to who reads it."""
        first = parsed(read(E(MESSAGE, child), JULIET).to_bytes())
        raw = read(first, JULIET).to_bytes()
        anew = read(Element(first.name, first.attributes, first.children), JULIET).to_bytes()
        assert parsed(raw) == parsed(anew) == first

    @given(st.lists(elements, max_size=3), texts, texts)
    def test_tag_in_two_parts(self, children: list[Element], id: str, lang: str) -> None:
        """A fan-out writes the same bytes as one stanza at a time."""
        stanza = Stanza("message", Element(MESSAGE, {}, [*children]), ROMEO, JULIET, "chat", id, lang)
        before, behind = stanza.split()
        assert before + str(ROMEO).encode() + behind == stanza.to_bytes()
        assert before + b"a.example" + behind == stanza.to_bytes(Jid("a.example"))


class TestBuilding:
    """Stanzas of our own, copies and answers."""

    def test_own(self) -> None:
        """A built message is normal unless it says otherwise; a normal one need not say so on the wire (RFC 6121, 5.2.2)."""
        stanza = Stanza.build("message", BODY, to=ROMEO, from_=JULIET.bare)
        assert stanza.type == "normal"
        assert stanza.to_bytes() == (
            b"<message from='juliet@capulet.example' to='romeo@montague.example/garden'>"
            b"<body>Wherefore art thou?</body></message>"
        )
        assert Stanza.build("presence", to=None, from_=JULIET).to_bytes() == (
            b"<presence from='juliet@capulet.example/balcony'/>"
        )

    def test_reading_through(self) -> None:
        """A stanza lends its element's questions."""
        stanza = Stanza.build("message", BODY, E("{urn:x}y"), to=ROMEO, from_=JULIET)
        assert stanza.child("{urn:x}y") is not None
        assert stanza.text_of("{jabber:client}body") == "Wherefore art thou?"
        assert stanza.text_of("{jabber:client}subject", "none") == "none"
        assert len(list(stanza.elements())) == 2
        assert repr(stanza) == f"<message 'normal' from {JULIET} to {ROMEO} id None>"

    def test_added(self) -> None:
        """What we add stands behind what came; the stanza it was added to is as before."""
        came = received("<message to='romeo@montague.example/garden'><body>x</body></message>")
        assert came.content() == b"<body>x</body>"
        more = came.with_added(E("{urn:x}a")).with_added(E("{urn:x}b"))
        assert more.content() == b"<body>x</body><a xmlns='urn:x'/><b xmlns='urn:x'/>"
        assert came.content() == b"<body>x</body>"

    def test_copies(self) -> None:
        """A copy differs in what was asked for and shares the rest."""
        came = received("<message to='romeo@montague.example/garden' id='1'><body>x</body></message>")
        came = came.with_added(E("{urn:x}a"))
        copy = came.copy(to=JULIET, from_=ROMEO)
        assert (copy.to, copy.from_, copy.id) == (JULIET, ROMEO, "1")
        assert copy.content() == came.content()
        changed = came.copy(element=E(MESSAGE, E("{urn:x}z")))
        assert changed.content() == b"<z xmlns='urn:x'/><a xmlns='urn:x'/>"

    def test_replies(self) -> None:
        """8.1.2 and 8.2.3: addresses swapped, the same id; without an addressee the account answers."""
        asked = received("<iq to='capulet.example' id='1' type='get'><q xmlns='urn:x'/></iq>")
        assert asked.reply("result", E("{urn:x}q")).to_bytes() == (
            b"<iq from='capulet.example' to='juliet@capulet.example/balcony' type='result' id='1'>"
            b"<q xmlns='urn:x'/></iq>"
        )
        assert received("<iq id='1' type='get'><q xmlns='urn:x'/></iq>").reply("result").from_ == JULIET.bare
        assert asked.reply("result", from_=ROMEO).from_ == ROMEO

    def test_error(self) -> None:
        """8.3.1: an error goes back with the same id; the content is not sent back."""
        error = received("<message to='romeo@montague.example' id='1'><body>x</body></message>").error(
            ServiceUnavailable()
        )
        element = parsed(error.to_bytes())
        assert element.attributes == {
            "from": "romeo@montague.example", "to": "juliet@capulet.example/balcony", "type": "error", "id": "1",
        }  # fmt: skip
        assert [child.name for child in element.elements()] == ["{jabber:client}error"]

    def test_presence_of_no_type(self) -> None:
        """RFC 6121, 4.7.1: availability has no type."""
        assert parsed(read(E(PRESENCE), JULIET).to_bytes()).get("type") is None
