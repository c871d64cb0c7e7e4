"""Who may run an administrative command, and the one place where commands are run.

Every front end (the socket, ad-hoc commands, `xmppctl` with the server down) comes through `Administration.run`. It
checks the caller first, then converts the arguments, then tells the audit, then runs. A caller that is not known to be
an administrator is refused; so is everyone while the account store cannot answer.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from ..protocol.jid import Jid
from .accounts import Accounts, Role
from .commands import Caller, Command, CommandError, Done, Exit, Origin, Registry, Result, Row
from .shards import StorageUnavailable

TRUSTED: Final = frozenset({Origin.SOCKET, Origin.OFFLINE})
"""Origins that the operating system has checked: who can open the socket or the files administers the server."""

Audit = Callable[[Caller, Command, Mapping[str, object]], None]
Receiver = Callable[[Row], Awaitable[None]]


class Authority:
    """Says who is an administrator: accounts of that role, and the addresses that the configuration names."""

    def __init__(self, accounts: Accounts, admins: Collection[Jid] = ()) -> None:
        self._accounts = accounts
        self._admins = frozenset(admins)

    async def check(self, caller: Caller) -> None:
        """Return if the caller is an administrator, else raise `CommandError`."""
        if caller.origin in TRUSTED and caller.jid is None:
            return
        if caller.origin is Origin.ADHOC and caller.jid is not None and await self.is_admin(caller.jid):
            return
        raise CommandError("only administrators may do this", code=Exit.REFUSED)

    async def is_admin(self, jid: Jid) -> bool:
        """Say whether an authenticated address administers this server; a disabled account never does."""
        account = await self._accounts.get(jid.bare)
        if account is not None and not account.enabled:
            return False
        return jid.bare in self._admins or (account is not None and account.role is Role.ADMIN)


def _no_audit(caller: Caller, command: Command, arguments: Mapping[str, object]) -> None:
    """Note nothing."""


class Administration:
    """Runs commands.

    :ivar registry: the commands.
    :param audit: is told of every command before it runs; secrets among the arguments hide themselves in `repr`.
    """

    def __init__(self, registry: Registry, authority: Authority, audit: Audit = _no_audit) -> None:
        self.registry = registry
        self.authority = authority
        self._audit = audit

    async def run(
        self, caller: Caller, command: Command, given: Mapping[str, object], each: Receiver | None = None
    ) -> Result:
        """Run one command and return its result; rows of one that streams go to `each`, which may wait.

        :raises CommandError: the caller may not, an argument does not fit, or the command says so.
        """
        try:
            await self.authority.check(caller)
            arguments = command.convert(given)
            self._audit(caller, command, arguments)
            if command.caller:
                arguments[command.caller] = caller
            return await _perform(command, arguments, each)
        except StorageUnavailable as error:
            raise CommandError(f"the database does not answer: {error}", "see xmppctl db status") from error


async def _perform(command: Command, arguments: dict[str, object], each: Receiver | None) -> Result:
    work = command.function(**arguments)
    if not command.streams:
        return await work or Done()  # type: ignore[misc]  # `streams` says that it is a coroutine
    try:
        if each is None:
            raise CommandError(f"{command.name} needs a caller that takes rows one by one", code=Exit.USAGE)
        async for row in work:  # type: ignore[union-attr]  # and here that it is a generator
            await each(row)
    finally:
        await work.aclose()  # type: ignore[union-attr]
    return Done()
