"""Partitions of the log on PostgreSQL: a month of ids each, made ahead, dropped as a whole.

Making or dropping one needs a lock that excludes everybody. So it waits for that lock a quarter of a second at most,
since others queue behind whoever waits, and is tried again later; and it is one statement, so no client that stands
still can keep the lock. Where no partition was made in time rows go to the DEFAULT, and move when it is.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ...core.message_log import id_at
from ..database import Database
from ..link import Link
from .postgres_append import Busy, ask

AHEAD: Final = 2
"""Months for which there is a partition before they begin."""

FIRST_YEAR: Final = 1970
MONTHS: Final = 12

LISTED: Final = (
    "SELECT coalesce(array_agg(c.relname::text), '{}') FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'log'::regclass"
)
DROP: Final = "SELECT set_config('lock_timeout', '250ms', true); DROP TABLE IF EXISTS {name}; SELECT true"
SWEEP: Final = "WITH gone AS (DELETE FROM log_default WHERE id < {oldest} RETURNING 1) SELECT count(*) FROM gone"
FORGET_WRITERS: Final = (
    "WITH gone AS (DELETE FROM log_writer WHERE seen < now() - interval '7 days' RETURNING 1) SELECT count(*) FROM gone"
)

_partition = re.compile(r"log_(\d{4})_(\d{2})").fullmatch


class Month(NamedTuple):
    """A month of UTC.

    :ivar number: months since January 1970.
    """

    number: int

    @classmethod
    def at(cls, seconds: float) -> "Month":
        """Return the month of a time, in seconds since the epoch."""
        when = datetime.fromtimestamp(seconds, UTC)
        return cls((when.year - FIRST_YEAR) * MONTHS + when.month - 1)

    @classmethod
    def of_partition(cls, name: str) -> "Month | None":
        """Return the month of a partition, or None if the name is none of ours (the DEFAULT)."""
        found = _partition(name)
        return None if found is None else cls((int(found[1]) - FIRST_YEAR) * MONTHS + int(found[2]) - 1)

    @property
    def partition(self) -> str:
        """The name of its partition."""
        year, month = divmod(self.number, MONTHS)
        return f"log_{year + FIRST_YEAR}_{month + 1:02}"

    @property
    def begin(self) -> int:
        """The lowest id that a row of this month can have."""
        year, month = divmod(self.number, MONTHS)
        return id_at(datetime(year + FIRST_YEAR, month + 1, 1, tzinfo=UTC).timestamp())

    @property
    def next(self) -> "Month":
        """The month behind it."""
        return Month(self.number + 1)


def due(now: float) -> Iterator[Month]:
    """Yield the months that shall have a partition at a time."""
    month = Month.at(now)
    for _ in range(1 + AHEAD):
        yield month
        month = month.next


async def make_ahead(database: Database, now: float) -> bool:
    """Make the partitions that are missing; return whether all are there.

    :raises StorageUnavailable: the shard is out of order.
    """
    there = set(await database.read("log.partitions", ask, (LISTED,)))
    try:
        for month in due(now):
            if month.partition not in there:
                await _make(database, month)
    except Busy:
        return False
    return True


async def drop_before(database: Database, oldest: int) -> bool:
    """Drop the partitions whose rows all have ids below `oldest`, and such rows of the DEFAULT, which has few if any.

    Returns whether all of them are gone.

    :raises StorageUnavailable: the shard is out of order.
    """
    try:
        await database.read("log.sweep", ask, (SWEEP.format(oldest=oldest),))
        for name in await database.read("log.partitions", ask, (LISTED,)):
            month = Month.of_partition(name)
            if month is not None and month.next.begin <= oldest:
                await database.read("log.drop_partition", ask, (DROP.format(name=name),))
    except Busy:
        return False
    return True


async def forget_writers(database: Database) -> None:
    """Remove the rows of writers that have long gone."""
    await database.read("log.forget_writers", ask, (FORGET_WRITERS,))


async def _make(database: Database, month: Month) -> None:
    text = f"SELECT xmppd_log_partition('{month.partition}', {month.begin}, {month.next.begin})"
    await database.read("log.make_partition", _ask_once, (text,))


def _ask_once(link: Link, text: str) -> None:
    """Make a partition, unless another node has made it since we looked: then its name is taken."""
    try:
        ask(link, text)
    except Exception as error:
        if getattr(error, "pgcode", None) not in ("42P07", "23505"):  # duplicate_table; its row in a catalogue
            raise
