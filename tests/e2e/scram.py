"""SCRAM from the client's side (RFC 5802), with channel binding of any type; hashlib does the arithmetic."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode


class Scram:
    """One exchange.

    :param mechanism: "SCRAM-SHA-256-PLUS", for example.
    :param binding: type and data of the channel binding; None sends the flag `n`.
    """

    def __init__(self, mechanism: str, username: str, password: str, binding: tuple[str, bytes] | None = None) -> None:
        self._hash = mechanism.removeprefix("SCRAM-").removesuffix("-PLUS").replace("-", "").lower()
        self._password = password
        kind, self._bound = binding or ("", b"")
        self._header = f"p={kind},," if binding else "n,,"
        self._bare = f"n={username},r={secrets.token_urlsafe(12)}"
        self._signature = b""

    def first(self) -> bytes:
        """Return the client's first message."""
        return (self._header + self._bare).encode()

    def final(self, challenge: bytes) -> bytes:
        """Return the answer to the server's first message."""
        fields = dict(part.split("=", 1) for part in challenge.decode().split(","))
        salted = hashlib.pbkdf2_hmac(self._hash, self._password.encode(), b64decode(fields["s"]), int(fields["i"]))
        bare = f"c={b64encode(self._header.encode() + self._bound).decode()},r={fields['r']}"
        signed = f"{self._bare},{challenge.decode()},{bare}".encode()
        client_key = hmac.digest(salted, b"Client Key", self._hash)
        signature = hmac.digest(hashlib.new(self._hash, client_key).digest(), signed, self._hash)
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", self._hash), signed, self._hash)
        proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        return f"{bare},p={b64encode(proof).decode()}".encode()

    def accepts(self, last: bytes) -> bool:
        """Say whether the server has proved that it knows the account."""
        return hmac.compare_digest(last, b"v=" + b64encode(self._signature))
