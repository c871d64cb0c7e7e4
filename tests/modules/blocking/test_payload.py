"""The payloads of XEP-0191."""

import pytest

from xmppd.modules.blocking.payload import BLOCK, BLOCKLIST, ITEM, read_items, refusal, with_items
from xmppd.protocol.element import E
from xmppd.protocol.errors import BadRequest, JidMalformed
from xmppd.protocol.jid import Jid


def test_read() -> None:
    """Addresses in canonical form, with what else was said; what is no item is no matter."""
    report = E("{urn:xmpp:reporting:1}report", reason="urn:xmpp:reporting:spam")
    item = E(ITEM, report, jid="ROMEO@Montague.Example")
    found = read_items(E(BLOCK, item, E("{urn:example:x}x"), E(ITEM, jid="iago@shakespeare.example")))
    assert [each.jid for each in found] == ["romeo@montague.example", "iago@shakespeare.example"]
    assert found[0].element is item
    assert read_items(E(BLOCK)) == []


@pytest.mark.parametrize(("item", "error"), [(E(ITEM), BadRequest), (E(ITEM, jid=""), BadRequest)])
def test_without_an_address(item: object, error: type[Exception]) -> None:
    """An item is about somebody."""
    with pytest.raises(error):
        read_items(E(BLOCK, item))  # type: ignore[arg-type]


def test_malformed() -> None:
    """What is no address cannot be blocked."""
    with pytest.raises(JidMalformed):
        read_items(E(BLOCK, E(ITEM, jid="@montague.example")))


def test_write() -> None:
    """Lists and pushes are of one form."""
    assert with_items(BLOCKLIST, []) == E(BLOCKLIST)
    assert with_items(BLOCK, [Jid("romeo@m.example")]) == E(BLOCK, E(ITEM, jid="romeo@m.example"))


def test_refusal() -> None:
    """Example 8: the error says that the address is blocked."""
    error = refusal()
    assert (error.condition, error.type) == ("not-acceptable", "cancel")
    assert error.element().child("{urn:xmpp:blocking:errors}blocked") is not None
