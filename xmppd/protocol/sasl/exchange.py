"""What an exchange answers, what it needs to know, and what every mechanism shares."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from ..errors import Misuse, SaslFailure
from ..jid import Jid, JidError
from .keys import ScramKeys

LONGEST_MESSAGE: Final = 8192
"""The longest message that a mechanism reads, in bytes: enough for two names, a nonce and any channel binding."""


@dataclass(slots=True)
class Challenge:
    """Send this challenge; the response goes to `Exchange.step`."""

    data: bytes


@dataclass(slots=True)
class LookUp:
    """Fetch the SCRAM keys of an account and call `Exchange.keys`, with fake ones if it does not exist.

    :ivar localpart_text: the account's localpart, in canonical form.
    :ivar hash_name: whose keys are wanted: "SHA-1", "SHA-256" or "SHA-512".
    """

    localpart_text: str
    hash_name: str


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Compare a password, prepared by OpaqueString, with the account's keys and call `Exchange.verified`.

    An account that does not exist must cost a comparison, too (with `scram.fake_keys`).
    """

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckCertificate:
    """Decide which account the client's certificate stands for and call `Exchange.verified`.

    :ivar authzid: the address that the client asks for; empty to let the certificate say it.
    """

    authzid: str


@dataclass(frozen=True, slots=True)
class CheckToken:
    """Compare what a client made of its token with what its account's tokens yield, and call `Exchange.checked`.

    An account that does not exist must cost as much, too.

    :ivar mechanism: the mechanism's name; a token is good for the one that it was given for.
    :ivar proof: see `hashed_token.initiator_proof`.
    :ivar binding: the channel binding data that both sides have hashed.
    """

    username: str
    mechanism: str
    proof: bytes = field(repr=False)
    binding: bytes


@dataclass(slots=True)
class Authenticated:
    """The end: the client is who it says.

    :ivar username: the localpart of its account; None if it is anonymous.
    :ivar data: what goes with the success; empty if there is nothing.
    """

    username: str | None
    data: bytes = b""


Answer = Challenge | LookUp | CheckPassword | CheckCertificate | CheckToken | Authenticated


@dataclass(slots=True)
class Context:
    """What a mechanism may know of its stream.

    :ivar host: the domainpart of the accounts; empty between servers, where a name is a domain.
    :ivar offered: the names of the mechanisms that this stream was offered, in the profile that it uses.
    :ivar tokens: those that take a token and were offered beside them (XEP-0484).
    :ivar channel_bindings: channel binding data of this connection by type; empty without TLS.
    :ivar nonce: returns a fresh, unguessable text of printable ASCII without commas.
    :ivar tls: whether the stream is encrypted.
    :ivar tells_offer: whether SCRAM tells the client a hash of what it was offered (XEP-0474).
    """

    host: str
    offered: Collection[str]
    channel_bindings: Mapping[str, bytes]
    nonce: Callable[[], str]
    tls: bool = True
    tokens: Collection[str] = ()
    tells_offer: bool = False

    def account(self, name: str, authzid: str) -> str:
        """Return the localpart of the account that a client names, and let it act for that account only.

        :raises SaslFailure: ``not-authorized`` if no account can have that name, ``invalid-authzid`` if the
            authorisation identity is another address.
        """
        try:
            identity = Jid.make(name, self.host) if self.host else Jid.parse(name)
        except JidError:
            raise SaslFailure("not-authorized") from None
        if authzid and not _denotes(authzid, identity):
            raise SaslFailure("invalid-authzid", "An account acts for itself only.")
        return identity.localpart if self.host else identity.domainpart


def _denotes(authzid: str, identity: Jid) -> bool:
    try:
        return Jid.parse(authzid) == identity
    except JidError:
        return False


class Exchange:
    """One try of a client to authenticate. Every method raises `SaslFailure` to refuse it, which ends the exchange.

    All mechanisms here let the client speak first: without an initial response the answer is an empty challenge.
    """

    _invited = False  # an empty challenge was sent

    def step(self, data: bytes | None) -> Answer:
        """Take what the client sent, decoded; None if it chose the mechanism without an initial response."""
        if data is None:
            if self._invited:
                raise SaslFailure("malformed-request", "A response was expected.")
            self._invited = True
            return Challenge(b"")
        self._invited = True
        return self._receive(data)

    def keys(self, keys: ScramKeys) -> Answer:
        """Take the SCRAM keys that `LookUp` asked for."""
        raise Misuse(f"{type(self).__name__} asked for no keys")

    def verified(self, ok: bool, username: str | None = None) -> Answer:
        """Take the outcome of `CheckPassword`, or of `CheckCertificate` with the account's localpart."""
        raise Misuse(f"{type(self).__name__} asked for no verification")

    def checked(self, answer: bytes | None) -> Answer:
        """Take the answer to the token that `CheckToken` was about."""
        raise Misuse(f"{type(self).__name__} asked for no token")

    def _receive(self, data: bytes) -> Answer:
        raise NotImplementedError


def text_of(data: bytes) -> str:
    """Return a message as text.

    :raises SaslFailure: ``malformed-request`` if it is too long or no UTF-8.
    """
    if len(data) > LONGEST_MESSAGE:
        raise SaslFailure("malformed-request", "The message is too long.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise SaslFailure("malformed-request", "The message is not UTF-8.") from None


def decode(text: str, *, sign_of_none: bool = True) -> bytes:
    """Return the bytes of the character data of `<auth/>` or `<response/>`.

    :param sign_of_none: whether "=" stands for no bytes (RFC 6120, 6.4.2), as it does not in SASL2.
    :raises SaslFailure: ``incorrect-encoding`` if the text is not the one base64 form of its bytes (RFC 6120, 13.9.1).
    """
    if sign_of_none and text == "=":
        return b""
    data = decode_base64(text)
    if data is None:
        raise SaslFailure("incorrect-encoding")
    return data


def encode(data: bytes) -> str:
    """Return bytes as base64; an empty challenge has no character data."""
    return b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: str) -> bytes | None:
    """Return the bytes of a text in canonical base64, or None: no white space, no stray bits, padding as it must be."""
    try:
        data = a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
    return data if encode(data) == text else None
