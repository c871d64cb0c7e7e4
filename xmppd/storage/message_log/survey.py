"""The log from outside: how much there is, and how much waits. Asked by administrators, never on a message's way.

What one owner has is counted. What a shard or a host has would take as long as there are rows: a small log is counted
all the same, of a large one the database's own figures are told, and of many owners some stand for all.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from sqlalchemy import CompoundSelect, Select, TableValuedAlias, bindparam, func, select, text, true, union_all
from sqlalchemy.sql import Executable

from ...core.log_survey import Extent, Rate, ShardFigures
from ...core.message_log import RECEIVED, WAIT, time_of
from ...protocol.jid import Jid
from ..database import Database
from ..tallies import Tally
from .keys import digest_of
from .log import SqlMessageLog
from .tables import log, log_cursor, log_head

COUNTED: Final = 100_000
"""Rows of a shard that are counted; more are estimated."""

SAMPLE: Final = 200
"""Owners of a host that stand for all of them. They are taken by their digests, so by chance."""

PAGE: Final = 500

OWN: Final = log.c.owner == bindparam("its_owner")
FIGURES: Final = (func.count(), func.coalesce(func.sum(func.length(log.c.stanza)), 0), func.min(log.c.id))
OF_OWNER: Final = select(*FIGURES, func.max(log.c.id)).where(OWN)
BELOW: Final = select(func.count()).where(OWN, log.c.id < bindparam("before"))
BEHIND: Final = (
    select(log.c.id).where(OWN, log.c.id < bindparam("before")).order_by(log.c.id).limit(1).offset(bindparam("number"))
)
SOME: Final = select(func.count()).select_from(select(log.c.id).limit(COUNTED + 1).subquery())

END: Final = bindparam("end", type_=log_head.c.jid.type)
OF_HOST: Final = func.substr(log_head.c.jid, func.length(log_head.c.jid) - func.length(END) + 1) == END
HEADS: Final = select(func.count(), func.max(log_head.c.last_id)).where(OF_HOST)
SAMPLED: Final = select(log_head.c.owner).where(OF_HOST).order_by(log_head.c.owner).limit(SAMPLE)
OF_SAMPLE: Final = select(*FIGURES).where(log.c.owner.in_(select(SAMPLED.subquery().c.owner)))
OWNERS: Final = (
    select(log_head.c.owner, log_head.c.jid)
    .where(OF_HOST, log_head.c.owner > bindparam("after"))
    .order_by(log_head.c.owner)
    .limit(PAGE)
)

ON_SQLITE: Final = text(
    "SELECT (SELECT max(rowid) FROM log) - (SELECT min(rowid) FROM log) + 1,"
    " (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size),"
    " (SELECT id FROM log ORDER BY rowid LIMIT 1), (SELECT max(last_id) FROM log_head)"
)
ON_POSTGRES: Final = text(
    "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint,"
    " coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,"
    " (SELECT min(id) FROM (SELECT id FROM log LIMIT 1000) AS oldest), (SELECT max(last_id) FROM log_head)"
    " FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid WHERE i.inhparent = 'log'::regclass"
)
"""Rows, bytes on disk, and about the first and the last id. The oldest rows are those that come first in the file, or
in the oldest partition that has any."""


class SqlLogSurvey:
    """Implements `core.log_survey.LogSurvey` over a log."""

    def __init__(self, log: SqlMessageLog) -> None:
        self._log = log
        self._databases = log.shards.databases
        is_sqlite = self._databases[0].is_sqlite
        self._extent = ON_SQLITE if is_sqlite else ON_POSTGRES
        self._waiting = {of_host: _count(_waiting(is_sqlite, of_host)) for of_host in (False, True)}
        self._most = {of_host: _most(_waiting(is_sqlite, of_host)) for of_host in (False, True)}

    def rate(self) -> Rate:
        """Return what the writers have done."""
        metrics = self._log.metrics
        rows = metrics.appended + metrics.repeated
        return Rate(rows, metrics.repeated, sum(metrics.commits.values()), metrics.commit_seconds)

    async def shards(self) -> Sequence[ShardFigures]:
        """Return the figures of each shard."""
        queued = [writer.rows for writer in self._log._writers]  # theirs alone: the log tells the sum
        return [
            await self._figures(number, database, queued[number]) for number, database in enumerate(self._databases)
        ]

    async def of_owner(self, owner: Jid) -> Extent:
        """Return how much an owner has, counted."""
        rows, size, first, last = (await self._ask(owner, "log.survey_owner", OF_OWNER))[0]
        return _extent(rows, size, first, last)

    async def of_host(self, host: str) -> Extent:
        """Return how much the owners of a host have."""
        found = [await self._of_host(database, f"@{host}") for database in self._databases]
        return Extent(
            sum(extent.rows for extent in found),
            sum(extent.size for extent in found),
            min((extent.first for extent in found if extent.first is not None), default=None),
            max((extent.last for extent in found if extent.last is not None), default=None),
            all(extent.is_exact for extent in found),
        )

    async def waiting(self, host: str | None = None) -> int:
        """Return how many rows wait for delivery."""
        return sum([await self._wait_on(database, host) for database in self._databases])

    async def most_waiting(self, limit: int, host: str | None = None) -> Sequence[tuple[Jid, int]]:
        """Return the owners for whom most rows wait, with how many."""
        found: list[tuple[Jid, int]] = []
        for database in self._databases:
            statement = self._most[host is not None]
            rows = await database.fetch("log.survey_most_waiting", statement, {**_end(host), "most": limit})
            found += [(Jid(jid), number) for jid, number in rows]
        return sorted(found, key=lambda one: (-one[1], one[0]))[:limit]

    async def owners(self, host: str) -> AsyncIterator[Jid]:
        """Yield all owners of a host that have a log."""
        for database in self._databases:
            after = b""
            while rows := await database.fetch("log.survey_owners", OWNERS, {**_end(host), "after": after}):
                after = rows[-1][0]
                for _, jid in rows:
                    yield Jid(jid)

    async def count(self, owner: Jid, before: int) -> int:
        """Return how many rows of an owner are below an id."""
        return int((await self._ask(owner, "log.survey_count", BELOW, before=before))[0][0])

    async def behind(self, owner: Jid, rows: int, before: int) -> int:
        """Return the id below which an owner has so many rows, or `before`."""
        found = await self._ask(owner, "log.survey_behind", BEHIND, before=before, number=rows)
        return int(found[0][0]) if found else before

    async def _ask(self, owner: Jid, name: str, statement: Executable, **values: Any) -> Sequence[Sequence[Any]]:
        parameters = {"its_owner": digest_of(owner), **values}
        return await self._log.shards.fetch(owner, name, statement, parameters)

    async def _figures(self, shard: int, database: Database, queued: int) -> ShardFigures:
        tally = database.tallies.by_name.get("log.append", Tally())
        extent, waiting = await self._of_shard(database), await self._wait_on(database, None)
        return ShardFigures(shard, database.place, extent, waiting, queued, tally.count, tally.seconds)

    async def _of_shard(self, database: Database) -> Extent:
        rows, size, first, last = (await database.fetch("log.survey_shard", self._extent, {}))[0]
        counted = None
        if (rows or 0) <= COUNTED:  # PostgreSQL knows of no rows before it has analysed them
            counted = (await database.fetch("log.survey_some", SOME, {}))[0][0]
        if counted is None or counted > COUNTED:
            return _extent(max(rows or 0, counted or 0), size, first, last, is_exact=False)
        return _extent(counted, size, first, last)

    async def _of_host(self, database: Database, end: str) -> Extent:
        owners, last = (await database.fetch("log.survey_heads", HEADS, {"end": end}))[0]
        rows, size, first = (await database.fetch("log.survey_sample", OF_SAMPLE, {"end": end}))[0]
        if owners <= SAMPLE:
            return _extent(rows, size, first, last)
        return _extent(rows * owners // SAMPLE, int(size) * owners // SAMPLE, first, last, is_exact=False)

    async def _wait_on(self, database: Database, host: str | None) -> int:
        statement = self._waiting[host is not None]
        return int((await database.fetch("log.survey_waiting", statement, _end(host)))[0][0])


def _end(host: str | None) -> dict[str, str]:
    """Return how the addresses of a host's accounts end, as a parameter."""
    return {} if host is None else {"end": f"@{host}"}


def _extent(rows: int, size: int, first: int | None, last: int | None, *, is_exact: bool = True) -> Extent:
    """Return figures whose ends are ids; a head outlives its rows, so what is empty has no ends."""
    if not rows or first is None or last is None:
        return Extent(rows, int(size), None, None, is_exact)
    return Extent(rows, int(size), time_of(first), time_of(last), is_exact)


def _waiting(is_sqlite: bool, of_host: bool) -> CompoundSelect[Any]:
    """Return the owner of each row that waits: those above the cursors, and those that cursors name as open."""
    waits = (log.c.direction == RECEIVED, log.c.flags.bitwise_and(WAIT) != 0)
    delivered = func.coalesce(log_cursor.c.delivered, 0)
    above = (
        select(log_head.c.jid)
        .join_from(log_head, log_cursor, log_cursor.c.owner == log_head.c.owner, isouter=True)
        .join(log, (log.c.owner == log_head.c.owner) & (log.c.id > delivered))
        .where(log_head.c.last_id > delivered, *waits)
    )
    opened = _opened(is_sqlite)
    left = (
        select(log_head.c.jid)
        .join_from(log_cursor, opened, true())
        .join(log, (log.c.owner == log_cursor.c.owner) & (log.c.id == opened.c.value))
        .join(log_head, log_head.c.owner == log_cursor.c.owner)
        .where(*waits)
    )
    parts: list[Select[Any]] = [above.where(OF_HOST), left.where(OF_HOST)] if of_host else [above, left]
    return union_all(*parts)


def _opened(is_sqlite: bool) -> TableValuedAlias:
    """Return a cursor's open ids as rows."""
    if is_sqlite:
        return func.json_each(log_cursor.c.open).table_valued("value")
    return func.unnest(log_cursor.c.open).table_valued("value").render_derived()


def _count(waiting: CompoundSelect[Any]) -> Select[Any]:
    return select(func.count()).select_from(waiting.subquery())


def _most(waiting: CompoundSelect[Any]) -> Select[Any]:
    rows = waiting.subquery()
    number = func.count()
    return select(rows.c.jid, number).group_by(rows.c.jid).order_by(number.desc(), rows.c.jid).limit(bindparam("most"))
