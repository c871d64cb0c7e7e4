"""Delayed delivery (XEP-0203): when a stanza was sent, and who kept it since."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from .element import E, Element
from .jid import Jid, JidError
from .names import DELAY
from .timestamps import format_time, parse_time

NAME: Final = f"{{{DELAY}}}delay"


@dataclass(frozen=True, slots=True)
class Delay:
    """One notation of a delay.

    :ivar stamp: when the stanza was sent, in seconds since the epoch.
    :ivar sender: who sent it or kept it; None if that is not said. Anybody can claim to be anybody here.
    :ivar reason: why, in some natural language.
    """

    stamp: float
    sender: Jid | None = None
    reason: str = ""

    def element(self) -> Element:
        """Return the `<delay/>`."""
        return E(NAME, self.reason or None, from_=self.sender, stamp=format_time(self.stamp))

    @classmethod
    def parse(cls, element: Element) -> "Delay":
        """Return what a `<delay/>` says.

        :raises ValueError: it is none, or its stamp or address is malformed.
        """
        if element.name != NAME:
            raise ValueError(f"{element.name} is no delay")
        sender = element.get("from")
        return cls(
            parse_time(element.get("stamp") or ""), None if sender is None else Jid.parse(sender), element.text.strip()
        )


def forged_delays(stanza: Element, domains: Collection[str]) -> list[Element]:
    """Return the delays that speak in the name of one of these domains, or of an account there.

    A stanza that comes in from a client or from another server cannot have them (XEP-0203, Security Considerations).
    """
    return [child for child in stanza.elements() if child.name == NAME and _domain(child.get("from")) in domains]


def _domain(address: str | None) -> str | None:
    try:
        return None if address is None else Jid.parse(address).domainpart
    except JidError:
        return None
