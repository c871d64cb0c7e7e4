"""The client's side of SCRAM (RFC 5802, RFC 7677), with the costly part kept.

PBKDF2 is the client's cost, not the server's. It is paid once for each salt, and kept in a file between runs.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from pathlib import Path

HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
GS2_HEADER = b"n,,"  # no channel binding, no authorisation identity

# hash, password, salt, iterations -> SaltedPassword
Salting = Callable[[str, bytes, bytes, int], bytes]


class ScramError(Exception):
    """The server's side of the exchange is wrong."""


class SaltedPasswords:
    """SaltedPassword by hash, password, salt and iterations; `path` keeps them, if given."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, str] = {}
        self._changed = False
        if path is not None and path.exists():
            self._known = json.loads(path.read_text())

    def __call__(self, algorithm: str, password: bytes, salt: bytes, iterations: int) -> bytes:
        """Return the SaltedPassword, computing it at most once."""
        key = f"{algorithm} {iterations} {salt.hex()} {password.hex()}"
        known = self._known.get(key)
        if known is not None:
            return bytes.fromhex(known)
        salted = hashlib.pbkdf2_hmac(algorithm, password, salt, iterations)
        self._known[key] = salted.hex()
        self._changed = True
        return salted

    def save(self) -> None:
        """Write what is new, whole or not at all."""
        if self._path is not None and self._changed:
            beside = self._path.with_suffix(f".{os.getpid()}")
            beside.write_text(json.dumps(self._known))
            beside.replace(self._path)
            self._changed = False


def attributes(message: bytes) -> dict[bytes, bytes]:
    """Split ``r=...,s=...,i=...`` (RFC 5802, 5.1)."""
    return dict(part.split(b"=", 1) for part in message.split(b",") if b"=" in part)


class Scram:
    """One exchange: `first`, then `final` with the server's first message, then `check` with its last."""

    def __init__(self, mechanism: str, name: bytes, password: bytes, salting: Salting, nonce: bytes = b"") -> None:
        self._hash = HASHES[mechanism]
        self._password = password
        self._salting = salting
        self._nonce = nonce or base64.b64encode(os.urandom(18))
        self._bare = b"n=%s,r=%s" % (name.replace(b"=", b"=3D").replace(b",", b"=2C"), self._nonce)
        self._signature = b""

    def first(self) -> bytes:
        """Return the client-first-message."""
        return GS2_HEADER + self._bare

    def final(self, server_first: bytes) -> bytes:
        """Return the client-final-message."""
        given = attributes(server_first)
        try:
            nonce, salt, iterations = given[b"r"], base64.b64decode(given[b"s"]), int(given[b"i"])
        except (KeyError, ValueError) as error:
            raise ScramError(f"not a server-first-message: {server_first!r}") from error
        if not nonce.startswith(self._nonce):
            raise ScramError("the server's nonce does not extend ours")
        salted = self._salting(self._hash, self._password, salt, iterations)
        without_proof = b"c=%s,r=%s" % (base64.b64encode(GS2_HEADER), nonce)
        return without_proof + b",p=" + self._proof(salted, b",".join((self._bare, server_first, without_proof)))

    def check(self, server_final: bytes) -> None:
        """Raise unless the server has proved that it knows the account."""
        if attributes(server_final).get(b"v") != self._signature:
            raise ScramError(f"the server's signature is wrong: {server_final!r}")

    def _proof(self, salted: bytes, auth_message: bytes) -> bytes:
        client_key = hmac.digest(salted, b"Client Key", self._hash)
        stored_key = hashlib.new(self._hash, client_key).digest()
        signature = hmac.digest(stored_key, auth_message, self._hash)
        server_key = hmac.digest(salted, b"Server Key", self._hash)
        self._signature = base64.b64encode(hmac.digest(server_key, auth_message, self._hash))
        return base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True)))
