"""`host`: the virtual hosts."""

from collections import Counter
from dataclasses import dataclass

from ..core.accounts import Accounts
from ..core.commands import Table, command
from ..core.host import Hosts
from ..core.sessions import Sessions


@dataclass(slots=True)
class HostCommands:
    """The virtual hosts of this server."""

    hosts: Hosts
    accounts: Accounts
    sessions: Sessions

    @command("host list")
    async def list_all(self) -> Table:
        """List the virtual hosts, with their accounts and this node's sessions."""
        sessions = Counter(session.jid.domainpart for session in self.sessions)
        rows = [
            [host.name, await self.accounts.count(host.name), sessions[host.name], sorted(host.admins), host.anonymous]
            for host in self.hosts.all()
        ]
        return Table(("host", "accounts", "sessions", "admins", "anonymous"), rows)
