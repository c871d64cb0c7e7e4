"""Addresses in the configuration: domains, accounts and the addresses that listeners bind.

These checks are of the form alone, for the operator's sake: `xmppd.protocol.jid` prepares and compares addresses.
"""

import ipaddress
import re
from typing import Final

import idna

_FORBIDDEN: Final = re.compile("[\"&'/:<>@\\s\x00-\x1f\x7f]")  # RFC 7622, 3.3.1, and what no localpart may contain
_LONGEST: Final = 1023  # bytes of each part: RFC 7622, 3.2 and 3.3
_ALL: Final = ("*", "::", "0.0.0.0")  # noqa: S104 (these are compared, not bound)


def domain_problem(domain: str) -> str:
    """Say what is wrong with the domainpart of a host; empty if nothing is."""
    if _is_ip(domain):
        return "" if ":" not in domain else "an IPv6 address cannot be a host: use a name"
    try:
        ascii_form = idna.encode(domain).decode()
    except idna.IDNAError:
        return _rewritten(domain) or 'is no domain name: write it like [hosts."example.org"]'
    written = idna.decode(ascii_form).rstrip(".")
    return "" if domain == written else f'write it as [hosts."{written}"]'


def account_problem(address: str) -> str:
    """Say what is wrong with the bare JID of an account; empty if nothing is."""
    localpart, at, domain = address.partition("@")
    if not at or not localpart or _FORBIDDEN.search(localpart) or len(localpart.encode()) > _LONGEST:
        return "is no account: write it like juliet@example.org"
    if "/" in domain:
        return f"is a full JID: write the account alone, {address.partition('/')[0]}"
    return f"the domain of {address} is none: write it like juliet@example.org" if domain_problem(domain) else ""


def contact_problem(address: str) -> str:
    """Say what is wrong with a contact address (XEP-0157 wants URIs); empty if nothing is."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", address):
        return ""
    return (
        f"is no address: write mailto:{address} or xmpp:{address}" if "@" in address else "is no URI: write https://…"
    )


def bind_problem(address: str) -> str:
    """Say what is wrong with the address of a listener; empty if nothing is."""
    return "" if address == "*" or _is_ip(address) else 'must be an IP address, or "*" for every one of this machine'


def is_loopback(address: str) -> bool:
    """Say whether only this machine can reach a listener's address."""
    return address != "*" and ipaddress.ip_address(address).is_loopback


def overlap(one: str, other: str) -> bool:
    """Say whether two listeners' addresses exclude each other on the same port."""
    if "*" in (one, other):
        return True
    first, second = ipaddress.ip_address(one), ipaddress.ip_address(other)
    return first.version == second.version and (first == second or one in _ALL or other in _ALL)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _rewritten(domain: str) -> str:
    """Return the remedy for a name that is right but for its capitals or its last dot; empty if there is none."""
    try:
        written = idna.decode(idna.encode(domain.lower().rstrip("."), uts46=True))
    except idna.IDNAError:
        return ""
    return f'write it as [hosts."{written}"]' if written != domain else ""
