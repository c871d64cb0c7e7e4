"""RFC 6121, 8.5: the table, and whom it gives a message to."""

from typing import Any

import pytest

from xmppd.core.session import Session
from xmppd.modules.messages.api import TABLE, Address, Fate, Presence, distribution, presence_of, without_named
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import MESSAGE_TYPES, Stanza

from .section import cells

WIRE: Any = None
JULIET, ROMEO = Jid("juliet@capulet.example"), Jid("romeo@montague.example/orchard")
NAMES = {
    "bare": Address.BARE, "connected": Address.CONNECTED, "missing": Address.MISSING,
    "nobody": Presence.NONE, "negative": Presence.NEGATIVE, "reachable": Presence.REACHABLE,
    "D": Fate.RESOURCE, "A": Fate.ALL, "L": Fate.LATER, "E": Fate.BOUNCE, "S": Fate.IGNORE,
}  # fmt: skip


def session(resource: str, priority: int | None) -> Session:
    """Return a resource of Juliet's; without a priority it is not available."""
    made = Session(JULIET.with_resource(resource), WIRE)
    if priority is not None:
        made.presence, made.priority = Stanza.build("presence", to=None, from_=made.jid), priority
    return made


RESOURCES = {
    "nobody": [session("named", None)],
    "negative": [session("named", None), session("p-1", -1), session("p-128", -128)],
    "reachable": [session("named", None), session("p0", 0), session("p-1", -1), session("p5", 5)],
}
ADDRESSES = {"bare": JULIET, "connected": JULIET.with_resource("named"), "missing": JULIET.with_resource("elsewhere")}


def names(sessions: Any) -> list[str]:
    """Return the resources of sessions."""
    return [each.resource for each in sessions]


@pytest.mark.parametrize(("address", "resources", "type", "fate"), cells())
def test_table(address: str, resources: str, type: str, fate: str) -> None:
    """The table is that of the section."""
    assert TABLE[NAMES[address], NAMES[resources], type] is NAMES[fate]  # type: ignore[index]


def test_table_is_whole() -> None:
    """There are no other types, addresses or resources."""
    assert set(TABLE) == {
        (address, presence, type) for address in Address for presence in Presence for type in MESSAGE_TYPES
    }
    assert len(cells()) == len(TABLE)


@pytest.mark.parametrize(("address", "resources", "type", "fate"), cells())
def test_distribution(address: str, resources: str, type: str, fate: str) -> None:
    """What the table says, with the sessions that it means."""
    stanza = Stanza.build("message", to=ADDRESSES[address], from_=ROMEO, type=type)
    found = distribution(stanza, RESOURCES[resources])
    assert found.fate is NAMES[fate]
    assert names(found.sessions) == {"D": ["named"], "A": ["p0", "p5"]}.get(fate, [])


def test_without_the_named_resource() -> None:
    """8.5.3.2: what the named resource does not take goes where it would go if it were not there."""
    stanza = Stanza.build("message", to=ADDRESSES["connected"], from_=ROMEO, type="chat")
    assert names(distribution(stanza, RESOURCES["reachable"]).sessions) == ["named"]
    assert names(without_named(stanza, RESOURCES["reachable"]).sessions) == ["p0", "p5"]


def test_without_an_address() -> None:
    """RFC 6120, 10.3.1: a message without an address is for the account."""
    stanza = Stanza.build("message", to=None, from_=ROMEO, type="chat")
    assert names(distribution(stanza, RESOURCES["reachable"]).sessions) == ["p0", "p5"]


def test_presence() -> None:
    """The best of the available resources counts."""
    one = session("p", 0)
    assert presence_of([], []) is Presence.NONE
    assert presence_of([one], []) is Presence.NEGATIVE
    assert presence_of([one], [one]) is Presence.REACHABLE
