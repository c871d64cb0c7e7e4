"""RFC 6121, 2.1.2 and 2.3.3: items as clients write and read them."""

import pytest

from tests.scenario.xml import HEADER
from xmppd.modules.roster.api import Item, Request, Roster
from xmppd.modules.roster.payload import Config, RosterSet, push_element, read_set, roster_element
from xmppd.protocol.element import Element
from xmppd.protocol.errors import BadRequest, JidMalformed, NotAcceptable, NotAllowed, StanzaError
from xmppd.protocol.jid import Jid
from xmppd.protocol.parser import StreamParser
from xmppd.protocol.tree import Limits
from xmppd.protocol.writer import serialise

JULIET = Jid.parse("juliet@capulet.example")
ROMEO = Jid.parse("romeo@montague.example")
NURSE = Jid.parse("nurse@capulet.example")


def query(inner: str) -> Element:
    """Return a roster query with that content."""
    parser = StreamParser(Limits())
    events = parser.feed(f"{HEADER}<query xmlns='jabber:iq:roster'>{inner}</query>".encode())
    element = events[-1]
    assert isinstance(element, Element)
    return element


def test_set() -> None:
    """2.3.1: address, name and groups are the client's to say; the rest is not."""
    inner = (
        "<item jid='ROMEO@montague.example' name='Romeo' subscription='both' ask='subscribe' approved='true'>"
        "<group>Friends</group><group>Lovers</group></item>"
    )
    assert read_set(query(inner), JULIET, Config()) == RosterSet(ROMEO, False, "Romeo", ("Friends", "Lovers"))


def test_remove() -> None:
    """2.5.1: one value of subscription counts; nothing else is looked at."""
    inner = "<item jid='romeo@montague.example' subscription='remove'><group/></item>"
    assert read_set(query(inner), JULIET, Config()) == RosterSet(ROMEO, True)


@pytest.mark.parametrize(
    ("inner", "error"),
    [
        pytest.param("", BadRequest, id="no item"),
        pytest.param("<item jid='a@b.example'/><item jid='c@b.example'/>", BadRequest, id="two items"),
        pytest.param("<item xmlns='urn:example' jid='a@b.example'/>", BadRequest, id="not an item of rosters"),
        pytest.param("<item name='Romeo'/>", BadRequest, id="no address"),
        pytest.param("<item jid=''/>", BadRequest, id="empty address"),
        pytest.param("<item jid='@b.example'/>", JidMalformed, id="malformed address"),
        pytest.param("<item jid='a@b.example/resource'/>", BadRequest, id="a resource"),
        pytest.param("<item jid='juliet@capulet.example'/>", NotAllowed, id="oneself"),
        pytest.param("<item jid='a@b.example'><group>X</group><group>X</group></item>", BadRequest, id="group twice"),
        pytest.param("<item jid='a@b.example'><group/></item>", NotAcceptable, id="group without a name"),
        pytest.param(f"<item jid='a@b.example'><group>{'x' * 21}</group></item>", NotAcceptable, id="long group"),
        pytest.param(f"<item jid='a@b.example' name='{'x' * 31}'/>", NotAcceptable, id="long name"),
        pytest.param(
            "<item jid='a@b.example'><group>1</group><group>2</group><group>3</group></item>",
            NotAcceptable,
            id="many groups",
        ),
    ],
)
def test_what_is_refused(inner: str, error: type[StanzaError]) -> None:
    """2.3.3: each fault has its error."""
    with pytest.raises(error):
        read_set(query(inner), JULIET, Config(name=30, group=20, groups=2))


def test_what_just_fits() -> None:
    """A limit is the last value that is allowed."""
    inner = f"<item jid='a@b.example' name='{'x' * 30}'><group>{'x' * 20}</group><group>2</group></item>"
    assert read_set(query(inner), JULIET, Config(name=30, group=20, groups=2)).name == "x" * 30


def test_roster() -> None:
    """2.1.2: what clients see of items."""
    items = [
        Item(ROMEO, "Romeo & <Montague>", ("Friends",), "from", asks=True),
        Item(NURSE, approved=True),
        Item(Jid.parse("paris@capulet.example"), listed=False, request=Request(b"<presence/>", 0.0)),
    ]
    roster = Roster(JULIET, 7, {item.jid: item for item in items})
    assert serialise(roster_element(roster)).decode() == (
        "<query xmlns='jabber:iq:roster' ver='7'>"
        "<item jid='romeo@montague.example' subscription='from' name='Romeo &amp; &lt;Montague&gt;' ask='subscribe'>"
        "<group>Friends</group></item>"
        "<item jid='nurse@capulet.example' subscription='none' approved='true'/></query>"
    )


@pytest.mark.parametrize("item", [None, Item(ROMEO, listed=False, request=Request(b"<presence/>", 0.0))])
def test_push_of_what_is_gone(item: Item | None) -> None:
    """2.5.2: what clients do not see any more is removed for them."""
    assert serialise(push_element(8, ROMEO, item)).decode() == (
        "<query xmlns='jabber:iq:roster' ver='8'><item jid='romeo@montague.example' subscription='remove'/></query>"
    )


def test_push_of_an_item() -> None:
    """2.1.6: a push has the version and the item."""
    assert serialise(push_element(8, NURSE, Item(NURSE, "Nurse", subscription="both"))).decode() == (
        "<query xmlns='jabber:iq:roster' ver='8'>"
        "<item jid='nurse@capulet.example' subscription='both' name='Nurse'/></query>"
    )
