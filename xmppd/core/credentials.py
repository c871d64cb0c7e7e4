"""Passwords into SCRAM keys, and back into a yes or no.

The server keeps what RFC 5802 lets it keep of a password, for each hash function that a SCRAM mechanism uses. Deriving
the keys takes milliseconds on purpose: on a server's loop call these functions in a thread.
"""

import hmac
import secrets
from typing import Final

from ..protocol.sasl.scram import derive
from .accounts import Credentials, ScramKeys

HASHES: Final = ("SHA-1", "SHA-256", "SHA-512")
SALT_BYTES: Final = 16
ITERATIONS: Final = 10_000
"""RFC 7677 asks for 4096 at least."""


def derive_all(password: str, iterations: int = ITERATIONS) -> Credentials:
    """Return fresh keys of `password` for every hash function, each with a salt of its own.

    :raises ValueError: the password is empty or holds what RFC 8265 forbids.
    """
    if not password:
        raise ValueError("the password is empty")
    return {name: derive(password, name, iterations, secrets.token_bytes(SALT_BYTES)) for name in HASHES}


def check_password(password: str, credentials: Credentials) -> bool:
    """Say whether `password` is the one of these keys; the strongest hash function that has any decides."""
    for name in reversed(HASHES):
        kept = credentials.get(name)
        if kept is not None:
            return _fits(password, name, kept)
    return False


def _fits(password: str, name: str, kept: ScramKeys) -> bool:
    try:
        given = derive(password, name, kept.iterations, kept.salt)
    except ValueError:
        return False
    return hmac.compare_digest(given.stored_key, kept.stored_key)
