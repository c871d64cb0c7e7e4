"""Admission: how many connections there may be, in all and from one address."""

import ipaddress
from enum import StrEnum


class Refusal(StrEnum):
    """Why a connection is not admitted."""

    TOTAL = "too many connections"
    ADDRESS = "too many connections from this address"


def network_of(address: str) -> str:
    """Return what is counted as one peer: an IPv4 address, or the /64 of an IPv6 address (anybody has a whole one)."""
    if ":" not in address:
        return address
    parsed = ipaddress.IPv6Address(address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(parsed) >> 64 << 64)}/64"


class Admission:
    """Counts open connections; listeners that share one share its limits.

    :param total: how many connections there may be.
    :param per_address: how many of them may come from one IPv4 address or one IPv6 /64.
    :ivar open: how many there are.
    :ivar refused: how many were refused, by reason.
    """

    __slots__ = ("_by_network", "open", "per_address", "refused", "total")

    def __init__(self, total: int, per_address: int) -> None:
        self.total = total
        self.per_address = per_address
        self.open = 0
        self.refused = dict.fromkeys(Refusal, 0)
        self._by_network: dict[str, int] = {}

    def enter(self, address: str) -> Refusal | None:
        """Count one connection from `address`, or return why it must be closed."""
        network = network_of(address)
        here = self._by_network.get(network, 0)
        refusal = self._verdict(here)
        if refusal is not None:
            self.refused[refusal] += 1
            return refusal
        self._by_network[network] = here + 1
        self.open += 1
        return None

    def leave(self, address: str) -> None:
        """Forget one connection that `enter` has counted."""
        network = network_of(address)
        self.open -= 1
        left = self._by_network[network] - 1
        if left:
            self._by_network[network] = left
        else:
            del self._by_network[network]

    def _verdict(self, here: int) -> Refusal | None:
        if self.open >= self.total:
            return Refusal.TOTAL
        return Refusal.ADDRESS if here >= self.per_address else None
