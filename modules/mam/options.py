"""What an operator may set about archives."""

from dataclasses import dataclass
from enum import StrEnum

from xmppd.config.schema import Duration, Size, option


class Default(StrEnum):
    """What becomes of messages that none of an account's lists is about (XEP-0441, Default behaviour)."""

    ALWAYS = "always"
    NEVER = "never"
    ROSTER = "roster"


@dataclass(slots=True)
class Config:
    """The archive of each account."""

    page: int = option(50, ge=1, le=1000, live=True, help="How many messages a page has if the client does not say.")
    largest_page: int = option(250, ge=1, le=1000, live=True, help="How many messages a page has at most.")
    page_size: Size = option(
        Size("1 MiB"),
        ge=Size("16 KiB"),
        le=Size("64 MiB"),
        live=True,
        help="How many bytes of messages a page has at most; one message it has at least.",
    )
    queries: int = option(
        4, ge=1, le=100, live=True, help="How many queries of one account, of all its clients, are answered at once."
    )
    default: Default = option(
        Default.ALWAYS,
        live=True,
        help="What is archived of accounts that have not said what they want: messages with everybody, with nobody, or "
        "with who is in the roster.",
    )
    hosts: dict[str, Default] = option(
        {}, live=True, example={"example.org": "roster"}, help="The same for single hosts, by their domain."
    )
    addresses: int = option(
        1000, ge=0, live=True, help="How many addresses an account may name for which it wants something else."
    )
    cache: int = option(
        20_000, ge=100, live=True, help="Of how many accounts it is remembered what they want to be archived."
    )
    retractable: Duration = option(
        Duration("30d"),
        ge=Duration("0s"),
        live=True,
        help="For how long its sender may take a message back, so that a mark takes its place in the archives.",
    )
