"""`account`: register, change and remove accounts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from ..core.accounts import Account, AccountExists, Accounts, Credentials, Role
from ..core.commands import CommandError, Done, Exit, Fields, Secret, Table, argument, command
from ..core.credentials import derive_all
from ..core.host import Hosts
from ..core.results import moment
from ..core.sessions import Sessions
from ..core.threads import Threads
from ..protocol.errors import StreamError
from ..protocol.jid import Jid
from .addresses import chosen_hosts, local_account

ADMIN: Final = "http://jabber.org/protocol/admin#"
PAGE: Final = 500
MOST: Final = 10_000
"""Accounts in one answer; `after` goes on behind them."""

PERSON: Final = {"email": "Email address", "given_name": "Given name", "surname": "Family name"}
"""What XEP-0133 lets an administrator tell of a new user, and nothing here has use for."""

Which = Annotated[Jid, argument("The account", field="accountjid")]
Several = Annotated[list[Jid], argument("The accounts", field="accountjids")]
Password = Annotated[Secret, argument("The password", field="password")]
Twice = Annotated[Secret, argument("The password", field="password", verify="password-verify")]
Most = Annotated[
    int | None,
    argument("How many at most", field="max_items", options=("25", "50", "75", "100", "150", "200", "none")),
]


@dataclass(slots=True)
class AccountCommands:
    """The accounts of this server.

    :ivar accounts: the store that tells sessions and modules of what is changed (`xmppd.core.account_changes`).
    """

    accounts: Accounts
    hosts: Hosts
    sessions: Sessions
    threads: Threads

    @command("account add", adhoc=ADMIN + "add-user", offline=True, scoped=True, not_kept=PERSON)
    async def add(
        self, jid: Which, password: Twice, role: Annotated[Role, argument("What it may do")] = Role.USER
    ) -> Done:
        """Register an account."""
        local_account(jid, self.hosts)
        try:
            await self.accounts.create(jid, await self._keys(password), role)
        except AccountExists:
            raise CommandError(f"{jid} exists", "xmppctl account passwd changes its password") from None
        return Done(f"{jid} is registered", {"account": jid, "role": role})

    @command("account passwd", adhoc=ADMIN + "change-user-password", offline=True, scoped=True)
    async def passwd(
        self, jid: Which, password: Password, kick: Annotated[bool, argument("End its sessions too")] = False
    ) -> Done:
        """Change the password of an account."""
        await self._get(jid)
        await self.accounts.set_credentials(jid, await self._keys(password))
        if kick:
            self.sessions.close(jid, StreamError("not-authorized", "the password has changed"))
        return Done(f"the password of {jid} is changed", {"account": jid, "sessions_ended": kick})

    @command("account role", offline=True, scoped=True)
    async def role(self, jid: Which, role: Annotated[Role, argument("What it may do")]) -> Done:
        """Say what an account may do: use the server, or administer its host."""
        await self._get(jid)
        await self.accounts.set_role(jid, role)
        return Done(f"{jid} has the role {role}", {"account": jid, "role": role})

    @command("account disable", adhoc=ADMIN + "disable-user", offline=True, scoped=True)
    async def disable(self, jids: Several) -> Done:
        """Let accounts no longer log in, and end their sessions.

        Nothing of them is removed: account enable makes it undone.
        """
        for account in await self._get_all(jids):
            await self.accounts.set_enabled(account.jid, False)
        return Done(f"disabled: {', '.join(jids)}", {"disabled": jids})

    @command("account enable", adhoc=ADMIN + "reenable-user", offline=True, scoped=True)
    async def enable(self, jids: Several) -> Done:
        """Let disabled accounts log in again."""
        for account in await self._get_all(jids):
            await self.accounts.set_enabled(account.jid, True)
        return Done(f"enabled: {', '.join(jids)}", {"enabled": jids})

    @command("account delete", adhoc=ADMIN + "delete-user", offline=True, danger=True, scoped=True)
    async def delete(self, jids: Several) -> Done:
        """Remove accounts, and everything that is kept for them.

        Their sessions end, and nobody can log in to them while they are removed.
        """
        for account in await self._get_all(jids):
            await self.accounts.set_enabled(account.jid, False)  # so that no new session stores anything meanwhile
            await self.accounts.delete(account.jid)
        return Done(f"deleted: {', '.join(jids)}", {"deleted": jids})

    @command("account list", adhoc=ADMIN + "get-registered-users-list", offline=True, scoped=True)
    async def list_all(
        self,
        host: Annotated[str | None, argument("Accounts of this host only")] = None,
        limit: Most = 100,
        after: Annotated[Jid | None, argument("Go on behind this account")] = None,
        disabled: Annotated[bool, argument("Disabled accounts only")] = False,
    ) -> Table:
        """List accounts in the order of their hosts and names."""
        most = MOST if limit is None else max(0, min(limit, MOST))
        found: list[Account] = []
        for name in [chosen.name for chosen in chosen_hosts(host, self.hosts)]:
            start = "" if after is None or after.domainpart < name else after if after.domainpart == name else None
            if start is not None and len(found) < most:
                found += await self._of_host(name, start, most - len(found), disabled)
        rows = [
            [account.jid, account.role, account.enabled, moment(account.created), moment(account.last_seen)]
            for account in found
        ]
        columns = ("account", "role", "enabled", "created", "last_seen")
        return Table(columns, rows, form={"account": "registereduserjids"})

    @command("account list-disabled", adhoc=ADMIN + "get-disabled-users-list", offline=True, scoped=True)
    async def list_disabled(
        self, host: Annotated[str | None, argument("Accounts of this host only")] = None, limit: Most = 100
    ) -> Table:
        """List the accounts that are disabled."""
        found = await self.list_all(host, limit, None, True)
        return replace(found, form={"account": "disableduserjids"})

    async def _of_host(self, host: str, after: str, most: int, disabled: bool) -> list[Account]:
        """Return up to `most` accounts of a host behind `after`, page by page."""
        found: list[Account] = []
        while len(found) < most:
            page = await self.accounts.page(host, after, PAGE if disabled else min(PAGE, most - len(found)))
            found += [account for account in page if not (disabled and account.enabled)]
            if not page:
                break
            after = page[-1].jid
        return found[:most]

    @command("account count", adhoc=ADMIN + "get-registered-users-num", offline=True, scoped=True)
    async def count(self, host: Annotated[str | None, argument("Accounts of this host only")] = None) -> Fields:
        """Count the accounts."""
        counts = [await self.accounts.count(chosen.name) for chosen in chosen_hosts(host, self.hosts)]
        return Fields({"accounts": sum(counts)}, form={"accounts": "registeredusersnum"})

    @command("account count-disabled", adhoc=ADMIN + "get-disabled-users-num", offline=True, scoped=True)
    async def count_disabled(
        self, host: Annotated[str | None, argument("Accounts of this host only")] = None
    ) -> Fields:
        """Count the accounts that are disabled."""
        counted = 0
        for chosen in chosen_hosts(host, self.hosts):
            after = ""
            while page := await self.accounts.page(chosen.name, after, PAGE):
                counted += sum(not account.enabled for account in page)
                after = page[-1].jid
        return Fields({"accounts": counted}, form={"accounts": "disabledusersnum"})

    @command("account lastlogin", adhoc=ADMIN + "get-user-lastlogin", offline=True, scoped=True)
    async def lastlogin(self, jids: Several) -> Table:
        """Show when accounts were last in use.

        Of one that is connected it is when its latest session began, of another when its last one ended.
        """
        rows = [[account.jid, moment(self._last_login(account))] for account in await self._get_all(jids)]
        return Table(("account", "last_login"), rows, form={"account": "accountjids", "last_login": "lastlogin"})

    def _last_login(self, account: Account) -> float | None:
        began = [session.wire.connected_at for session in self.sessions.of(account.jid)]
        return max(began, default=account.last_seen)

    @command("account info", offline=True, scoped=True)
    async def info(self, jid: Which) -> Fields:
        """Show what is known of an account."""
        account = await self._get(jid)
        sessions = self.sessions.of(jid)
        values = {
            "account": account.jid,
            "role": account.role,
            "enabled": account.enabled,
            "created": moment(account.created),
            "last_seen": moment(account.last_seen),
            "last_status": account.last_status or None,
            "resources": [session.resource for session in sessions],
            "addresses": [session.wire.peer_address for session in sessions],
        }
        return Fields(values)

    async def _keys(self, password: str) -> Credentials:
        try:
            keys: Credentials = await self.threads.run(derive_all, password)
        except ValueError as error:
            raise CommandError(f"this password cannot be used: {error}", code=Exit.USAGE) from None
        return keys

    async def _get(self, jid: Jid) -> Account:
        account = await self.accounts.get(local_account(jid, self.hosts))
        if account is None:
            raise CommandError(f"there is no account {jid}", code=Exit.UNKNOWN)
        return account

    async def _get_all(self, jids: Sequence[Jid]) -> Sequence[Account]:
        """Return all of these accounts; one that does not exist spoils the whole command before it has begun."""
        return [await self._get(jid) for jid in jids]
