"""XMPP addresses (RFC 7622): `Jid`, a string that is always in canonical form.

Since a `Jid` *is* its canonical text, comparing two of them, hashing one and using it as a key cost what they cost for
a `str`, and it goes into attributes, statements and subjects as it is. The canonical form is

* localpart: UsernameCaseMapped (RFC 8265), without ``" & ' / : < > @``;
* domainpart: lower-case labels, U-labels where a label is no ASCII (IDNA2008), no final dot; or an IPv4 address; or an
  IPv6 address in brackets, in its short form;
* resourcepart: OpaqueString (RFC 8265), case kept.

Addresses repeat, so texts are looked up in a bounded cache first. What is not there and is plain ASCII is split by one
regular expression and needs no PRECIS; domains, of which there are fewer, have a cache of their own in front of IDNA.
There is no escaping (XEP-0106): it is the client's.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address
from typing import ClassVar, Final, final
from unicodedata import normalize

import idna

from .precis import LONGEST, PrecisError, opaque, username

LONGEST_JID: Final = 3 * LONGEST + 2
"""The longest address that can be valid, in bytes of UTF-8."""

_GENERATION: Final = 8192  # addresses in each of the cache's two generations
_CACHED_LENGTH: Final = 255  # characters; longer texts are parsed each time, so that nobody fills memory with them

# what needs no PRECIS; the domain takes its own way, through a cache
_ascii_address: Final = re.compile(
    r"(?:([!#-%(-.0-9;=?A-Z\[-~]{1,1023})@)?([A-Za-z0-9.-]{1,1023})(?:/([ -~]{1,1023}))?"
).fullmatch
_forbidden_in_localpart: Final = re.compile(r"[\"&'/:<>@ ]").search
_width_variants: Final = re.compile("[\uff01-\uffef]")


class JidError(ValueError):
    """A text is no address."""


@final
class Jid(str):
    """A JID in canonical form; `Jid(text)` is `Jid.parse(text)`.

    :ivar localpart: the part before the at sign, or an empty string.
    :ivar domainpart: the domain.
    :ivar resourcepart: the part behind the slash, or an empty string.
    :ivar bare: the same address without resourcepart; the very same object if it has none.
    """

    __slots__ = ("bare", "domainpart", "localpart", "resourcepart")

    localpart: str
    domainpart: str
    resourcepart: str
    bare: "Jid"

    parse: ClassVar[Callable[[str], "Jid"]]
    """Return the address that a text denotes; raise `JidError`. The cache's own method, hence as fast as a dict."""

    def __new__(cls, text: str) -> "Jid":
        return _CACHE[text]

    @classmethod
    def make(cls, localpart: str, domainpart: str, resourcepart: str = "") -> "Jid":
        """Return the address with these parts, each prepared; an empty localpart or resourcepart is left out.

        :raises JidError: a part is not allowed.
        """
        if not resourcepart:
            # a text that denotes a bare address has no slash, and no second at sign: the parts are the same
            known = _CACHE.get(f"{localpart}@{domainpart}")
            if known is not None and known.bare is known:
                return known
        local = _localpart(localpart) if localpart else ""
        domain = _domainpart(domainpart)
        if resourcepart:
            return _build(local, domain, _resourcepart(resourcepart))
        return _CACHE.kept(_build(local, domain, ""))

    @property
    def is_bare(self) -> bool:
        """Whether the address has no resourcepart."""
        return not self.resourcepart

    def with_resource(self, resource: str) -> "Jid":
        """Return the same account's address with this resourcepart, prepared.

        :raises JidError: the resourcepart is empty or not allowed.
        """
        return _full(self.bare, _resourcepart(resource))

    def __reduce__(self) -> tuple[type["Jid"], tuple[str]]:
        return Jid, (str(self),)

    def __repr__(self) -> str:
        return f"Jid({str(self)!r})"


class _Cache(dict[str, Jid]):
    """Addresses by the texts that denote them: two generations, so that what is in use survives the bound.

    A full young generation becomes the old one; what is asked for again is young again.
    """

    __slots__ = ("_old",)

    def __init__(self) -> None:
        super().__init__()
        self._old: dict[str, Jid] = {}

    def __missing__(self, text: str) -> Jid:
        jid = self._old.get(text) or _parse(text)
        self._keep(str(text), jid)
        return jid

    def kept(self, jid: Jid) -> Jid:
        """Return the address that is known by this text; keep this one if there is none."""
        known = self.get(jid)
        if known is not None and known == jid:  # PRECIS may change a text that it has prepared
            return known
        self._keep(str(jid), jid)
        return jid

    def _keep(self, text: str, jid: Jid) -> None:
        if len(text) <= _CACHED_LENGTH:
            if len(self) >= _GENERATION:
                self._old = dict(self)
                self.clear()
            self[text] = jid


_CACHE: Final = _Cache()
Jid.parse = _CACHE.__getitem__


def _parse(text: str) -> Jid:
    """Split an address as RFC 7622, 3.2, says (first slash, then first at sign) and prepare its parts."""
    match = _ascii_address(text) if len(text) <= LONGEST_JID else None
    if match is not None:
        localpart, domainpart, resourcepart = match.groups("")
        return _build(localpart.lower(), _domainpart(domainpart), resourcepart)
    if len(text) > LONGEST_JID:
        raise JidError("an address has at most 3071 bytes")
    address, slash, resourcepart = text.partition("/")
    localpart, at, domainpart = address.partition("@")
    if not at:
        localpart, domainpart = "", address
    return _build(
        _localpart(localpart) if at else "",
        _domainpart(domainpart),
        _resourcepart(resourcepart) if slash else "",
    )


def _build(localpart: str, domainpart: str, resourcepart: str) -> Jid:
    """Return the address of parts that are prepared already; full ones share the cached bare address."""
    text = f"{localpart}@{domainpart}" if localpart else domainpart
    if resourcepart:
        return _full(_CACHE[text], resourcepart)
    jid = str.__new__(Jid, text)
    jid.localpart = localpart
    jid.domainpart = domainpart
    jid.resourcepart = ""
    jid.bare = jid
    return jid


def _full(bare: Jid, resourcepart: str) -> Jid:
    jid = str.__new__(Jid, f"{bare}/{resourcepart}")
    jid.localpart = bare.localpart
    jid.domainpart = bare.domainpart
    jid.resourcepart = resourcepart
    jid.bare = bare
    return jid


def _localpart(text: str) -> str:
    """Prepare a localpart (RFC 7622, 3.3). Width mapping may yield a forbidden character, so that is checked last."""
    try:
        prepared = username(text)
    except PrecisError as error:
        raise JidError(f"localpart: {error}") from error
    if _forbidden_in_localpart(prepared):
        raise JidError("localpart: a character is not allowed")
    return prepared


def _resourcepart(text: str) -> str:
    """Prepare a resourcepart (RFC 7622, 3.4)."""
    try:
        return opaque(text)
    except PrecisError as error:
        raise JidError(f"resourcepart: {error}") from error


@lru_cache(maxsize=4096)
def _domainpart(text: str) -> str:
    """Prepare a domainpart (RFC 7622, 3.2): a literal address, or labels mapped as RFC 5895 maps them."""
    if not 0 < len(text) <= LONGEST:
        raise JidError("domainpart: it has 1 to 1023 bytes")
    try:
        return _ipv6(text) if text.startswith("[") else _domain_name(text)
    except ValueError as error:  # that of idna, of its tables, of ipaddress and of our own
        raise JidError(f"domainpart: {error}") from error


def _ipv6(text: str) -> str:
    if not text.endswith("]") or "%" in text:
        raise JidError("a literal address is [IPv6], without a zone")
    return f"[{IPv6Address(text[1:-1]).compressed}]"


def _domain_name(text: str) -> str:
    """Map case and width, make the dot a dot, and let each label be a U-label or an NR-LDH label.

    The way through A-labels checks lengths too: 63 bytes a label, 253 a name (RFC 1035).
    """
    narrow = _width_variants.sub(lambda found: normalize("NFKC", found[0]), text)
    mapped = normalize("NFC", narrow.lower()).replace("\u3002", ".").removesuffix(".")
    if mapped.endswith("."):
        raise JidError("empty label")
    return idna.decode(idna.encode(mapped, strict=True), strict=True)
