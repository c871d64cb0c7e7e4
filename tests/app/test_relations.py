"""What changes between an account and its contacts, in words."""

import pytest

from xmppd.app.relations import changes, state
from xmppd.modules.roster.api import Item, Request, Roster
from xmppd.protocol.jid import Jid

ROMEO, JULIET = Jid("romeo@montague.example"), Jid("juliet@capulet.example")
REQUEST = Request(b"<presence/>", 0.0)


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (None, "None (not in the roster)"),
        (Item(JULIET), "None"),
        (Item(JULIET, asks=True), "None + Pending Out"),
        (Item(JULIET, request=REQUEST, listed=False), "None + Pending In (not in the roster)"),
        (Item(JULIET, asks=True, request=REQUEST), "None + Pending Out+In"),
        (Item(JULIET, subscription="to"), "To"),
        (Item(JULIET, subscription="to", request=REQUEST), "To + Pending In"),
        (Item(JULIET, subscription="from", asks=True), "From + Pending Out"),
        (Item(JULIET, subscription="both"), "Both"),
        (Item(JULIET, approved=True), "None, approved beforehand"),
    ],
)
def test_states(item: Item | None, name: str) -> None:
    """The nine states of Appendix A.1, and what is beside them."""
    assert state(item) == name


def test_changes() -> None:
    """A sentence for each contact of whom something is different."""
    tybalt, nurse = Jid("tybalt@capulet.example"), Jid("nurse@capulet.example")
    before = Roster(ROMEO, 1, {JULIET: Item(JULIET), tybalt: Item(tybalt), nurse: Item(nurse)})
    after = Roster(ROMEO, 2, {JULIET: Item(JULIET, subscription="both"), nurse: Item(nurse, name="Nurse")})
    assert list(changes(before, after)) == [
        f"the roster of {ROMEO}: {JULIET} changes None -> Both",
        f"the roster of {ROMEO}: {tybalt} changes None -> None (not in the roster)",
        f"the roster of {ROMEO}: {nurse} stays None, with other names or groups",
    ]
    assert list(changes(before, before)) == []
