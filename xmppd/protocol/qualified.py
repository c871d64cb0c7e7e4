"""Qualified names as expat tells them, and as everybody else has them.

expat, told to keep prefixes, says "local", "namespace}local" or "namespace}local}prefix", and refuses a namespace with
the separator in it. We say ``{namespace}local`` (James Clark's notation) and drop the prefix. Names repeat, so they
are looked up in a bounded cache, which also makes equal names one object: comparing them then costs nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

Told = tuple[Any, ...]
"""An element's content as expat tells it, flat: three entries for each start tag and each piece of character data.

They are how many elements are open around it, the stanza being the first; the element's name as expat says it, or None;
its attributes, or the character data.
"""

SEPARATOR: Final = "}"
_GENERATION: Final = 2048  # names in each of the cache's two generations
_CACHED_LENGTH: Final = 200  # characters; longer names are translated each time, so that nobody fills memory with them


class _Cache(dict[str, str]):
    """Names by what expat says: two generations, so that what is in use survives the bound."""

    __slots__ = ("_old",)

    def __init__(self) -> None:
        super().__init__()
        self._old: dict[str, str] = {}

    def __missing__(self, expat_name: str) -> str:
        name = self._old.get(expat_name) or _translated(expat_name)
        if len(expat_name) <= _CACHED_LENGTH:
            if len(self) >= _GENERATION:
                self._old = dict(self)
                self.clear()
            self[expat_name] = name
        return name


def _translated(expat_name: str) -> str:
    parts = expat_name.split(SEPARATOR)
    return expat_name if len(parts) == 1 else f"{{{parts[0]}}}{parts[1]}"


clark: Final[Callable[[str], str]] = _Cache().__getitem__
"""Translate what expat says. The cache's own method, hence as fast as a dict."""


def named(attributes: dict[str, str]) -> dict[str, str]:
    """Return attributes as expat tells them with their names translated; the same dict if there is nothing to do."""
    for key in attributes:
        if SEPARATOR in key:
            return {clark(key): value for key, value in attributes.items()}
    return attributes


def has_prefix(expat_name: str) -> bool:
    """Whether a name was written with a prefix that somebody has bound, which that of XML itself is not."""
    return expat_name.count(SEPARATOR) > 1 and not expat_name.endswith("}xml")


def uses_prefix(told: Sequence[Any]) -> bool:
    """Whether content has such a prefix on the name of an element or an attribute."""
    if any(has_prefix(name) for name in told[1::3] if name is not None):
        return True
    return any(has_prefix(key) for value in told[2::3] if value.__class__ is dict for key in value)
