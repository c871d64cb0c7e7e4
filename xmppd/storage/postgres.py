"""PostgreSQL, by psycopg2.

A link is in autocommit mode: one statement is one transaction and one round trip. A write's look at `slot_here` rides
in the same message as the write; PostgreSQL runs the two as one transaction. Every wait is bounded: connecting by
`connect_timeout`, locks and statements by the server, a network that has gone by keepalives and `tcp_user_timeout`, and
a server that is frozen by `interrupt`.
"""

import os
import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine

from .faults import Fault, SlotElsewhere, is_elsewhere, postgres_fault
from .link import Link
from .statements import Parameters, Prepared

T = TypeVar("T")

HOLD_SLOT: Final = "SELECT xmppd_hold_slot(%(held_slot)s)"
HOLD_SLOTS: Final = "SELECT xmppd_hold_slots(%(held_slots)s)"


def postgres_engine(url: URL, *, connect: float, lock: float, statement: float) -> Engine:
    """Return an engine whose connections wait no longer than told, in seconds; the URL's own parameters come first."""
    limits = f"-c lock_timeout={lock * 1000:.0f} -c statement_timeout={statement * 1000:.0f}"
    given = dict(url.query)
    arguments: dict[str, Any] = {
        "application_name": "xmppd",
        "client_encoding": "utf8",
        "connect_timeout": max(2, round(connect)),  # libpq takes no less
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": round(statement * 1000),
    }
    arguments = {name: value for name, value in arguments.items() if name not in given}
    arguments["options"] = f"{limits} {given.get('options', '')}".strip()
    return create_engine(
        url.set(drivername="postgresql+psycopg2").difference_update_query(["options"]),
        poolclass=NullPool,  # each thread keeps its own connection
        connect_args=arguments,
        hide_parameters=True,
        use_native_hstore=False,  # saves a query for each connection
    )


class PostgresLink(Link):
    """One connection to a PostgreSQL server."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.raw.autocommit = True
        # a descriptor of our own stays valid, and ours, when libpq closes its one
        self._socket = socket.socket(fileno=os.dup(self.raw.fileno()))
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def write(self, query: Prepared, rows: Sequence[Parameters], slot: int | None) -> int:
        try:
            if query.raw and len(rows) == 1:
                return self._write_one(query, rows[0], slot)
            return self._transact(lambda: self._write_many(query, rows), slot)
        except self._driver_error as error:
            if is_elsewhere(error):
                raise SlotElsewhere(f"slot {slot}") from error
            raise

    def write_each(self, query: Prepared, rows: Sequence[Parameters], slots: Sequence[int]) -> None:
        """All is one message, and so one transaction and one round trip."""
        cursor = self.raw.cursor()
        try:
            statements = [cursor.mogrify(query.text, query.bind(row)) for row in rows]
            cursor.execute(b";".join([cursor.mogrify(HOLD_SLOTS, {"held_slots": sorted(slots)}), *statements]))
        except self._driver_error as error:
            if is_elsewhere(error):
                raise SlotElsewhere(f"one of {len(slots)} slots") from error
            raise
        finally:
            cursor.close()

    def transact(self, work: Callable[[Connection], T], slot: int | None) -> T:
        try:
            return self._transact(lambda: work(self.connection), slot)
        except self._driver_error as error:
            if is_elsewhere(error):
                raise SlotElsewhere(f"slot {slot}") from error
            raise

    def fault_of(self, error: Exception) -> Fault | None:
        return postgres_fault(error, bool(self.raw.closed))

    def is_alive(self) -> bool:
        """A connection that waits for nothing has nothing to read, unless it was closed or has a notice for us."""
        return not self._poll.poll(0) or self._answers()

    def interrupt(self) -> None:
        with suppress(OSError):  # it has been closed meanwhile
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
        super().close()

    def _answers(self) -> bool:
        cursor = self.raw.cursor()
        try:
            cursor.execute("SELECT 1")
        except self._driver_error:
            return False
        finally:
            cursor.close()
        return True

    def _write_one(self, query: Prepared, row: Parameters, slot: int | None) -> int:
        text, values = query.text, query.bind(row)
        if slot is not None:
            text, values = f"{HOLD_SLOT};{text}", {**values, "held_slot": slot}
        cursor = self.raw.cursor()
        try:
            cursor.execute(text, values)
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def _write_many(self, query: Prepared, rows: Sequence[Parameters]) -> int:
        """SQLAlchemy sends the rows of an INSERT by the hundred; of anything else each costs a round trip."""
        if query.raw and not query.is_insert:
            return self._write_raw(query, rows)
        return self._write_by_sqlalchemy(query, rows)

    def _transact(self, work: Callable[[], T], slot: int | None) -> T:
        self.raw.autocommit = False
        try:
            with self.connection.begin():
                self._hold(slot)
                return work()
        finally:
            if not self.raw.closed:
                self.raw.autocommit = True

    def _hold(self, slot: int | None) -> None:
        if slot is not None:
            cursor = self.raw.cursor()
            try:
                cursor.execute(HOLD_SLOT, {"held_slot": slot})
            finally:
                cursor.close()
