"""SCRAM (RFC 5802, RFC 7677): a proof of the password that does not show it, with or without channel binding.

The four messages::

    C: client-first   n,,n=romeo,r=<client nonce>                     -> LookUp, then `keys`
    S: server-first   r=<client nonce><server nonce>,s=<salt>,i=<n>[,h=<hash of what was offered>]
    C: client-final   c=<gs2 header and binding>,r=<both nonces>,p=<proof>
    S: server-final   v=<server signature>                            with the success

`h` is XEP-0474's, if the context wants it: a client that was offered something else learns that somebody is in between.
The server never learns the password: it keeps `ScramKeys` and compares what the proof yields with the stored key.
"""

import hashlib
import hmac
import re
from collections.abc import Collection
from typing import Final, NamedTuple

from ..errors import Misuse, SaslFailure
from .exchange import Answer, Authenticated, Challenge, Context, Exchange, LookUp, decode_base64, encode, text_of
from .keys import DIGESTS, ITERATIONS, SALT_BYTES, ScramKeys, check_password, derive, fake_keys

__all__ = ["DIGESTS", "ITERATIONS", "SALT_BYTES", "Scram", "ScramKeys", "check_password", "derive", "fake_keys"]

# RFC 5802, 7. A name has "," and "=" as =2C and =3D; a nonce is printable and has no comma; extensions follow. The
# letter m asks for an extension that must be understood: none is.
_NAME: Final = r"(?:[^\0,=]|=2C|=3D)+"
_NONCE: Final = r"[!-+\--~]+"
_EXTENSIONS: Final = r"(?:,[A-Za-ln-z]=[^\0,]+)*"
_client_first: Final = re.compile(
    rf"(?P<header>(?P<flag>n|y|p=(?P<binding>[A-Za-z0-9.-]+)),(?:a=(?P<authzid>{_NAME}))?,)"
    rf"(?P<bare>n=(?P<name>{_NAME}),r=(?P<nonce>{_NONCE}){_EXTENSIONS})"
).fullmatch
_client_final: Final = re.compile(
    rf"(?P<signed>c=(?P<binding>[A-Za-z0-9+/=]+),r=(?P<nonce>{_NONCE}){_EXTENSIONS}),p=(?P<proof>[A-Za-z0-9+/=]+)"
).fullmatch


class _First(NamedTuple):
    """What the client's first message said."""

    username: str
    nonce: str
    bare: str
    binding: bytes


class Scram(Exchange):
    """One hash function, with channel binding (-PLUS) or without."""

    def __init__(self, context: Context, hash_name: str, plus: bool) -> None:
        self._context = context
        self._hash_name = hash_name
        self._plus = plus
        self._first: _First | None = None
        self._keys: ScramKeys | None = None
        self._server_first = ""
        self._nonce = ""

    def _receive(self, data: bytes) -> Answer:
        if self._first is None:
            self._first = self._read_first(text_of(data))
            return LookUp(self._first.username, self._hash_name)
        if self._keys is None:
            raise Misuse("the keys are still being looked up")
        return self._read_final(text_of(data), self._first, self._keys)

    def keys(self, keys: ScramKeys) -> Answer:
        """Take the account's keys; the answer is the server's first message."""
        if self._first is None or self._keys is not None:
            raise Misuse("no keys were asked for")
        self._keys = keys
        self._nonce = self._first.nonce + self._context.nonce()
        self._server_first = f"r={self._nonce},s={encode(keys.salt)},i={keys.iterations}{self._offer()}"
        return Challenge(self._server_first.encode())

    def _offer(self) -> str:
        context = self._context
        if not context.tells_offer:
            return ""
        return f",h={offer_hash(context.offered, context.channel_bindings, self._hash_name)}"

    def _read_first(self, message: str) -> _First:
        match = _client_first(message)
        if match is None:
            raise SaslFailure("malformed-request", "This is no client-first-message of SCRAM.")
        name = self._context.account(_unescape(match["name"]), _unescape(match["authzid"] or ""))
        binding = self._bound(match["flag"][0], match["binding"])
        return _First(name, match["nonce"], match["bare"], match["header"].encode() + binding)

    def _bound(self, flag: str, binding: str | None) -> bytes:
        """Return the channel binding data that the client must repeat; check its flag (RFC 5802, 6)."""
        if self._plus is not (flag == "p"):
            raise SaslFailure("malformed-request", "The flag for channel binding does not fit the mechanism.")
        if binding is None:
            if flag == "y" and any(name.endswith("-PLUS") for name in self._context.offered):
                raise SaslFailure("not-authorized", "Channel binding was offered; somebody hid it from you.")
            return b""
        if binding not in self._context.channel_bindings:
            raise SaslFailure("malformed-request", "This type of channel binding is not supported.")
        return self._context.channel_bindings[binding]

    def _read_final(self, message: str, first: _First, keys: ScramKeys) -> Answer:
        match = _client_final(message)
        binding, proof = (decode_base64(match["binding"]), decode_base64(match["proof"])) if match else (None, None)
        if match is None or binding is None or proof is None or len(proof) != len(keys.stored_key):
            raise SaslFailure("malformed-request", "This is no client-final-message of SCRAM.")
        signed = f"{first.bare},{self._server_first},{match['signed']}".encode()
        # not one of the three is told apart from the others, nor may the time tell which failed
        sound = hmac.compare_digest(binding, first.binding)
        sound &= hmac.compare_digest(match["nonce"].encode(), self._nonce.encode())
        sound &= self._proves(proof, signed, keys.stored_key)
        if not sound:
            raise SaslFailure("not-authorized")
        signature = hmac.digest(keys.server_key, signed, DIGESTS[self._hash_name])
        return Authenticated(first.username, f"v={encode(signature)}".encode())

    def _proves(self, proof: bytes, signed: bytes, stored_key: bytes) -> bool:
        """Say whether the proof hides the client's key (RFC 5802, 3)."""
        digest = DIGESTS[self._hash_name]
        signature = hmac.digest(stored_key, signed, digest)
        size = len(signature)
        client_key = (int.from_bytes(proof, "big") ^ int.from_bytes(signature, "big")).to_bytes(size, "big")
        return hmac.compare_digest(hashlib.new(digest, client_key).digest(), stored_key)


def offer_hash(mechanisms: Collection[str], channel_bindings: Collection[str], hash_name: str) -> str:
    """Return the hash of what a stream was offered, in base64 (XEP-0474, Server Sends Downgrade Protection Hash).

    :param mechanisms: those of the SASL profile in use; names are ASCII, so that Python sorts them as i;octet does.
    :param channel_bindings: the types that XEP-0440 announced.
    """
    text = "\x1e".join(sorted(mechanisms))
    if channel_bindings:
        text += "\x1f" + "\x1e".join(sorted(channel_bindings))
    return encode(hashlib.new(DIGESTS[hash_name], text.encode()).digest())


def _unescape(name: str) -> str:
    """Return a name as it is; the grammar has let no other equals sign through."""
    return name.replace("=2C", ",").replace("=3D", "=")
