"""What other modules see of rosters."""

import pytest
from twisted.internet.defer import Deferred

from xmppd.core.drive import drive
from xmppd.core.hooks import Hooks, Phase, Verdict, on
from xmppd.modules.roster.api import Disclosing, Item, Request, Roster, who_may_learn
from xmppd.protocol.errors import InternalServerError
from xmppd.protocol.jid import Jid

JULIET = Jid.parse("juliet@capulet.example")
NAMES = ("none", "to", "from", "both")
CONTACTS = {name: Jid.parse(f"{name}@montague.example") for name in NAMES}
REQUEST = Request(
    b"<presence from='romeo@montague.example' to='juliet@capulet.example' type='subscribe' id='xk3h1v69'>"
    b"<status>Please</status></presence>",
    1_275_307_200.0,
)


@pytest.fixture
def roster() -> Roster:
    return Roster(JULIET, 5, {jid: Item(jid, subscription=name) for name, jid in CONTACTS.items()})


def test_who_sees_whom(roster: Roster) -> None:
    """From and Both see the account; To and Both are seen by it."""
    assert roster.subscribers() == (CONTACTS["from"], CONTACTS["both"])
    assert roster.subscriptions() == (CONTACTS["to"], CONTACTS["both"])
    assert [name for name in NAMES if roster.may_see(CONTACTS[name])] == ["from", "both"]
    assert not roster.may_see(JULIET)


@pytest.mark.parametrize("name", NAMES)
def test_item_says_the_same(roster: Roster, name: str) -> None:
    """An item and its roster agree."""
    item = roster.item(CONTACTS[name])
    assert item is not None
    assert item.may_see is (item.jid in roster.subscribers())
    assert item.is_seen is (item.jid in roster.subscriptions())


def test_change_makes_another_roster(roster: Roster) -> None:
    """Whoever holds a roster holds it as it was."""
    before = roster.subscribers()
    after = roster.changed(6, CONTACTS["both"], None)
    assert (len(roster), roster.version, roster.subscribers()) == (4, 5, before)
    assert (len(after), after.version, after.subscribers()) == (3, 6, (CONTACTS["from"],))
    added = after.changed(7, JULIET, Item(JULIET, subscription="from"))
    assert added.subscribers() == (CONTACTS["from"], JULIET)


def test_request_is_not_listed() -> None:
    """3.1.3: an item that only holds a request is not in the roster."""
    romeo, nurse = Jid.parse("romeo@montague.example"), Jid.parse("nurse@capulet.example")
    items = {romeo: Item(romeo, listed=False, request=REQUEST), nurse: Item(nurse)}
    roster = Roster(JULIET, 1, items)
    assert roster.listed() == [items[nurse]]
    assert roster.requests() == [items[romeo]]


def test_request_comes_back_as_it_was() -> None:
    """3.1.3: the complete stanza is kept, and says when it came (XEP-0203)."""
    stanza = REQUEST.stanza(Jid.parse("romeo@montague.example"), JULIET)
    assert (stanza.type, stanza.id, stanza.to) == ("subscribe", "xk3h1v69", JULIET)
    assert stanza.to_bytes() == (
        b"<presence from='romeo@montague.example' to='juliet@capulet.example' type='subscribe' id='xk3h1v69'>"
        b"<status>Please</status><delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='2010-05-31T12:00:00Z'/>"
        b"</presence>"
    )


class Discreet:
    """A handler that hides an account from one contact."""

    def __init__(self, verdict: Verdict | None = None, fails: bool = False) -> None:
        self.verdict = verdict
        self.fails = fails

    @on(Disclosing, Phase.GUARD)
    async def hide(self, event: Disclosing) -> Verdict | None:
        if self.fails:
            raise ZeroDivisionError
        event.recipients.remove(CONTACTS["both"])
        return self.verdict


def told(hooks: Hooks, recipients: tuple[Jid, ...]) -> list[Jid]:
    result = drive(who_may_learn(hooks, JULIET, recipients))
    assert not isinstance(result, Deferred)
    return list(result)


def test_disclosure(roster: Roster) -> None:
    """Handlers take out who must not learn of an account's presence; a verdict takes out all."""
    hooks = Hooks()
    assert told(hooks, roster.subscribers()) == [CONTACTS["from"], CONTACTS["both"]]
    hooks.bind("discreet", Discreet())
    assert told(hooks, roster.subscribers()) == [CONTACTS["from"]]
    assert told(hooks, ()) == []
    hooks.unbind("discreet")
    hooks.bind("discreet", Discreet(Verdict.DROP))
    assert told(hooks, roster.subscribers()) == []


def test_disclosure_fails_closed(roster: Roster) -> None:
    """A handler that fails lets nobody learn of anything."""
    hooks = Hooks()
    hooks.bind("discreet", Discreet(fails=True))
    with pytest.raises(InternalServerError):
        told(hooks, roster.subscribers())
