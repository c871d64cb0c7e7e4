"""The store of tokens.

There is no token in it: each is made of a random serial number and the server's secret (see `secret`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from xmppd.core.shards import Shards
from xmppd.protocol.jid import Jid

from .tables import tokens

CURRENT: Final = 0
FRESH: Final = 1
"""Slots. FRESH is a token that its client has not used yet; once it has, it is the current one."""

_OWN: Final = tokens.c.owner == bindparam("account")
_CLIENT: Final = (_OWN, tokens.c.client == bindparam("which"))

OF: Final = select(
    tokens.c.slot, tokens.c.mechanism, tokens.c.serial, tokens.c.mark, tokens.c.issued, tokens.c.expires, tokens.c.count
).where(*_CLIENT)
ADD: Final = insert(tokens)
DROP_FRESH: Final = delete(tokens).where(*_CLIENT, tokens.c.slot == FRESH)
DROP_OTHERS: Final = delete(tokens).where(*_CLIENT, tokens.c.slot == CURRENT, tokens.c.serial != bindparam("number"))
USE: Final = (
    update(tokens)
    .where(*_CLIENT, tokens.c.serial == bindparam("number"), tokens.c.count < bindparam("least"))
    .values(slot=CURRENT, count=bindparam("now"))
)
DROP_EXPIRED: Final = delete(tokens).where(_OWN, tokens.c.expires <= bindparam("time"))
CLIENTS: Final = select(tokens.c.client, tokens.c.mark, tokens.c.issued).where(
    _OWN, tokens.c.expires > bindparam("time")
)
BY_EXPIRY: Final = (
    select(tokens.c.client)
    .where(_OWN, tokens.c.expires > bindparam("time"))
    .group_by(tokens.c.client)
    .order_by(func.max(tokens.c.expires))
)
DROP_CLIENT: Final = delete(tokens).where(*_CLIENT)
FORGET: Final = delete(tokens).where(_OWN)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a token; see the table."""

    slot: int
    mechanism: str
    serial: bytes
    mark: bytes
    issued: float
    expires: float
    count: int = 0


class TokenStore:
    """The `fast_tokens` table."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def of(self, account: Jid, client: str) -> list[Kept]:
        """Return the tokens of a client, at most one for each slot."""
        rows = await self._shards.fetch(account, "fast.of", OF, {"account": account, "which": client})
        return [
            Kept(slot, mechanism, bytes(serial), bytes(mark), issued, expires, count)
            for slot, mechanism, serial, mark, issued, expires, count in rows
        ]

    async def issue(self, account: Jid, client: str, token: Kept, most: int) -> None:
        """Keep a fresh token in the place of one that was never used.

        :param most: how many clients of the account may have tokens; those whose tokens end first lose them.
        """
        row = {"owner": account, "client": client, **_columns(token)}

        def work(connection: Connection) -> None:
            connection.execute(DROP_EXPIRED, {"account": account, "time": token.issued})
            connection.execute(DROP_FRESH, {"account": account, "which": client})
            _make_room(connection, account, client, token.issued, most)
            connection.execute(ADD, row)

        try:
            await self._shards.transaction(account, "fast.issue", work)
        except IntegrityError:  # the same client logs in twice at this moment; the later one wins
            await self._shards.transaction(account, "fast.issue", work)

    async def use(self, account: Jid, client: str, token: Kept, count: int | None, *, replaces: bool = True) -> bool:
        """Make a token the current one, and note how often it was used; return False if somebody else was faster.

        :param replaces: whether there is another one, which ends with that.
        :param count: what the client counts; a token is not used twice with the same count, nor with a lower one.
        """
        key = {"account": account, "which": client, "number": token.serial}
        used = {"now": token.count, "least": token.count + 1} if count is None else {"now": count, "least": count}
        if token.slot == CURRENT or not replaces:
            return bool(await self._shards.write(account, "fast.use", USE, [{**key, **used}]))

        def work(connection: Connection) -> bool:
            connection.execute(DROP_OTHERS, key)
            return bool(connection.execute(USE, {**key, **used}).rowcount)

        return await self._shards.transaction(account, "fast.use", work)

    async def clients(self, account: Jid, now: float, valid: Collection[bytes]) -> dict[str, float]:
        """Return the clients that have a token which is good at the time `now`, and when they got it.

        :param valid: the marks of the account's password.
        """
        rows = await self._shards.fetch(account, "fast.clients", CLIENTS, {"account": account, "time": now})
        return {client: issued for client, mark, issued in rows if bytes(mark) in valid}

    async def drop(self, account: Jid, client: str) -> bool:
        """Drop all tokens of a client; return whether there were any."""
        rows = [{"account": account, "which": client}]
        return bool(await self._shards.write(account, "fast.drop", DROP_CLIENT, rows))

    async def forget(self, account: Jid) -> None:
        """Drop all tokens of an account."""
        await self._shards.write(account, "fast.forget", FORGET, [{"account": account}])


def _columns(token: Kept) -> dict[str, object]:
    return {
        "slot": token.slot,
        "mechanism": token.mechanism,
        "serial": token.serial,
        "mark": token.mark,
        "issued": token.issued,
        "expires": token.expires,
        "count": token.count,
    }


def _make_room(connection: Connection, account: Jid, client: str, now: float, most: int) -> None:
    """Drop the tokens of those clients that would be too many with this one."""
    rows = connection.execute(BY_EXPIRY, {"account": account, "time": now}).all()
    others = [other for (other,) in rows if other != client]
    for other in others[: max(0, len(others) + 1 - most)]:
        connection.execute(DROP_CLIENT, {"account": account, "which": other})
