"""The keys of blocked addresses. That the table is what the migrations make is `test_store`'s."""

from xmppd.modules.blocking.tables import digest_of
from xmppd.protocol.jid import Jid


def test_digest() -> None:
    """A digest is short, the same for one address and different for two."""
    romeo = Jid.parse("romeo@montague.example")
    assert len(digest_of(romeo)) == 16
    assert digest_of(romeo) == digest_of(Jid.parse("ROMEO@montague.example"))
    assert digest_of(romeo) != digest_of(Jid.parse("romeo@capulet.example"))
