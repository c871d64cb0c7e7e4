"""Passwords into SCRAM keys, and back into a yes or no.

The server keeps what RFC 5802 lets it keep of a password, for each hash function that a SCRAM mechanism uses. Deriving
the keys takes milliseconds on purpose: on a server's loop call these functions in a thread.
"""

import secrets
from hashlib import blake2b
from typing import Final

from ..protocol.sasl import keys
from .accounts import Credentials

HASHES: Final = ("SHA-1", "SHA-256", "SHA-512")
"""From the weakest to the strongest."""

ITERATIONS: Final = keys.ITERATIONS


def derive_all(password: str, iterations: int = ITERATIONS) -> Credentials:
    """Return fresh keys of `password` for every hash function, each with a salt of its own.

    :raises ValueError: the password is empty or holds what OpaqueString (RFC 8265) forbids.
    """
    return {name: keys.derive(password, name, iterations, secrets.token_bytes(keys.SALT_BYTES)) for name in HASHES}


def check_password(password: str, credentials: Credentials) -> bool:
    """Say whether `password` is the one of these keys; the strongest hash function that has any decides."""
    for name in reversed(HASHES):
        kept = credentials.get(name)
        if kept is not None:
            return keys.check_password(password, kept, name)
    return False


def marks(credentials: Credentials) -> list[bytes]:
    """Return what tells this password's keys from another's, by hash function, the strongest first.

    Whoever notes one of them with what a password has let in can tell later whether that password still holds, wherever
    it was changed. Keys of further hash functions (XEP-0480) leave the marks of the others as they are.
    """
    return [_mark(name, credentials[name]) for name in reversed(HASHES) if name in credentials]


def _mark(name: str, kept: keys.ScramKeys) -> bytes:
    return blake2b(kept.salt + kept.stored_key, digest_size=16, person=name.encode()).digest()
