"""XEP-0386: Bind 2: a resource and its features, asked for with the authentication (XEP-0388)."""

from collections.abc import Iterable
from typing import Final

from .element import E, Element
from .jid import Jid, JidError

NS: Final = "urn:xmpp:bind:0"
BIND: Final = f"{{{NS}}}bind"
TAG: Final = f"{{{NS}}}tag"


def feature(names: Iterable[str]) -> Element:
    """Return what is offered inline; `names` are the features that can be enabled while a resource is bound."""
    features = [E(f"{{{NS}}}feature", var=name) for name in names]
    return E(BIND, E(f"{{{NS}}}inline", *features) if features else None)


def bound(answers: Iterable[Element]) -> Element:
    """Return the `<bound/>`, with what the enabled features answer."""
    return E(f"{{{NS}}}bound", *answers)


def address(account: Jid, request: Element, identifier: str) -> Jid:
    """Return the full JID that a client gets (Resource identifier generation).

    The client's tag comes first, if it has one that a resourcepart can hold.

    :param identifier: what tells this client from the account's others; ASCII.
    """
    tag = (request.text_of(TAG) or "").strip()
    if tag:
        try:
            return account.with_resource(f"{tag}/{identifier}")
        except JidError:
            pass
    return account.with_resource(identifier)
