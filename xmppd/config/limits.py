"""Limits: how much anybody may ask of the server before it says no.

Every one of them has an error of its own on the wire, so that nothing is ever dropped in silence.
"""

from dataclasses import dataclass

from .schema import Duration, Size, option


@dataclass(slots=True, kw_only=True)
class Limits:
    """How much anybody may ask of the server."""

    stanza_before_login: Size = option(
        Size("10 kB"),
        ge=Size("10 kB"),
        le=Size("1 MB"),
        live=True,
        help="The size of one element before the other side has authenticated; RFC 6120 allows no less than 10 kB.",
    )
    stanza: Size = option(
        Size("256 kB"), ge=Size("10 kB"), le=Size("16 MB"), live=True, help="The size of one stanza afterwards."
    )
    depth: int = option(64, ge=8, le=1024, live=True, help="How deep elements may be nested.")
    attributes: int = option(64, ge=16, le=1024, live=True, help="How many attributes one element may have.")
    children: int = option(
        10_000, ge=100, le=1_000_000, live=True, help="How many elements a stanza may consist of, at every depth."
    )
    namespaces: int = option(
        64, ge=8, le=1024, live=True, help="How many namespace declarations one element may carry."
    )
    connections: int = option(
        100_000, ge=1, le=10_000_000, live=True, help="How many connections this process holds in all."
    )
    connections_per_address: int = option(
        200,
        ge=1,
        le=10_000_000,
        live=True,
        help="How many connections one IPv4 address or one IPv6 /64 network may hold; many users may share one.",
    )
    sessions_per_account: int = option(
        20, ge=1, le=1000, live=True, help="How many resources of one account may be connected."
    )
    negotiation: Duration = option(
        Duration("30s"),
        ge=Duration("1s"),
        le=Duration("10m"),
        live=True,
        help="How long a new connection may take until it has a session.",
    )
    idle_ping: Duration = option(
        Duration("5m"),
        ge=Duration("10s"),
        le=Duration("1d"),
        live=True,
        help="How long a session may be silent before it is asked whether it is still there.",
    )
    idle_timeout: Duration = option(
        Duration("1m"),
        ge=Duration("5s"),
        le=Duration("1h"),
        live=True,
        help="How long the answer may take before the connection counts as dead.",
    )
    send_buffer: Size = option(
        Size("1 MiB"),
        ge=Size("64 KiB"),
        le=Size("1 GiB"),
        live=True,
        help="How much may wait for a connection that does not read before it is closed.",
    )
    stanzas_per_turn: int = option(
        20,
        ge=1,
        le=1000,
        live=True,
        help="How many stanzas of one connection are handled before it is the turn of the others.",
    )
    login_tries: int = option(3, ge=1, le=20, live=True, help="How many times a stream may try to authenticate.")
    login_failures_per_address: int = option(
        20, ge=1, le=100_000, live=True, help="How many failed logins one address is allowed before it has to wait."
    )
    login_failures_per_account: int = option(
        10, ge=1, le=100_000, live=True, help="How many failed logins one account is allowed before it has to wait."
    )
    login_delay: Duration = option(
        Duration("1s"),
        ge=Duration("100ms"),
        le=Duration("1h"),
        live=True,
        help="How long the first wait is; each further failure doubles it.",
    )
    login_delay_limit: Duration = option(
        Duration("5m"), ge=Duration("1s"), le=Duration("1d"), live=True, help="How long the wait grows at most."
    )
    roster_items: int = option(
        1000, ge=10, le=100_000, live=True, help="How many contacts the roster of one account may hold."
    )
