"""Stream features, kept as bytes: a login asks for them two or three times, and most streams are offered the same."""

from collections.abc import Hashable
from typing import Final

from .hooks import Hooks

MOST: Final = 1000  # kinds of stream; hosts times a few


class Offers:
    """The features of each kind of stream, until modules come or go.

    :param hooks: whose `generation` says that they did.
    """

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._generation = hooks.generation
        self._kept: dict[Hashable, bytes] = {}

    def get(self, key: Hashable) -> bytes | None:
        """Return what was kept for that kind of stream."""
        if self._generation != self._hooks.generation:
            self.forget()
        return self._kept.get(key)

    def keep(self, key: Hashable, features: bytes) -> bytes:
        """Keep features for the next stream of the kind; return them."""
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = features
        return features

    def forget(self) -> None:
        """Keep nothing: the configuration changed, or modules did."""
        self._kept.clear()
        self._generation = self._hooks.generation
