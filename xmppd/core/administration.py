"""Who may run an administrative command, and the one place where commands are run.

Every front end (the socket, ad-hoc commands, `xmppctl` with the server down) comes through `Administration.run`. It
converts the arguments, checks the caller, tells the audit, and runs. A caller that is not known to be an administrator
of what the command reaches is refused; so is everyone while the account store cannot answer.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from ..protocol.jid import Jid
from .accounts import Accounts, Role
from .commands import Caller, Command, CommandError, Done, Exit, Origin, Registry, Result, Row
from .host import Hosts
from .shards import StorageUnavailable

TRUSTED: Final = frozenset({Origin.SOCKET, Origin.OFFLINE})
"""Origins that the operating system has checked: who can open the socket or the files administers the server."""

Audit = Callable[[Caller, Command, Mapping[str, object]], None]
Receiver = Callable[[Row], Awaitable[None]]


class Authority:
    """Says who administers what: a host's admins in the configuration, and its accounts of that role, that host.

    :param accounts: the account store; None where the operating system vouches for every caller.
    :param hosts: the virtual hosts, live.
    """

    def __init__(self, accounts: Accounts | None = None, hosts: Hosts | None = None) -> None:
        self._accounts = accounts
        self._hosts = Hosts([]) if hosts is None else hosts

    async def check(self, caller: Caller, command: Command, arguments: Mapping[str, object]) -> None:
        """Return if the caller may run the command with these arguments, else raise `CommandError`."""
        if caller.origin in TRUSTED and caller.jid is None:
            return
        administered = await self._of(caller)
        if not administered:
            raise CommandError("only administrators may do this", code=Exit.REFUSED)
        if administered >= {host.name for host in self._hosts.all()} or (
            command.declaration.scoped and reach(arguments) <= administered
        ):
            return
        raise CommandError(f"you administer {', '.join(sorted(administered))} only", code=Exit.REFUSED)

    async def _of(self, caller: Caller) -> frozenset[str]:
        if caller.origin is Origin.ADHOC and caller.jid is not None:
            return await self.administered(caller.jid.bare)
        return frozenset()

    async def administered(self, jid: Jid) -> frozenset[str]:
        """Return the hosts that an authenticated bare JID administers; of a local one that has no account, none."""
        if self._accounts is None:
            return frozenset()
        account = await self._accounts.get(jid) if jid.domainpart in self._hosts else None
        if jid.domainpart in self._hosts and (account is None or not account.enabled):
            return frozenset()
        named = frozenset[str](host.name for host in self._hosts.all() if jid in host.admins)
        return named | {jid.domainpart} if account is not None and account.role is Role.ADMIN else named


def reach(arguments: Mapping[str, object]) -> frozenset[str]:
    """Return the domains that arguments name; an empty one stands for "all hosts" and is administered by nobody."""
    domains = {str(arguments["host"] or "")} if "host" in arguments else set()
    for value in arguments.values():
        domains.update(
            item.domainpart for item in (value if isinstance(value, list) else [value]) if isinstance(item, Jid)
        )
    return frozenset(domains or {""})


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
            arguments = command.convert(given)
            await self.authority.check(caller, command, arguments)
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
