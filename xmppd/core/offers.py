"""What streams are offered, kept: a login asks for it two or three times, and most streams are offered the same."""

from collections.abc import Hashable
from typing import Final, NamedTuple

from .events import InlineFeatures
from .hooks import Hooks

MOST: Final = 1000  # kinds of stream; hosts times a few


class Offer(NamedTuple):
    """What one kind of stream is offered.

    :ivar features: the stream features, as bytes.
    :ivar mechanisms: the names of the mechanisms among them; none behind the login, or where TLS must come first.
    :ivar inline: what may be asked for together with an authentication by SASL2; None if that is not offered.
    """

    features: bytes
    mechanisms: tuple[str, ...]
    inline: InlineFeatures | None = None


class Offers:
    """The offer to each kind of stream, until modules come or go.

    :param hooks: whose `generation` says that they did.
    """

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._generation = hooks.generation
        self._kept: dict[Hashable, Offer] = {}

    def get(self, key: Hashable) -> Offer | None:
        """Return what was kept for that kind of stream."""
        if self._generation != self._hooks.generation:
            self.forget()
        return self._kept.get(key)

    def keep(self, key: Hashable, offer: Offer) -> Offer:
        """Keep an offer for the next stream of the kind; return it."""
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = offer
        return offer

    def forget(self) -> None:
        """Keep nothing: the configuration changed, or modules did."""
        self._kept.clear()
        self._generation = self._hooks.generation
