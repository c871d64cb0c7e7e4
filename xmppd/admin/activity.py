"""`session`: who of those that are connected is at it, and who is not (XEP-0133, 4.16, 4.17, 4.21 and 4.22)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from ..core.clock import Clock
from ..core.commands import Fields, Table, argument, command
from ..core.host import Hosts
from ..core.results import moment
from ..core.sessions import Sessions
from ..protocol.jid import Jid
from .accounts import ADMIN, MOST, Most
from .addresses import local_host

ACTIVE: Final = 60.0
"""Seconds since something came from a client, in which it counts as active; clients are asked for a sign less often."""

Host = Annotated[str | None, argument("Accounts of this host only")]


@dataclass(slots=True)
class ActivityCommands:
    """What the accounts with a session on this node do."""

    sessions: Sessions
    hosts: Hosts
    clock: Clock

    @command("session list-active", adhoc=ADMIN + "get-active-users", scoped=True)
    async def list_active(self, host: Host = None, limit: Most = 100) -> Table:
        """List the accounts that sent something within the last minute."""
        return self._listed(True, host, limit)

    @command("session list-idle", adhoc=ADMIN + "get-idle-users", scoped=True)
    async def list_idle(self, host: Host = None, limit: Most = 100) -> Table:
        """List the accounts that are connected and sent nothing within the last minute."""
        return self._listed(False, host, limit)

    @command("session count-active", adhoc=ADMIN + "get-active-users-num", scoped=True)
    async def count_active(self, host: Host = None) -> Fields:
        """Count the accounts that sent something within the last minute."""
        count = sum(1 for _ in self._chosen(True, host))
        return Fields({"accounts": count}, form={"accounts": "activeusersnum"})

    @command("session count-idle", adhoc=ADMIN + "get-idle-users-num", scoped=True)
    async def count_idle(self, host: Host = None) -> Fields:
        """Count the accounts that are connected and sent nothing within the last minute."""
        count = sum(1 for _ in self._chosen(False, host))
        return Fields({"accounts": count}, form={"accounts": "idleusersnum"})

    def _listed(self, active: bool, host: str | None, limit: int | None) -> Table:
        most = MOST if limit is None else max(0, min(limit, MOST))
        rows = [[jid, moment(heard)] for (jid, heard), _ in zip(self._chosen(active, host), range(most), strict=False)]
        form = {"account": "activeuserjids"}  # of idle users, too: the specification has one name for both
        return Table(("account", "last_heard"), rows, form=form)

    def _chosen(self, active: bool, host: str | None) -> Iterator[tuple[Jid, float]]:
        """Yield each account that is active, or is not, with the time when something last came from it."""
        if host is not None:
            local_host(host, self.hosts)
        heard: dict[Jid, float] = {}
        for session in self.sessions:
            if host in (None, session.jid.domainpart):
                heard[session.account] = max(heard.get(session.account, 0.0), session.wire.last_heard)
        since = self.clock.seconds() - ACTIVE
        return ((jid, last) for jid, last in heard.items() if (last >= since) is active)
