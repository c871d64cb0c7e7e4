"""What an administrative command answers: data for whoever asked, or a `CommandError` that says how to go on.

A command never prints. It returns a `Table`, `Fields` or `Done`; the command line draws them, the socket sends them as
JSON, an ad-hoc command (XEP-0050) puts them in a form. All three see the same `plain` value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import TypeAlias

from ..protocol.element import Element

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"


class Exit(IntEnum):
    """How a command ended, as `xmppctl` tells its shell."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3  # the command needs a running server, and none answers
    UNKNOWN = 4  # the account, session, module or host that was named does not exist
    REFUSED = 5  # the caller may not do this, or did not confirm it
    INTERNAL = 70  # a fault of ours (EX_SOFTWARE of sysexits.h); the log has the traceback


class CommandError(Exception):
    """The command was understood and cannot be done.

    :param text: what is wrong, one sentence without a full stop.
    :param remedy: what the administrator can do about it, if anything helps.
    :param code: the exit code.
    :param details: the same for programs, where the text tells several things.
    """

    def __init__(
        self, text: str, remedy: str = "", code: Exit = Exit.FAILED, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy
        self.code = code
        self.details = dict(details or {})


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equal shape.

    :ivar units: columns whose numbers have a unit, "s" or "B", so that people see "3 d 4 h" and programs 273600.
    :ivar form: columns by the field of an ad-hoc form, where a specification (XEP-0133) names one; then the form holds
        these only.
    :ivar elements: what a specification puts into the ad-hoc form besides.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    elements: Sequence[Element] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """One thing, described by named values; `units`, `form` and `elements` as in `Table`."""

    values: Mapping[str, object]
    title: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    elements: Sequence[Element] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """It is done, and there is nothing to show but a sentence.

    :ivar values: the same for programs, which need not take sentences apart.
    """

    text: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


Result: TypeAlias = Table | Fields | Done
Row: TypeAlias = Mapping[str, object]
"""One row of a command that goes on until its caller has enough (`watch`)."""


def plain(value: object) -> Plain:
    """Return `value` as JSON can carry it: times as XEP-0082 writes them, addresses and the rest as text."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):  # exactly: an encoder may not know a duration
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [plain(item) for item in value]
    return str(value)


def timestamp(when: datetime) -> str:
    """Return a time as XEP-0082 writes it, in UTC and to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(seconds: float | None) -> datetime | None:
    """Return seconds since the epoch as a time, None as None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def plain_result(result: Result) -> dict[str, Plain]:
    """Return a result as JSON carries it; `kind` says which of the three it is."""
    if isinstance(result, Done):
        done: dict[str, Plain] = {"kind": "done", "text": result.text}
        return {**done, "values": plain(result.values)} if result.values else done
    answer: dict[str, Plain] = {"title": result.title, "units": dict(result.units)}
    if isinstance(result, Table):
        rows: list[Plain] = [[plain(cell) for cell in row] for row in result.rows]
        return {"kind": "table", "columns": list(result.columns), "rows": rows, **answer}
    return {"kind": "fields", "values": plain(result.values), **answer}
