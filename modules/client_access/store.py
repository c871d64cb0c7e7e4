"""The store of clients: what is known of the installations that have logged in to an account."""

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from xmppd.core.shards import Row, Shards
from xmppd.protocol.jid import Jid

from .tables import clients

STALE: Final = 3600.0  # seconds by which `last_seen` may be behind, so that most logins write nothing

_OWN: Final = clients.c.owner == bindparam("account")
_ONE: Final = (_OWN, clients.c.client == bindparam("which"))
_COLUMNS: Final = (
    clients.c.client, clients.c.software, clients.c.device, clients.c.mark, clients.c.first_seen, clients.c.last_seen
)  # fmt: skip

ALL: Final = select(*_COLUMNS).where(_OWN).order_by(clients.c.first_seen, clients.c.client)
GET: Final = select(*_COLUMNS).where(*_ONE)
ADD: Final = insert(clients)
CHANGE: Final = (
    update(clients)
    .where(*_ONE)
    .values(
        software=bindparam("now_software"),
        device=bindparam("now_device"),
        mark=bindparam("now_mark"),
        last_seen=bindparam("now_seen"),
    )
)
SEE: Final = (
    update(clients).where(*_ONE, clients.c.last_seen < bindparam("now_seen")).values(last_seen=bindparam("now_seen"))
)
DROP: Final = delete(clients).where(*_ONE)
DROP_UNSEEN: Final = delete(clients).where(_OWN, clients.c.last_seen < bindparam("least"))
BY_LAST_SEEN: Final = select(clients.c.client).where(_OWN).order_by(clients.c.last_seen)
FORGET: Final = delete(clients).where(_OWN)


@dataclass(frozen=True, slots=True)
class Client:
    """One installation; see the table.

    :ivar mark: of the last password that it has shown.
    """

    client: str
    software: str
    device: str
    mark: bytes
    first_seen: float
    last_seen: float


class ClientStore:
    """The `clients` table."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def all(self, account: Jid) -> list[Client]:
        """Return the clients of an account, the first one first."""
        return [_client(row) for row in await self._shards.fetch(account, "clients.all", ALL, {"account": account})]

    async def get(self, account: Jid, client: str) -> Client | None:
        """Return one client, or None."""
        rows = await self._shards.fetch(account, "clients.get", GET, {"account": account, "which": client})
        return _client(rows[0]) if rows else None

    async def note(self, account: Jid, seen: Client, most: int, least: float) -> None:
        """Note that a client has logged in; an empty mark leaves the one that is known.

        :param most: how many clients are kept of an account: those that were away longest go.
        :param least: clients that were not seen since then go, too.
        """
        known = await self.get(account, seen.client)
        if known is not None:
            seen = replace(seen, first_seen=known.first_seen, mark=seen.mark or known.mark)
            if replace(seen, last_seen=known.last_seen) == known and seen.last_seen < known.last_seen + STALE:
                return
            if await self._change(account, seen):
                return
        try:
            await self._add(account, seen, most, least)
        except IntegrityError:  # it logs in twice at this moment
            await self._change(account, seen)

    async def _change(self, account: Jid, seen: Client) -> bool:
        row = {
            "account": account,
            "which": seen.client,
            "now_software": seen.software,
            "now_device": seen.device,
            "now_mark": seen.mark,
            "now_seen": seen.last_seen,
        }
        return bool(await self._shards.write(account, "clients.change", CHANGE, [row]))

    async def _add(self, account: Jid, seen: Client, most: int, least: float) -> None:
        row = {
            "owner": account,
            "client": seen.client,
            "software": seen.software,
            "device": seen.device,
            "mark": seen.mark,
            "first_seen": seen.first_seen,
            "last_seen": seen.last_seen,
        }

        def work(connection: Connection) -> None:
            connection.execute(DROP_UNSEEN, {"account": account, "least": least})
            names = [name for (name,) in connection.execute(BY_LAST_SEEN, {"account": account})]
            for name in names[: max(0, len(names) + 1 - most)]:
                connection.execute(DROP, {"account": account, "which": name})
            connection.execute(ADD, row)

        await self._shards.transaction(account, "clients.add", work)

    async def see(self, account: Jid, client: str, when: float) -> None:
        """Note that a client was there until now."""
        row = {"account": account, "which": client, "now_seen": when}
        await self._shards.write(account, "clients.see", SEE, [row])

    async def drop(self, account: Jid, client: str) -> bool:
        """Forget a client; return whether it was known."""
        rows = [{"account": account, "which": client}]
        return bool(await self._shards.write(account, "clients.drop", DROP, rows))

    async def forget(self, account: Jid) -> None:
        """Forget all clients of an account."""
        await self._shards.write(account, "clients.forget", FORGET, [{"account": account}])


def _client(row: Row) -> Client:
    name, software, device, mark, first_seen, last_seen = row
    return Client(name, software, device, bytes(mark), first_seen, last_seen)
