"""What stands for an address: the digest and the slot."""

from hashlib import blake2b

from xmppd.protocol.jid import Jid
from xmppd.storage.message_log import keys
from xmppd.storage.message_log.keys import Keys, digest_of
from xmppd.storage.slots import slot_of

from .logs import JULIET, ROMEO


def test_digest() -> None:
    """16 bytes of BLAKE2b over the canonical form."""
    assert blake2b(b"romeo@montague.example", digest_size=16).digest() == digest_of(ROMEO)


def test_key() -> None:
    """The digest, and the slot that decides the shard."""
    assert (digest_of(ROMEO), slot_of(ROMEO)) == Keys()[ROMEO]


def test_made_once() -> None:
    """The key of a known address is the one it was."""
    known = Keys()
    assert known[ROMEO] is known[Jid(str(ROMEO))]
    assert known[ROMEO] != known[JULIET]


def test_bounded() -> None:
    """However many addresses there are, few are remembered."""
    known = Keys()
    for number in range(keys.KEPT + 10):
        assert known[Jid(f"u{number}@h")].slot == slot_of(f"u{number}@h")
    assert len(known) == 10
