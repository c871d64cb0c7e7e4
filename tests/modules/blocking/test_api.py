"""XEP-0191, JID Matching: what an item of the list covers."""

import pytest

from xmppd.modules.blocking.api import Blocklist
from xmppd.protocol.jid import Jid

JULIET = Jid("juliet@capulet.example")

#                    romeo@m  romeo@m/o  romeo@m/x  nurse@m  m      m/o    other
MATCHING = {
    "romeo@m.example/o": (False, True, False, False, False, False, False),
    "romeo@m.example": (True, True, True, False, False, False, False),
    "m.example/o": (False, False, False, False, False, True, False),
    "m.example": (True, True, True, True, True, True, False),
}
ADDRESSES = (
    "romeo@m.example", "romeo@m.example/o", "romeo@m.example/x", "nurse@m.example", "m.example", "m.example/o",
    "romeo@other.example",
)  # fmt: skip


@pytest.mark.parametrize(("item", "covered"), MATCHING.items())
def test_matching(item: str, covered: tuple[bool, ...]) -> None:
    """The table of the section."""
    blocklist = Blocklist(JULIET, [item])
    assert tuple(blocklist.covers(Jid(address)) for address in ADDRESSES) == covered


@pytest.mark.parametrize("item", ["capulet.example", "juliet@capulet.example/balcony"])
def test_own_resources(item: str) -> None:
    """Relationship to Privacy Lists: communication between an account's resources is never blocked."""
    blocklist = Blocklist(JULIET, [item])
    assert not blocklist.covers(JULIET)
    assert not blocklist.covers(JULIET.with_resource("balcony"))
    assert Blocklist(JULIET, ["capulet.example"]).covers(Jid("nurse@capulet.example"))


def test_collection() -> None:
    """A list is iterated over in the order of its text, and knows its items."""
    blocklist = Blocklist(JULIET, ["romeo@m.example", "iago@m.example"])
    assert list(blocklist) == [Jid("iago@m.example"), Jid("romeo@m.example")]
    assert next(iter(blocklist)).localpart == "iago"
    assert len(blocklist) == 2
    assert Jid("iago@m.example") in blocklist
    assert Jid("iago@m.example/x") not in blocklist


def test_empty() -> None:
    """An empty list blocks nobody, and says so."""
    assert not Blocklist(JULIET).blocks
    assert Blocklist(JULIET, ["romeo@m.example"]).blocks
    assert not Blocklist(JULIET).covers(Jid("romeo@m.example"))
