"""Growing delays for those who fail to log in, per address and per account.

An account that others attack must stay usable: what grows for an account is the wait *before the answer* to a failure,
never a refusal of the right password. An address that has used up its failures is answered late, too, and is told
`temporary-auth-failure` while its wait goes on; being told so is no further failure, or a client that tries again by
itself would never get out. An IPv6 address counts with its /64 network, all of which one customer has.
"""

from collections import OrderedDict
from ipaddress import IPv6Address
from typing import Final

from ..config.limits import Limits
from .clock import Clock

LONGEST_MEMORY: Final = 100_000  # entries; beyond that the oldest are forgotten
FORGET_AFTER: Final = 3600.0  # seconds without a failure


class _Failures:
    __slots__ = ("blocked_until", "count", "last")

    def __init__(self) -> None:
        self.count = 0
        self.last = 0.0
        self.blocked_until = 0.0


class LoginThrottle:
    """Counts failures; says how long to wait."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self.failures = 0

    def refused(self, address: str) -> bool:
        """Whether an address must wait before it may try again."""
        known = self._failures.get(_address_key(address))
        return known is not None and known.blocked_until > self._clock.seconds()

    def failed(self, address: str, account: str | None) -> float:
        """Count a failure; return for how many seconds to hold back the answer."""
        self.failures += 1
        limits = self._limits
        by_address = self._count(_address_key(address), limits.login_failures_per_address, blocks=True)
        by_account = self._count(f"account {account}", limits.login_failures_per_account) if account else 0.0
        # the connection that waits is bounded by the time that negotiation may take
        return min(max(by_address, by_account), float(limits.negotiation) / 2)

    def succeeded(self, account: str) -> None:
        """Forget the failures of an account; those of an address stay, or one right password would buy many guesses."""
        self._failures.pop(f"account {account}", None)

    def _count(self, key: str, allowed: int, *, blocks: bool = False) -> float:
        """Count a failure; return the wait it costs, and refuse further tries meanwhile if it `blocks`."""
        now = self._clock.seconds()
        known = self._failures.get(key)
        if known is None or now - known.last > FORGET_AFTER:
            known = self._failures[key] = _Failures()
        self._failures.move_to_end(key)
        while len(self._failures) > LONGEST_MEMORY:
            self._failures.popitem(last=False)
        known.count += 1
        known.last = now
        beyond = known.count - allowed
        if beyond <= 0:
            return 0.0
        limits = self._limits
        wait = float(min(limits.login_delay * 2.0 ** min(beyond - 1, 30), limits.login_delay_limit))
        if blocks:
            known.blocked_until = now + wait
        return wait


def _address_key(address: str) -> str:
    """Return what an address is counted under: itself, or the /64 network of an IPv6 address."""
    if ":" not in address:
        return f"address {address}"
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return f"address {address}"
    if parsed.ipv4_mapped is not None:
        return f"address {parsed.ipv4_mapped}"
    return f"address {IPv6Address(int(parsed) >> 64 << 64)}/64"
