"""Hot statements: compiled once for each dialect, then run raw on a DBAPI cursor.

SQLAlchemy's own execution costs several times what the driver costs. What it does for a value on its way in and out
(say, bytes on PostgreSQL) is done here too, but only where a type asks for it. The few statements that cannot be
reduced to one text (an `in_` over a list, a Python-side default) are run by SQLAlchemy itself: see `Prepared.raw`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler

from ..core.shards import Row

Parameters = Mapping[str, Any]
Process = Callable[[Any], Any]
Converter = Callable[[list[Row]], list[Row]]

KEPT: Final = 4096  # more statements than any program has as constants


class Prepared:
    """One statement in the words of one dialect.

    :ivar raw: whether `text` may be given to the driver as it is; if not, SQLAlchemy has to execute `statement`.
    :ivar text: the SQL, with named parameters in the driver's form.
    :ivar is_insert: whether SQLAlchemy can send many rows at once.
    """

    __slots__ = ("_columns", "_convert", "_dialect", "_fixed", "_processes", "is_insert", "raw", "statement", "text")

    def __init__(self, statement: Executable, dialect: Dialect, keys: Sequence[str] | None) -> None:
        element = cast(ClauseElement, statement)
        compiled = cast(SQLCompiler, element.compile(dialect=dialect, column_keys=keys))
        self.statement = statement
        self.text = str(compiled)
        self.is_insert = compiled.isinsert
        self.raw = _is_plain(compiled)
        self._dialect = dialect
        self._fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self._processes = _bind_processes(compiled, dialect)
        self._columns = [column.type for column in getattr(statement, "exported_columns", ())]
        self._convert: Converter | None = None

    def bind(self, parameters: Parameters) -> Parameters:
        """Return what the driver is given: the statement's own values, and the caller's as the driver wants them."""
        if not self._fixed and not self._processes:
            return parameters
        bound = {**self._fixed, **parameters}
        for name, process in self._processes:
            bound[name] = process(bound[name])
        return bound

    def convert(self, rows: list[Row], description: Sequence[Sequence[Any]]) -> list[Row]:
        """Return rows as Python values; `description` is the cursor's."""
        convert = self._convert
        if convert is None:
            convert = self._convert = self._converter([column[1] for column in description])
        return convert(rows)

    def _converter(self, codes: Sequence[Any]) -> Converter:
        if len(codes) != len(self._columns):
            return _unchanged
        processes = [
            type_.dialect_impl(self._dialect).result_processor(self._dialect, code)
            for type_, code in zip(self._columns, codes, strict=True)
        ]
        if not any(processes):
            return _unchanged
        return lambda rows: [
            tuple([value if process is None else process(value) for process, value in zip(processes, row, strict=True)])
            for row in rows
        ]


class Statements:
    """The prepared statements of one dialect.

    A statement is known by identity: make statements constants, not for each call. Used from the loop's thread only.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[tuple[Executable, tuple[str, ...] | None], Prepared] = {}

    def reading(self, statement: Executable) -> Prepared:
        """Return a query, prepared."""
        return self._prepared.get((statement, None)) or self._prepare(statement, None)

    def writing(self, statement: Executable, row: Parameters) -> Prepared:
        """Return a statement prepared for rows with the keys of `row`, which decide the columns of an INSERT."""
        keys = tuple(row)
        return self._prepared.get((statement, keys)) or self._prepare(statement, keys)

    def _prepare(self, statement: Executable, keys: tuple[str, ...] | None) -> Prepared:
        if len(self._prepared) >= KEPT:  # somebody makes them anew each time: slow, but no leak
            del self._prepared[next(iter(self._prepared))]
        prepared = self._prepared[statement, keys] = Prepared(statement, self._dialect, keys)
        return prepared


def _unchanged(rows: list[Row]) -> list[Row]:
    return rows


def _is_plain(compiled: SQLCompiler) -> bool:
    """Say whether the text is complete and every value is known before the statement runs."""
    late = compiled.post_compile_params or compiled.literal_execute_params or compiled.escaped_bind_names
    defaults = (compiled.isinsert and compiled.insert_prefetch) or (compiled.isupdate and compiled.update_prefetch)
    return not late and not defaults and all(bind.callable is None for bind in compiled.binds.values())


def _bind_processes(compiled: SQLCompiler, dialect: Dialect) -> list[tuple[str, Process]]:
    found = [(name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in compiled.binds.items()]
    return [(name, process) for name, process in found if process is not None]
