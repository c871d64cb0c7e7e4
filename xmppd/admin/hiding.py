"""Passwords in stanzas: taken out before anybody sees them, whatever else may be seen.

Accounts are registered, rooms entered and administrative forms filled in with passwords that nobody but the two ends
needs to know.
"""

from typing import Final

from ..protocol.element import Element
from ..protocol.names import DATA_FORMS
from ..protocol.stanza import Stanza

HIDDEN: Final = "***"
SECRETS: Final = ("password", "passwd", "passphrase", "secret", "token", "digest")
"""What the name of an element, an attribute or a form's field says of what it holds."""

_FIELD: Final = f"{{{DATA_FORMS}}}field"
_PRIVATE: Final = "text-private"  # XEP-0004, 3.3


def without_secrets(stanza: Stanza) -> Stanza:
    """Return a stanza as it may be shown: the very same if it holds no secret."""
    element, added = hidden(stanza.element), tuple(map(hidden, stanza.added))
    if element is stanza.element and all(map(_is, added, stanza.added)):
        return stanza
    return Stanza(stanza.kind, element, stanza.to, stanza.from_, stanza.type, stanza.id, stanza.lang, added)


def hidden(element: Element) -> Element:
    """Return an element without the secrets in it, as deep as they are; the very same if there are none."""
    if is_secret(element):
        return Element(element.name, _attributes(element), [HIDDEN])
    attributes = _attributes(element)
    children = [child if isinstance(child, str) else hidden(child) for child in element.children]
    if attributes is element.attributes and all(map(_is, children, element.children)):
        return element
    return Element(element.name, attributes, children)


def is_secret(element: Element) -> bool:
    """Say whether everything in an element is secret: by its name, or as a form's field (XEP-0004)."""
    if element.name == _FIELD:
        return element.get("type") == _PRIVATE or _tells(element.get("var") or "")
    return _tells(element.local)


def _attributes(element: Element) -> dict[str, str]:
    if not any(map(_tells, element.attributes)) or element.name == _FIELD:
        return element.attributes
    return {name: HIDDEN if _tells(name) else value for name, value in element.attributes.items()}


def _tells(name: str) -> bool:
    return any(word in name.lower() for word in SECRETS)


def _is(one: object, other: object) -> bool:
    return one is other
