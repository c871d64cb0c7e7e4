"""XEP-0484: Fast Authentication Streamlining Tokens, on the wire; the mechanisms are in `sasl.hashed_token`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .element import E, Element
from .errors import SaslFailure
from .timestamps import format_time

NS: Final = "urn:xmpp:fast:0"
FAST: Final = f"{{{NS}}}fast"
REQUEST_TOKEN: Final = f"{{{NS}}}request-token"
GREATEST_COUNT: Final = 2**31 - 1  # the schema's xs:int

_count: Final = re.compile(r"[0-9]{1,10}").fullmatch
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Use:
    """How a client uses its token.

    :ivar count: how often it has used the token, by its own count; None if it does not tell.
    :ivar invalidates: whether the token is to be good no more behind this login.
    """

    count: int | None = None
    invalidates: bool = False


def read_use(element: Element) -> Use:
    """Return what a client's `<fast/>` says.

    :raises SaslFailure: ``malformed-request`` if an attribute is not of its type.
    """
    count, invalidate = element.get("count"), element.get("invalidate", "false")
    if count is not None and (not _count(count) or int(count) > GREATEST_COUNT):
        raise SaslFailure("malformed-request", "The count of a token is a positive integer.")
    if invalidate not in _BOOLEANS:
        raise SaslFailure("malformed-request", "A token is invalidated by true or 1.")
    return Use(None if count is None else int(count), _BOOLEANS[invalidate])


def feature(mechanisms: Iterable[str]) -> Element:
    """Return what is offered inline: the mechanisms that take tokens. Early data of TLS is not accepted."""
    return E(FAST, *[E(f"{{{NS}}}mechanism", name) for name in mechanisms])


def token(text: str, expiry: float) -> Element:
    """Return the `<token/>` that gives a client its new token; `expiry` is in seconds since the epoch."""
    return E(f"{{{NS}}}token", token=text, expiry=format_time(expiry))
