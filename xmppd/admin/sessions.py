"""`session`: who is connected, and ending it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from ..core.commands import CommandError, Done, Exit, Fields, Table, argument, command
from ..core.host import Hosts
from ..core.results import moment
from ..core.session import Session
from ..core.sessions import Sessions
from ..core.stream_management.hibernation import Hibernation
from ..protocol.errors import StreamError
from ..protocol.jid import Jid
from .accounts import ADMIN, MOST, Most
from .addresses import local_host

Host = Annotated[str | None, argument("Sessions of this host only")]


@dataclass(slots=True)
class SessionCommands:
    """The sessions of this node."""

    sessions: Sessions
    hosts: Hosts

    @command("session list", adhoc=ADMIN + "get-online-users-list", scoped=True)
    async def list_all(
        self,
        host: Host = None,
        account: Annotated[Jid | None, argument("Sessions of this account only")] = None,
        limit: Most = 100,
    ) -> Table:
        """List the sessions of this node.

        One that is lost waits for its client since then (XEP-0198).
        """
        most = MOST if limit is None else max(0, min(limit, MOST))
        rows = [row for row, _ in zip(map(_row, self._chosen(host, account)), range(most), strict=False)]
        columns = ("session", "address", "tls", "since", "available", "priority", "lost")
        return Table(columns, rows, form={"session": "onlineuserjids"})

    @command("session count", adhoc=ADMIN + "get-online-users-num", scoped=True)
    async def count(self, host: Host = None) -> Fields:
        """Count the sessions of this node, and the accounts that have one."""
        accounts = [session.account for session in self._chosen(host, None)]
        values = {"accounts": len(set(accounts)), "sessions": len(accounts)}
        return Fields(values, form={"accounts": "onlineusersnum"})

    @command("session kick", adhoc=ADMIN + "end-user-session", scoped=True)
    async def kick(
        self,
        jids: Annotated[list[Jid], argument("Sessions, or accounts to end all sessions of", field="accountjids")],
        reason: Annotated[str, argument("What their clients are told")] = "an administrator has ended this session",
    ) -> Done:
        """End sessions.

        Their clients may log in again at once: account disable keeps them out.
        """
        found = [session for jid in jids for session in self._named(jid)]
        if not found:
            raise CommandError(f"no session of {', '.join(jids)} is on this node", code=Exit.UNKNOWN)
        for session in found:
            session.wire.close(StreamError("policy-violation", reason))
        ended = [session.jid for session in found]
        return Done(f"ended: {', '.join(ended)}", {"ended": ended})

    def _named(self, jid: Jid) -> Sequence[Session]:
        local_host(jid.domainpart, self.hosts)
        if jid.is_bare:
            return self.sessions.of(jid)
        session = self.sessions.at(jid)
        return [] if session is None else [session]

    def _chosen(self, host: str | None, account: Jid | None) -> Iterator[Session]:
        if host is not None:
            local_host(host, self.hosts)
        some = self.sessions if account is None else self.sessions.of(account.bare)
        return (session for session in some if host is None or session.jid.domainpart == host)


def _row(session: Session) -> Sequence[object]:
    wire = session.wire
    since = moment(wire.connected_at)
    lost = moment(wire.since) if isinstance(wire, Hibernation) else None
    return (session.jid, wire.peer_address, wire.secure, since, session.is_available, session.priority, lost)
