"""Accounts: what the core and the modules ask of the store that keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ..protocol.jid import Jid
from ..protocol.sasl.keys import ScramKeys as ScramKeys


class Role(StrEnum):
    """What an account may do beyond using the server."""

    USER = "user"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Account:
    """One registered account.

    :ivar jid: its bare JID.
    :ivar created: when it was registered, in seconds since the epoch.
    :ivar last_seen: when its last session ended, in seconds since the epoch; None if it never logged in.
    """

    jid: Jid
    role: Role
    enabled: bool
    created: float
    last_seen: float | None = None
    last_status: str = ""


Credentials = Mapping[str, ScramKeys]
"""SCRAM keys by the name of the hash as SASL writes it: "SHA-1", "SHA-256", "SHA-512"."""


class KeptCredentials(dict[str, ScramKeys]):
    """The credentials of an account as the store has them.

    :ivar is_enabled: whether the account may log in; told with the keys, so that a login asks the store once.
    """

    __slots__ = ("is_enabled",)

    def __init__(self, keys: Credentials, is_enabled: bool) -> None:
        super().__init__(keys)
        self.is_enabled = is_enabled


class AccountExists(Exception):
    """An account of that name is already registered."""


class AccountUnknown(Exception):
    """No account of that name is registered."""


class Accounts(Protocol):
    """The account store. Every method may wait for a database; `jid` is always a bare JID of a local host."""

    async def get(self, jid: Jid) -> Account | None:
        """Return the account, or None if nobody registered it."""

    async def exists(self, jid: Jid) -> bool:
        """Return whether somebody registered it."""

    async def credentials(self, jid: Jid) -> KeptCredentials | None:
        """Return the SCRAM keys of an account, or None if it does not exist; disabled accounts have theirs too."""

    async def create(self, jid: Jid, credentials: Credentials, role: Role = Role.USER) -> None:
        """Register an account; raise `AccountExists` if the name is taken."""

    async def set_credentials(self, jid: Jid, credentials: Credentials) -> None:
        """Replace the SCRAM keys; raise `AccountUnknown`."""

    async def add_credentials(self, jid: Jid, credentials: Credentials, beside: Credentials) -> bool:
        """Add the SCRAM keys of further hash functions, unless the account has some.

        :param beside: keys of the same password; if they are not the account's any more, nothing is added.
        :return: whether they still are.
        """

    async def set_role(self, jid: Jid, role: Role) -> None:
        """Change the role; raise `AccountUnknown`."""

    async def set_enabled(self, jid: Jid, enabled: bool) -> None:
        """Let the account log in, or no longer; raise `AccountUnknown`."""

    async def set_last_seen(self, jid: Jid, when: float, status: str = "") -> None:
        """Note when the last session of an account ended and its last unavailable status (XEP-0012)."""

    async def delete(self, jid: Jid) -> None:
        """Remove the account itself; raise `AccountUnknown`. Modules remove what is theirs on `AccountRemoved`."""

    async def page(self, host: str, after: str = "", limit: int = 100) -> Sequence[Account]:
        """Return up to `limit` accounts of a host in the order of their JIDs, those behind `after`."""

    async def count(self, host: str) -> int:
        """Return how many accounts a host has."""
