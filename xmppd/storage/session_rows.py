"""The `sessions` table: one row for each session of each node, on its account's shard.

Its primary key has a digest of the resourcepart: two long parts of an address do not fit a btree entry.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Double, LargeBinary, Table, Text, and_, bindparam, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from ..core.session_rows import SessionRow
from ..core.shards import Row, Shards
from ..protocol.jid import Jid
from .tables import Address, metadata

sessions: Final = Table(
    "sessions",
    metadata,
    Column("owner", Address, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),  # of `resource`
    Column("resource", Address, nullable=False),
    Column("node", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("bound_at", Double, nullable=False),  # seconds since the epoch
    Column("presence", LargeBinary),  # null while it is unavailable
    Column("directed", Text, nullable=False),  # a JSON array of addresses; empty for none
)
_c = sessions.c

_ADD = insert(sessions)  # SQLite reads PostgreSQL's clause for conflicts as well
PUT: Final = _ADD.on_conflict_do_update(
    index_elements=[_c.owner, _c.digest],
    set_={name: _ADD.excluded[name] for name in ("node", "generation", "bound_at", "presence", "directed")},
    where=_c.generation <= _ADD.excluded.generation,
)
REMOVE: Final = delete(sessions).where(
    _c.owner == bindparam("account"), _c.digest == bindparam("key"), _c.generation <= bindparam("upto")
)
PAGE: Final = (
    select(_c.owner, _c.resource, _c.node, _c.generation, _c.bound_at, _c.presence, _c.directed)
    .where(
        _c.node == bindparam("which"),
        _c.generation < bindparam("before"),
        or_(_c.owner > bindparam("last"), and_(_c.owner == bindparam("last"), _c.digest > bindparam("key"))),
    )
    .order_by(_c.owner, _c.digest)
    .limit(bindparam("most"))
)
HIGHEST: Final = select(func.coalesce(func.max(_c.generation), 0)).where(_c.node == bindparam("which"))


class SqlSessionRows:
    """The `sessions` table. Implements `core.session_rows.SessionRows`."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def put(self, rows: Sequence[SessionRow]) -> None:
        """Keep sessions, but those of which a later one of the same full JID is known."""
        await self._shards.write_each("sessions.put", PUT, [(row.jid.bare, _values(row)) for row in rows])

    async def remove(self, sessions: Sequence[tuple[Jid, int]]) -> None:
        """Forget sessions, but those of which a later one of the same full JID is known."""
        gone = [
            (jid.bare, {"account": jid.bare, "key": digest_of(jid.resourcepart), "upto": generation})
            for jid, generation in sessions
        ]
        await self._shards.write_each("sessions.remove", REMOVE, gone)

    async def page(self, node: str, before: int, after: Jid | None, limit: int) -> Sequence[SessionRow]:
        """Return sessions of a node, in the order of their keys, whatever shards they are on."""
        last, key = ("", b"") if after is None else (after.bare, digest_of(after.resourcepart))
        asked = {"which": node, "before": before, "last": last, "key": key, "most": limit}
        rows = [_row(row) for row in await self._shards.fetch_all("sessions.page", PAGE, asked)]
        return sorted(rows, key=lambda row: (row.jid.bare, digest_of(row.jid.resourcepart)))[:limit]

    async def highest(self, node: str) -> int:
        """Return the highest generation of a node's sessions."""
        rows = await self._shards.fetch_all("sessions.highest", HIGHEST, {"which": node})
        return max(int(row[0]) for row in rows)


def digest_of(resource: str) -> bytes:
    """Return what the primary key has of a resourcepart."""
    return blake2b(resource.encode(), digest_size=16).digest()


def _values(row: SessionRow) -> Mapping[str, Any]:
    return {
        "owner": row.jid.bare,
        "digest": digest_of(row.jid.resourcepart),
        "resource": row.jid.resourcepart,
        "node": row.node,
        "generation": row.generation,
        "bound_at": row.bound_at,
        "presence": row.presence,
        "directed": json.dumps(row.directed, ensure_ascii=False) if row.directed else "",
    }


def _row(row: Row) -> SessionRow:
    owner, resource, node, generation, bound_at, presence, directed = row
    jid = Jid.parse(owner).with_resource(resource)
    shown = tuple(Jid.parse(address) for address in json.loads(directed)) if directed else ()
    return SessionRow(jid, node, generation, bound_at, None if presence is None else bytes(presence), shown)
