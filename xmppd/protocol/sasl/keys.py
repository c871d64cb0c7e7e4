"""SCRAM keys (RFC 5802, 3): what a server keeps instead of a password."""

import hashlib
import hmac
from typing import Final, NamedTuple

from ..precis import PrecisError, opaque

DIGESTS: Final = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512"}
"""Hash functions as SASL names them, and as `hashlib` does."""

DIGEST_SIZES: Final = {name: hashlib.new(digest).digest_size for name, digest in DIGESTS.items()}
"""How many bytes each of them yields."""

SALT_BYTES: Final = 16
"""The length of a fake salt; real ones must have the same, or strangers could be told apart."""

ITERATIONS: Final = 10_000
"""How often the hash function is iterated unless the caller says otherwise; RFC 7677 asks for 4096 at least."""


class ScramKeys(NamedTuple):
    """What RFC 5802 lets a server keep of a password, for one hash function."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    def __repr__(self) -> str:
        return f"ScramKeys(salt={self.salt!r}, iterations={self.iterations!r})"  # the keys are secrets


def derive(password: str, hash_name: str, iterations: int, salt: bytes) -> ScramKeys:
    """Return the keys of a password. This takes milliseconds: call it off the loop.

    :raises PrecisError: the password is empty or has a character that OpaqueString forbids.
    """
    salted = hashlib.pbkdf2_hmac(DIGESTS[hash_name], opaque(password).encode(), salt, iterations)
    return keys_of_salted(salted, hash_name, iterations, salt)


def keys_of_salted(salted: bytes, hash_name: str, iterations: int, salt: bytes) -> ScramKeys:
    """Return the keys of a password of which the SaltedPassword is known (RFC 5802, 3)."""
    digest = DIGESTS[hash_name]
    stored_key = hashlib.new(digest, hmac.digest(salted, b"Client Key", digest)).digest()
    return ScramKeys(salt, iterations, stored_key, hmac.digest(salted, b"Server Key", digest))


def check_password(password: str, keys: ScramKeys, hash_name: str) -> bool:
    """Say whether a password is that of the keys, in constant time; as slow as `derive`."""
    try:
        given = derive(password, hash_name, keys.iterations, keys.salt)
    except PrecisError:
        return False
    return hmac.compare_digest(given.stored_key, keys.stored_key)


def fake_keys(secret: bytes, username: str, hash_name: str, iterations: int = ITERATIONS) -> ScramKeys:
    """Return keys for an account that does not exist: the same each time, and no password fits them.

    :param secret: known to all nodes and to nobody else, at least 16 random bytes; it must outlive a restart.
    :param iterations: what new accounts get, so that a stranger cannot see the difference.
    """
    digest = DIGESTS[hash_name]

    def stretch(purpose: str, by: str) -> bytes:
        return hmac.digest(secret, f"{purpose}\0{hash_name}\0{username}".encode(), by)

    return ScramKeys(
        stretch("salt", "sha256")[:SALT_BYTES], iterations, stretch("stored", digest), stretch("server", digest)
    )
