"""An account store in memory, for tests that are about something else."""

from collections.abc import Sequence
from dataclasses import replace

from xmppd.core.accounts import Account, AccountExists, AccountUnknown, Credentials, Role
from xmppd.protocol.jid import Jid


class MemoryAccounts:
    """Implements `xmppd.core.accounts.Accounts`."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._credentials: dict[str, Credentials] = {}

    async def get(self, jid: Jid) -> Account | None:
        return self._accounts.get(jid)

    async def exists(self, jid: Jid) -> bool:
        return jid in self._accounts

    async def credentials(self, jid: Jid) -> Credentials | None:
        return self._credentials.get(jid)

    async def create(self, jid: Jid, credentials: Credentials, role: Role = Role.USER) -> None:
        if jid in self._accounts:
            raise AccountExists(jid)
        self._accounts[jid] = Account(jid, role, True, 0.0)
        self._credentials[jid] = credentials

    async def set_credentials(self, jid: Jid, credentials: Credentials) -> None:
        self._change(jid)
        self._credentials[jid] = credentials

    async def add_credentials(self, jid: Jid, credentials: Credentials, beside: Credentials) -> bool:
        kept = self._credentials[jid]
        if any(kept.get(name) != keys for name, keys in beside.items()):
            return False
        self._credentials[jid] = {**credentials, **kept}
        return True

    async def set_role(self, jid: Jid, role: Role) -> None:
        self._change(jid, role=role)

    async def set_enabled(self, jid: Jid, enabled: bool) -> None:
        self._change(jid, enabled=enabled)

    async def set_last_seen(self, jid: Jid, when: float, status: str = "") -> None:
        self._change(jid, last_seen=when, last_status=status)

    async def delete(self, jid: Jid) -> None:
        self._change(jid)
        del self._accounts[jid]

    async def page(self, host: str, after: str = "", limit: int = 100) -> Sequence[Account]:
        found = [self._accounts[jid] for jid in sorted(self._accounts) if jid > after]
        return [account for account in found if account.jid.domainpart == host][:limit]

    async def count(self, host: str) -> int:
        return sum(account.jid.domainpart == host for account in self._accounts.values())

    def _change(self, jid: Jid, **changes: object) -> None:
        if jid not in self._accounts:
            raise AccountUnknown(jid)
        self._accounts[jid] = replace(self._accounts[jid], **changes)  # type: ignore[arg-type]
