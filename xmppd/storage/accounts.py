"""The account store: the `accounts` and `credentials` tables, each account's rows on its own shard."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import NullType

from ..core.accounts import Account, AccountExists, AccountUnknown, Credentials, KeptCredentials, Role, ScramKeys
from ..core.clock import Clock
from ..core.shards import Row, Shards
from ..protocol.jid import Jid
from .tables import accounts, credentials

_OWN = accounts.c.owner == bindparam("account")

GET = select(
    accounts.c.owner,
    accounts.c.role,
    accounts.c.enabled,
    accounts.c.created,
    accounts.c.last_seen,
    accounts.c.last_status,
)
ONE = GET.where(_OWN)
PAGE = (
    GET.where(accounts.c.host == bindparam("host"), accounts.c.owner > bindparam("after"))
    .order_by(accounts.c.owner)
    .limit(bindparam("most"))
)
COUNT = select(func.count()).select_from(accounts).where(accounts.c.host == bindparam("host"))
KEYS = (  # every login reads them: as the driver has them, which is converted here
    select(
        type_coerce(accounts.c.enabled, NullType()),
        credentials.c.hash_name,
        type_coerce(credentials.c.salt, NullType()),
        credentials.c.iterations,
        type_coerce(credentials.c.stored_key, NullType()),
        type_coerce(credentials.c.server_key, NullType()),
    )
    .select_from(accounts.outerjoin(credentials, credentials.c.owner == accounts.c.owner))
    .where(_OWN)
)
EXISTS = select(accounts.c.owner).where(_OWN).with_for_update()
ADD = insert(accounts)
ADD_KEYS = insert(credentials)
DROP_KEYS = delete(credentials).where(credentials.c.owner == bindparam("account"))
DROP = delete(accounts).where(_OWN)
SET_ROLE = update(accounts).where(_OWN).values(role=bindparam("role"))
SET_ENABLED = update(accounts).where(_OWN).values(enabled=bindparam("enabled"))
SET_LAST_SEEN = (  # two nodes may tell of two sessions in any order: the later one counts
    update(accounts)
    .where(_OWN, or_(accounts.c.last_seen.is_(None), accounts.c.last_seen <= bindparam("when")))
    .values(last_seen=bindparam("when"), last_status=bindparam("status"))
)


class SqlAccounts:
    """The account store. Implements `core.accounts.Accounts`."""

    def __init__(self, shards: Shards, clock: Clock) -> None:
        self._shards = shards
        self._clock = clock

    async def exists(self, jid: Jid) -> bool:
        """Return whether there is such an account."""
        return await self.get(jid) is not None

    async def get(self, jid: Jid) -> Account | None:
        """Return the account, or None if nobody registered it."""
        rows = await self._shards.fetch(jid, "accounts.get", ONE, {"account": jid})
        return _account(rows[0]) if rows else None

    async def credentials(self, jid: Jid) -> KeptCredentials | None:
        """Return the SCRAM keys of an account, or None if it does not exist."""
        rows = await self._shards.fetch(jid, "accounts.credentials", KEYS, {"account": str(jid)})
        if not rows:
            return None
        return KeptCredentials(_keys(rows), bool(rows[0][0]))

    async def create(self, jid: Jid, credentials: Credentials, role: Role = Role.USER) -> None:
        """Register an account; raise `AccountExists` if the name is taken."""
        account = {
            "owner": jid,
            "host": jid.domainpart,
            "role": role.value,
            "enabled": True,
            "created": self._clock.seconds(),
            "last_seen": None,
            "last_status": "",
        }
        keys = _key_rows(jid, credentials)

        def work(connection: Connection) -> None:
            try:
                connection.execute(ADD, account)
            except IntegrityError as error:
                raise AccountExists(jid) from error
            if keys:
                connection.execute(ADD_KEYS, keys)

        await self._shards.transaction(jid, "accounts.create", work)

    async def set_credentials(self, jid: Jid, credentials: Credentials) -> None:
        """Replace the SCRAM keys; raise `AccountUnknown`."""
        await self._shards.transaction(jid, "accounts.set_credentials", _replacing(jid, credentials))

    async def add_credentials(self, jid: Jid, credentials: Credentials, beside: Credentials) -> bool:
        """Add the SCRAM keys of further hash functions, unless the account has some or another password by now."""

        def work(connection: Connection) -> bool:
            connection.execute(EXISTS, {"account": jid})  # waits for whoever changes the password now
            kept = _keys(connection.execute(KEYS, {"account": jid}).all())
            if any(kept.get(name) != keys for name, keys in beside.items()):
                return False
            added = _key_rows(jid, {name: keys for name, keys in credentials.items() if name not in kept})
            if added:
                connection.execute(ADD_KEYS, added)
            return True

        return await self._shards.transaction(jid, "accounts.add_credentials", work)

    async def set_role(self, jid: Jid, role: Role) -> None:
        """Change the role; raise `AccountUnknown`."""
        touched = await self._shards.write(jid, "accounts.set_role", SET_ROLE, [{"account": jid, "role": role.value}])
        _require(touched, jid)

    async def set_enabled(self, jid: Jid, enabled: bool) -> None:
        """Let the account log in, or no longer; raise `AccountUnknown`."""
        touched = await self._shards.write(
            jid, "accounts.set_enabled", SET_ENABLED, [{"account": jid, "enabled": enabled}]
        )
        _require(touched, jid)

    async def set_last_seen(self, jid: Jid, when: float, status: str = "") -> None:
        """Note when the last session of an account ended and its last unavailable status (XEP-0012)."""
        row = {"account": jid, "when": when, "status": status}
        await self._shards.write(jid, "accounts.set_last_seen", SET_LAST_SEEN, [row])

    async def delete(self, jid: Jid) -> None:
        """Remove the account and its keys; raise `AccountUnknown`."""
        _require(await self._shards.write(jid, "accounts.delete", DROP, [{"account": jid}]), jid)

    async def page(self, host: str, after: str = "", limit: int = 100) -> Sequence[Account]:
        """Return up to `limit` accounts of a host in the order of their JIDs, those behind `after`."""
        rows = await self._shards.fetch_all("accounts.page", PAGE, {"host": host, "after": after, "most": limit})
        return [_account(row) for row in sorted(rows, key=lambda row: row[0])[:limit]]

    async def count(self, host: str) -> int:
        """Return how many accounts a host has."""
        rows = await self._shards.fetch_all("accounts.count", COUNT, {"host": host})
        return sum(row[0] for row in rows)


def _account(row: Row) -> Account:
    jid, role, enabled, created, last_seen, last_status = row
    return Account(Jid.parse(jid), Role(role), enabled, created, last_seen, last_status)


def _keys(rows: Iterable[Sequence[Any]]) -> dict[str, ScramKeys]:
    """Return the keys in rows of `KEYS`; an account without any has one row without a hash function."""
    return {
        name: ScramKeys(bytes(salt), iterations, bytes(stored_key), bytes(server_key))
        for _, name, salt, iterations, stored_key, server_key in rows
        if name is not None
    }


def _key_rows(jid: Jid, kept: Credentials) -> list[Mapping[str, Any]]:
    return [
        {
            "owner": jid,
            "hash_name": name,
            "salt": keys.salt,
            "iterations": keys.iterations,
            "stored_key": keys.stored_key,
            "server_key": keys.server_key,
        }
        for name, keys in kept.items()
    ]


def _replacing(jid: Jid, kept: Credentials) -> Callable[[Connection], None]:
    """Return the work that replaces an account's keys; its row is locked, so that two replacements do not mix."""
    keys = _key_rows(jid, kept)

    def work(connection: Connection) -> None:
        if connection.execute(EXISTS, {"account": jid}).first() is None:
            raise AccountUnknown(jid)
        connection.execute(DROP_KEYS, {"account": jid})
        if keys:
            connection.execute(ADD_KEYS, keys)

    return work


def _require(touched: int, jid: Jid) -> None:
    if not touched:
        raise AccountUnknown(jid)
