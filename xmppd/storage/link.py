"""A link: one connection to one database, owned by one thread."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ..core.shards import Row
from .faults import Fault
from .statements import Parameters, Prepared

T = TypeVar("T")


class Link(ABC):
    """What every dialect's connection can do.

    :ivar connection: SQLAlchemy's view of it.
    :ivar raw: the driver's own connection.
    """

    def __init__(self, engine: Engine) -> None:
        self.connection: Connection = engine.connect()
        self.raw: Any = self.connection.connection.dbapi_connection
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error

    def fetch(self, query: Prepared, parameters: Parameters) -> list[Row]:
        """Return all rows of a query, which is a transaction of its own."""
        if not query.raw:
            return self._fetch_by_sqlalchemy(query, parameters)
        cursor = self.raw.cursor()
        try:
            cursor.execute(query.text, query.bind(parameters))
            return query.convert(cursor.fetchall(), cursor.description)
        finally:
            cursor.close()

    def _fetch_by_sqlalchemy(self, query: Prepared, parameters: Parameters) -> list[Row]:
        with self.connection.begin():
            return [tuple(row) for row in self.connection.execute(query.statement, dict(parameters))]

    def _write_by_sqlalchemy(self, query: Prepared, rows: Sequence[Parameters]) -> int:
        values = [dict(row) for row in rows]
        return self.connection.execute(query.statement, values if len(values) > 1 else values[0]).rowcount

    def _write_raw(self, query: Prepared, rows: Sequence[Parameters]) -> int:
        cursor = self.raw.cursor()
        try:
            if len(rows) == 1:
                cursor.execute(query.text, query.bind(rows[0]))
            else:
                cursor.executemany(query.text, [query.bind(row) for row in rows])
            return int(cursor.rowcount)
        finally:
            cursor.close()

    @abstractmethod
    def write(self, query: Prepared, rows: Sequence[Parameters], slot: int | None) -> int:
        """Run a statement for each of `rows`, all or none of them; return how many rows it touched.

        :raises SlotElsewhere: this shard does not hold the slot; None asks for no check.
        """

    @abstractmethod
    def write_each(self, query: Prepared, rows: Sequence[Parameters], slots: Sequence[int]) -> None:
        """Run a plain statement for each of `rows`, all or none of them; they are of all these slots.

        :raises SlotElsewhere: this shard does not hold one of the slots.
        """

    @abstractmethod
    def transact(self, work: Callable[[Connection], T], slot: int | None) -> T:
        """Run `work` in one transaction; an exception rolls it back. Raises `SlotElsewhere` as `write` does."""

    @abstractmethod
    def fault_of(self, error: Exception) -> Fault | None:
        """Return what an exception says of the database, or None if the statement was wrong."""

    def is_alive(self) -> bool:
        """Say whether the other side is still there, as far as that is known for next to nothing."""
        return True

    @abstractmethod
    def interrupt(self) -> None:
        """End what the owning thread is waiting for. The only method that another thread may call."""

    def named(self, error: Exception) -> Exception:
        """Return an exception of the driver under SQLAlchemy's name, without values; others stay what they are."""
        if not isinstance(error, self._driver_error):
            return error
        dialect = self.connection.dialect
        return cast(
            Exception,
            DBAPIError.instance(None, None, error, self._driver_error, hide_parameters=True, dialect=dialect),
        )

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        self.connection.invalidate()
        self.connection.close()
