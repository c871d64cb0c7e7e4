"""XEP-0133: Service Administration, as far as it is about what modules keep: rosters, statistics, administrators.

The rest of it are the server's own commands; `modules.adhoc` offers them all to clients.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from xmppd.core.accounts import Accounts, Role
from xmppd.core.commands import CommandError, Done, Exit, Fields, Table, argument, command
from xmppd.core.hooks import collect
from xmppd.core.host import Host, Hosts
from xmppd.core.module import Module
from xmppd.core.sessions import Sessions
from xmppd.modules.adhoc.api import CommandForm
from xmppd.modules.roster.api import Item, Roster, Rosters
from xmppd.protocol.element import E, Element
from xmppd.protocol.jid import Jid

ADMIN: Final = "http://jabber.org/protocol/admin#"
ROSTER: Final = "jabber:iq:roster"
PAGE: Final = 500

Which = Annotated[Jid, argument("The account", field="accountjid")]
Several = Annotated[list[Jid], argument("The accounts", field="accountjids")]


@dataclass(slots=True)
class ServiceAdministration(Module):
    """Shows administrators what is kept for accounts, and lets them say who administers."""

    name: ClassVar = "administration"

    accounts: Accounts
    hosts: Hosts
    rosters: Rosters
    sessions: Sessions

    @command("account roster", adhoc=ADMIN + "get-user-roster", scoped=True)
    async def roster(self, jids: Several) -> Table:
        """Show the contacts of accounts."""
        found = [await self.rosters.get(jid) for jid in await self._existing(jids)]
        rows = [
            [roster.owner, item.jid, item.name, item.subscription, item.asks, list(item.groups)]
            for roster in found
            for item in roster.listed()
        ]
        columns = ("account", "contact", "name", "subscription", "asks", "groups")
        return Table(columns, rows, form={"account": "accountjids"}, elements=tuple(map(_query, found)))

    @command("account stats", adhoc=ADMIN + "user-stats", scoped=True)
    async def stats(self, jid: Which) -> Fields:
        """Show how much there is of an account: its contacts, its resources and where they are."""
        await self._existing([jid])
        sessions = self.sessions.of(jid)
        values = {
            "roster_size": len((await self.rosters.get(jid)).listed()),
            "resources": [session.resource for session in sessions],
            "addresses": [session.wire.peer_address for session in sessions],
        }
        form = {"roster_size": "rostersize", "resources": "onlineresources", "addresses": "ipaddresses"}
        return Fields(values, form=form)

    @command("host admins", adhoc=ADMIN + "edit-admin", scoped=True)
    async def admins(
        self,
        host: Annotated[str, argument("The host")],
        jids: Annotated[list[Jid], argument("All its administrators", field="adminjids")],
    ) -> Done:
        """Say who administers a host: these, and nobody else.

        Those that the configuration names stay what they are. Any other administrator is an account of the host.
        """
        chosen = self._host(host)
        await self._check(chosen, jids)
        before = set(await self._by_role(chosen))
        wanted = {jid.bare for jid in jids} - chosen.admins
        for jid in sorted(before - wanted):
            await self.accounts.set_role(jid, Role.USER)
        for jid in sorted(wanted - before):
            await self.accounts.set_role(jid, Role.ADMIN)
        names = sorted(wanted | chosen.admins)
        return Done(f"{host} is administered by {', '.join(names)}", {"host": host, "admins": names})

    @collect(CommandForm)
    async def propose(self, event: CommandForm) -> None:
        """4.29: the form includes the administrators that there are."""
        if event.command.node == f"{ADMIN}edit-admin" and (host := self.hosts.get(event.target)) is not None:
            event.values["adminjids"] = tuple(sorted({*host.admins, *await self._by_role(host)}))

    async def _check(self, host: Host, jids: Sequence[Jid]) -> None:
        """Raise `CommandError` for somebody who cannot become an administrator here, or cannot cease to be one."""
        for jid in host.admins - {jid.bare for jid in jids}:
            raise CommandError(f"{jid} is named in the configuration: take it out there")
        await self._existing([jid for jid in jids if jid.bare not in host.admins])
        for jid in jids:
            if jid.domainpart != host.name and jid.bare not in host.admins:
                raise CommandError(f"{jid} is no account of {host.name}", code=Exit.USAGE)

    async def _by_role(self, host: Host) -> list[Jid]:
        """Return the accounts of a host whose role makes them administrators."""
        found: list[Jid] = []
        after = ""
        while page := await self.accounts.page(host.name, after, PAGE):
            found += [account.jid for account in page if account.role is Role.ADMIN]
            after = page[-1].jid
        return found

    async def _existing(self, jids: Sequence[Jid]) -> Sequence[Jid]:
        """Return bare JIDs of accounts; raise `CommandError` if one does not exist here."""
        for jid in jids:
            self._host(jid.domainpart)
            if not jid.localpart or await self.accounts.get(jid.bare) is None:
                raise CommandError(f"there is no account {jid.bare}", code=Exit.UNKNOWN)
        return [jid.bare for jid in jids]

    def _host(self, name: str) -> Host:
        host = self.hosts.get(name)
        if host is None:
            raise CommandError(f"{name} is no host of this server", code=Exit.UNKNOWN)
        return host


def _query(roster: Roster) -> Element:
    """Return a roster as RFC 6121 writes it (XEP-0133, 4.8)."""
    return E(f"{{{ROSTER}}}query", *map(_item, roster.listed()))


def _item(item: Item) -> Element:
    groups = [E(f"{{{ROSTER}}}group", group) for group in item.groups]
    ask = "subscribe" if item.asks else None
    return E(
        f"{{{ROSTER}}}item", *groups, jid=item.jid, name=item.name or None, subscription=item.subscription, ask=ask
    )
