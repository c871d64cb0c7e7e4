"""What stands for an address in the log: a digest, and the slot that decides the shard."""

from hashlib import blake2b
from typing import Final, NamedTuple

from ...protocol.jid import Jid
from ..slots import slot_of

KEPT: Final = 8192
"""Addresses whose keys are remembered; more than a busy node meets in a minute."""


def digest_of(bare: str) -> bytes:
    """Return the digest of a bare JID."""
    return blake2b(bare.encode(), digest_size=16).digest()


class Key(NamedTuple):
    """The key of a bare JID."""

    digest: bytes
    slot: int


class Keys(dict[Jid, Key]):
    """Keys by bare JID, made when they are asked for: `keys[jid]`. Used from the loop's thread only."""

    def __missing__(self, bare: Jid) -> Key:
        if len(self) >= KEPT:  # all at once: a key costs less than keeping the order of their use
            self.clear()
        key = self[bare] = Key(digest_of(bare), slot_of(bare))
        return key
