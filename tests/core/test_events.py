"""The core's events: each is of one kind, and shares nothing with another."""

import dataclasses

from xmppd.core import events
from xmppd.core.events import DiscoInfo, DiscoItems, StreamFeatures
from xmppd.core.hooks import Collection, Decision, Notice
from xmppd.core.host import Host
from xmppd.protocol.element import E
from xmppd.protocol.jid import Jid

KINDS = (Decision, Collection, Notice)
EVENTS = [value for value in vars(events).values() if isinstance(value, type) and value.__module__ == events.__name__]


def test_kinds() -> None:
    """A handler knows from an event's class whether it may settle, add or only hear."""
    assert len(EVENTS) > 15
    for event in EVENTS:
        assert sum(issubclass(event, kind) for kind in KINDS) == 1, event
        assert dataclasses.is_dataclass(event)
        assert event.__doc__


def test_no_room_for_mistakes() -> None:
    """An event has its fields and no others: a misspelt one is a mistake at once, and events are cheap."""
    assert [event for event in EVENTS if "__slots__" not in vars(event)] == []


def test_nothing_is_shared() -> None:
    """What is collected belongs to one event."""
    host = Host(Jid("capulet.example"))
    StreamFeatures(host, False, True).features.append(E("{urn:x}a"))
    assert StreamFeatures(host, False, True).features == []
    asked = DiscoInfo(host.name, None, host.name)
    asked.features.add("urn:x")
    asked.identities.append(None)  # type: ignore[arg-type]
    again = DiscoInfo(host.name, None, host.name)
    assert (again.features, again.identities, again.forms, again.found) == (set(), [], [], False)
    assert DiscoItems(host.name, "node", host.name).items == []
