"""Every shard to the schema of this release, by Alembic (see `xmppd.migrations`).

Revisions are numbered: the file `0007_what.py` is revision "0007", and the highest number is the head. So a start that
has nothing to migrate finds that out by one listing and one query for each shard, without importing Alembic.

Two processes may start together: the second one waits for the first one's lock and then finds nothing to do.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, inspect, text

from .database import Database
from .slots import SlotMap, open_slots, store_map, stored_map
from .tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

LOCK: Final = 0x786D707064  # the advisory lock of migrations: "xmppd"
PATIENCE: Final = 120  # for another process's migration, in seconds

Progress = Callable[[str], object]
_revision = re.compile(r"(\d{4})_\w+\.py").fullmatch


class SchemaMismatch(Exception):
    """A shard's schema is not the one of this release.

    :ivar shard: the shard's index.
    :ivar current: its revision; None if it has none.
    :ivar head: the revision that this release needs.
    """

    def __init__(self, shard: int, place: str, current: str | None, head: str) -> None:
        if current is not None and current > head:
            what = f"has revision {current}, which is newer than this release's {head}: run a newer release"
        else:
            what = f"has revision {current or 'none'} instead of {head}: migrate the shards first"
        super().__init__(f"shard {shard} ({place}) {what}")
        self.shard = shard
        self.current = current
        self.head = head


@dataclass(frozen=True, slots=True)
class Revision:
    """Where a shard stands; `current` is None if it is empty."""

    shard: int
    place: str
    current: str | None
    head: str

    def require(self) -> None:
        """Raise `SchemaMismatch` unless the shard is where it should be."""
        if self.current != self.head:
            raise SchemaMismatch(self.shard, self.place, self.current, self.head)


def head_revision(scripts: Path | None = None) -> str:
    """Return the newest revision among the migrations that are installed."""
    names = [path.name for path in ((scripts or script_folder()) / "versions").iterdir()]
    return max(match[1] for match in map(_revision, names) if match)


def script_folder() -> Path:
    """Return the folder of the migrations, be they in a checkout or installed."""
    return Path(str(files("xmppd.migrations")))


def status(databases: Sequence[Database]) -> list[Revision]:
    """Return where each shard stands. Blocks.

    :raises StorageUnavailable: one of them cannot be reached.
    """
    head = head_revision()
    return [_status(shard, database, head) for shard, database in enumerate(databases)]


def check(databases: Sequence[Database]) -> None:
    """Make sure that every shard has the schema of this release. Blocks.

    :raises SchemaMismatch: one is older or newer.
    :raises StorageUnavailable: one of them cannot be reached.
    """
    for revision in status(databases):
        revision.require()


def migrate(databases: Sequence[Database], progress: Progress = lambda line: None) -> None:
    """Bring every shard to the schema of this release, and divide the slots of a fresh deployment. Blocks.

    :param progress: is told what is done, line by line.
    :raises SchemaMismatch: a shard is newer.
    :raises StorageUnavailable: one of them cannot be reached.
    """
    for revision in status(databases):
        if revision.current != revision.head:
            _upgrade(databases[revision.shard], revision, progress)
    _divide_slots(databases, progress)


def configuration(scripts: Path | None = None) -> "Config":
    """Return Alembic's configuration; a connection for `env.py` goes into its attributes."""
    from alembic.config import Config

    config = Config(attributes={"target_metadata": metadata})
    config.set_main_option("script_location", str(scripts or script_folder()).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    return config


def _status(shard: int, database: Database, head: str) -> Revision:
    with database.blocking() as connection:
        return Revision(shard, database.place, _current(connection), head)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _upgrade(database: Database, before: Revision, progress: Progress) -> None:
    from alembic import command

    if before.current is not None and before.current > before.head:
        before.require()
    with database.blocking() as connection, _locked(database, connection):
        if _current(connection) == before.head:  # somebody else was faster
            return
        progress(f"shard {before.shard}: from {before.current or 'nothing'} to {before.head}")
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _divide_slots(databases: Sequence[Database], progress: Progress) -> None:
    """Give a fresh deployment its first slot map. Its shards come first: without a map nobody writes to them."""
    with databases[0].blocking() as connection:
        if stored_map(connection) is not None:
            return
    with databases[0].blocking() as first, _locked(databases[0], first):
        if stored_map(first) is not None:  # somebody else was faster
            return
        slots = SlotMap.even(len(databases))
        for shard, database in enumerate(databases[1:], 1):
            with database.blocking() as connection, _locked(database, connection):
                open_slots(connection, slots, shard)
        open_slots(first, slots, 0)
        store_map(first, slots)
        progress(f"slots divided among {len(databases)} shard{'s' * (len(databases) > 1)}")


@contextmanager
def _locked(database: Database, connection: Connection) -> Iterator[None]:
    """One transaction under the lock that keeps other processes' migrations away."""
    if not database.is_sqlite:
        with connection.begin():
            connection.execute(text(f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{PATIENCE}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            yield
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")
