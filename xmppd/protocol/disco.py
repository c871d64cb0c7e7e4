"""Service discovery (XEP-0030): what an entity is, what it can do and what belongs to it.

The verification string of entity capabilities (XEP-0115) is computed here too, since it is made of the same data. It is
weak by design: parts are joined by a character that may occur in them, and nothing says where identities end, features
begin and forms follow. So `verify` refuses any part with that character, and `is_unambiguous` tells the answers whose
identities and features can be read in one way only; no other should be believed of anybody but its sender.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .dataforms import Form, parse_forms
from .element import E, Element
from .errors import BadRequest
from .jid import Jid
from .names import DISCO_INFO, DISCO_ITEMS, XML_LANG

INFO: Final = f"{{{DISCO_INFO}}}query"
ITEMS: Final = f"{{{DISCO_ITEMS}}}query"
CAPS: Final = "http://jabber.org/protocol/caps"

_IDENTITY: Final = f"{{{DISCO_INFO}}}identity"
_FEATURE: Final = f"{{{DISCO_INFO}}}feature"
_ITEM: Final = f"{{{DISCO_ITEMS}}}item"

HASHES: Final = {
    "sha-1": "sha1",
    "sha-224": "sha224",
    "sha-256": "sha256",
    "sha-384": "sha384",
    "sha-512": "sha512",
}
"""Hash functions by their names in the IANA registry, which XEP-0115 uses, and as `hashlib` has them."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """What an entity is; `category` and `type` are registered names."""

    category: str
    type: str
    lang: str = ""
    name: str = ""

    def element(self) -> Element:
        """Return the `<identity/>`."""
        lang = {XML_LANG: self.lang or None}
        return E(_IDENTITY, lang, category=self.category, type=self.type, name=self.name or None)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that belongs to an entity: another entity, or one of its nodes."""

    jid: Jid
    node: str = ""
    name: str = ""

    def element(self) -> Element:
        """Return the `<item/>`."""
        return E(_ITEM, jid=self.jid, node=self.node or None, name=self.name or None)


@dataclass(frozen=True, slots=True)
class Info:
    """The answer to a disco#info request.

    :ivar forms: extended information (XEP-0128).
    """

    identities: Sequence[Identity] = ()
    features: Sequence[str] = ()
    forms: Sequence[Form] = ()
    node: str = ""

    def element(self) -> Element:
        """Return the `<query/>`."""
        return E(
            INFO,
            *[identity.element() for identity in self.identities],
            *[E(_FEATURE, var=feature) for feature in self.features],
            *[form.element() for form in self.forms],
            node=self.node or None,
        )

    @classmethod
    def parse(cls, query: Element, lang: str = "") -> "Info":
        """Return what a `<query/>` says, duplicates and all; forms without form type are left out.

        :param lang: the language of the stanza, which identities inherit.
        :raises BadRequest: it is no answer, or an identity, a feature or a form in it is malformed.
        """
        if query.name != INFO:
            raise BadRequest("This is no answer to disco#info.")
        inherited = query.get(XML_LANG, lang) or ""
        return cls(
            tuple(_parse_identity(child, inherited) for child in query.elements() if child.name == _IDENTITY),
            tuple(_required(child, "var") for child in query.elements() if child.name == _FEATURE),
            tuple(form for form in parse_forms(query) if form.form_type),
            query.get("node") or "",
        )


def items_element(items: Iterable[Item], node: str = "") -> Element:
    """Return the `<query/>` that answers a disco#items request."""
    return E(ITEMS, *[item.element() for item in items], node=node or None)


def verification_hash(info: Info, hash_name: str = "sha-1") -> str:
    """Return the value of `ver` (XEP-0115, Generation Method).

    :param hash_name: one of `HASHES`.
    """
    return b64encode(hashlib.new(HASHES[hash_name], verification_string(info)).digest()).decode("ascii")


def verification_string(info: Info) -> bytes:
    """Return what is hashed; everything is sorted as bytes of UTF-8 (i;octet)."""
    parts = sorted(_identity_text(identity).encode() for identity in info.identities)
    parts += sorted(feature.encode() for feature in info.features)
    for form in sorted(info.forms, key=lambda form: form.form_type.encode()):
        parts.append(form.form_type.encode())
        for field in sorted(form.fields, key=lambda field: field.var.encode()):
            parts.append(field.var.encode())
            parts += sorted(text.encode() for text in field.texts)
    return b"".join([part + b"<" for part in parts])


def verify(info: Info, ver: str, hash_name: str) -> bool:
    """Say whether an answer is the one that `ver` stands for (XEP-0115, Processing Method).

    False, too, if it is ill-formed or if the hash function is not known: then it is its sender's alone.
    """
    return hash_name in HASHES and is_well_formed(info) and verification_hash(info, hash_name) == ver


def is_well_formed(info: Info) -> bool:
    """Say whether nothing is there twice and no part has a character that separates parts."""
    names = [_identity_text(identity) for identity in info.identities]
    types = [form.form_type for form in info.forms]
    if any(len(each) != len(set(each)) for each in (names, info.features, types)):
        return False
    fixed = [part for identity in info.identities for part in (identity.category, identity.type, identity.lang)]
    return not any("/" in part for part in fixed) and b"<" not in b"".join(_parts(info))


def is_unambiguous(info: Info) -> bool:
    """Say whether no answer with other identities or features has the same verification string.

    Identities, features and forms are joined without a mark between them. Identities end where a part does not look
    like one; features end where the order breaks. An answer whose first form type sorts behind its features may be one
    whose last features were cut off and called a form, so it is believed of its sender only.

    :param info: an answer that is well-formed.
    """
    if any(_looks_like_identity(feature) for feature in info.features):
        return False
    if not info.forms:
        return True
    first = min(form.form_type.encode() for form in info.forms)
    return bool(info.features) and first < max(feature.encode() for feature in info.features)


def caps_element(uri: str, info: Info, hash_name: str = "sha-1") -> Element:
    """Return the `<c/>` for presence, and for the server's own stream features (XEP-0115).

    :param uri: identifies the software; in a request the node is this, a number sign and the hash.
    """
    return E(f"{{{CAPS}}}c", hash=hash_name, node=uri, ver=verification_hash(info, hash_name))


def _identity_text(identity: Identity) -> str:
    return f"{identity.category}/{identity.type}/{identity.lang}/{identity.name}"


def _looks_like_identity(feature: str) -> bool:
    """Say whether a text could be CATEGORY/TYPE/LANG/NAME; an address of a web page cannot, for its type is empty."""
    category, *others = feature.split("/", 3)
    return len(others) == 3 and bool(category) and bool(others[0])


def _parts(info: Info) -> list[bytes]:
    """Return everything that goes into the verification string, in any order."""
    texts = [_identity_text(identity) for identity in info.identities]
    texts += info.features
    for form in info.forms:
        texts.append(form.form_type)
        for field in form.fields:
            texts += (field.var, *field.texts)
    return [text.encode() for text in texts]


def _required(element: Element, attribute: str) -> str:
    value = element.get(attribute)
    if not value:
        raise BadRequest(f"{element.local} has no {attribute}.")
    return value


def _parse_identity(element: Element, inherited: str) -> Identity:
    return Identity(
        _required(element, "category"),
        _required(element, "type"),
        element.get(XML_LANG, inherited) or "",
        element.get("name") or "",
    )
