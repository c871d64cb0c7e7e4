"""The account store, with the consequences of what is done through it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..protocol.errors import StreamError
from ..protocol.jid import Jid
from .accounts import Account, Accounts, Credentials, KeptCredentials, Role
from .clock import Clock
from .events import AccountCreated, AccountDisabled, AccountRemoved
from .hooks import Hooks
from .known_accounts import KnownAccounts
from .sessions import Sessions


class AnnouncingAccounts:
    """Implements `Accounts`: a new account is announced, one that is disabled or removed loses its sessions.

    A removed account is announced before its row goes, so that modules can still tell its contacts. Its sessions end
    in the next turn of the loop, so that the one that asked for it gets its answer (XEP-0077, Entity Cancels an
    Existing Registration).
    """

    def __init__(
        self,
        store: Accounts,
        hooks: Hooks,
        sessions: Sessions,
        soon: Callable[[Callable[[], None]], Any],
        clock: Clock,
    ) -> None:
        self._known = KnownAccounts(clock)
        self._going: set[Jid] = set()
        self._store = store
        self._hooks = hooks
        self._sessions = sessions
        self._soon = soon

    async def get(self, jid: Jid) -> Account | None:
        """Return the account, or None."""
        return await self._store.get(jid)

    async def exists(self, jid: Jid) -> bool:
        """Return whether there is such an account, as it was within the last minute; one that is going is none."""
        if jid in self._known:
            return True
        found = await self._store.exists(jid) and jid not in self._going
        if found:
            self._known.add(jid)
        return found

    async def credentials(self, jid: Jid) -> KeptCredentials | None:
        """Return the SCRAM keys, or None."""
        return await self._store.credentials(jid)

    async def create(self, jid: Jid, credentials: Credentials, role: Role = Role.USER) -> None:
        """Register an account and announce it."""
        await self._store.create(jid, credentials, role)
        account = await self._store.get(jid)
        if account is not None:
            await self._hooks.notify(AccountCreated(account))

    async def set_credentials(self, jid: Jid, credentials: Credentials) -> None:
        """Replace the SCRAM keys; sessions that are open stay, as XEP-0077 wants for the one that does it."""
        await self._store.set_credentials(jid, credentials)

    async def add_credentials(self, jid: Jid, credentials: Credentials, beside: Credentials) -> bool:
        """Add the SCRAM keys of further hash functions; return whether the password is still that of `beside`."""
        return await self._store.add_credentials(jid, credentials, beside)

    async def set_role(self, jid: Jid, role: Role) -> None:
        """Change the role."""
        await self._store.set_role(jid, role)

    async def set_enabled(self, jid: Jid, enabled: bool) -> None:
        """Let the account log in, or end its sessions and let it no longer."""
        await self._store.set_enabled(jid, enabled)
        if not enabled:
            await self._hooks.notify(AccountDisabled(jid))
            self._soon(partial(self._end_sessions, jid, StreamError("policy-violation", "this account was disabled")))

    async def set_last_seen(self, jid: Jid, when: float, status: str = "") -> None:
        """Note when the last session ended."""
        await self._store.set_last_seen(jid, when, status)

    async def delete(self, jid: Jid) -> None:
        """Remove an account, what modules keep for it, and its sessions."""
        self._going.add(jid)
        self._known.discard(jid)
        try:
            await self._hooks.notify(AccountRemoved(jid))
            await self._store.delete(jid)
        finally:
            self._going.discard(jid)
        self._soon(partial(self._end_sessions, jid, StreamError("not-authorized", "this account was removed")))

    def _end_sessions(self, jid: Jid, error: StreamError) -> None:
        self._sessions.close(jid, error)

    async def page(self, host: str, after: str = "", limit: int = 100) -> Sequence[Account]:
        """Return a page of a host's accounts."""
        return await self._store.page(host, after, limit)

    async def count(self, host: str) -> int:
        """Return how many accounts a host has."""
        return await self._store.count(host)
