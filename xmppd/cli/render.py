"""Results on the screen: tables for people, tab-separated lines for pipes, JSON for programs.

What a result holds may come from strangers (a resource's name, a stanza). Control characters never reach the terminal.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import msgspec

from ..config.quantities import Duration, Size
from ..core.results import CommandError
from .progress import Progress

_unprintable = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]").sub


class Renderer:
    """Writes results and rows.

    :param out: where to.
    :param as_json: one JSON value for a result, one line for each row of a stream.
    :param progress: where it is drawn how far a command is; None for nowhere.
    """

    def __init__(self, out: TextIO, as_json: bool = False, progress: Progress | None = None) -> None:
        self._out = out
        self._as_json = as_json
        self._progress = progress

    def result(self, result: Mapping[str, Any]) -> None:
        """Write the result of a command."""
        if self._as_json:
            self.object(_for_programs(result))
        elif result["kind"] == "table":
            self._table(result)
        elif result["kind"] == "fields":
            self._fields(result)
        elif result["text"]:
            self._line("\n".join(printable(line) for line in result["text"].split("\n")))

    def error(self, error: CommandError, found: Path | None) -> None:
        """Write why there is no result, as JSON; `found` is the configuration that was used as none was named."""
        told = {"text": error.text, "remedy": error.remedy, "code": int(error.code), **error.details}
        self.object({"error": told if found is None else {**told, "configuration": str(found)}})

    def object(self, value: object) -> None:
        """Write one JSON value, indented."""
        self._line(msgspec.json.format(json_line(value), indent=2))

    def row(self, row: Mapping[str, Any]) -> None:
        """Write one row of a stream, and let it be seen at once.

        One that says how far a command is (`progress`, `of`) is drawn; of one with a `sentence` people need no more.
        """
        if self._as_json:
            self._line(json_line(row))
        elif "progress" in row:
            if self._progress is not None:
                self._progress.show(row["progress"], row["of"])
            return
        else:
            self.clear()
            values = [row["sentence"]] if "sentence" in row else row.values()
            self._line("  ".join(cell(value) for value in values if value not in (None, "")))
        self._out.flush()

    def clear(self) -> None:
        """Remove what was drawn of how far a command is."""
        if self._progress is not None:
            self._progress.clear()

    def _table(self, result: Mapping[str, Any]) -> None:
        columns: Sequence[str] = result["columns"]
        units = [result["units"].get(column) for column in columns]
        rows = [[cell(value, unit) for value, unit in zip(row, units, strict=True)] for row in result["rows"]]
        if self._out.isatty():
            from .drawing import draw

            heads = [column.replace("_", " ") for column in columns]
            right = [bool(rows) and all(is_number(row[at]) for row in result["rows"]) for at in range(len(columns))]
            draw(self._out, result["title"], heads, rows, right)
        else:
            self._line("\t".join(columns))
            for row in rows:
                self._line("\t".join(row))

    def _fields(self, result: Mapping[str, Any]) -> None:
        values: Mapping[str, Any] = result["values"]
        width = max((len(name) for name in values), default=0)
        for name, value in values.items():
            shown = cell(value, result["units"].get(name))
            pretty = f"{name.replace('_', ' '):{width}}  {shown}".rstrip()
            self._line(pretty if self._out.isatty() else f"{name}\t{shown}")

    def _line(self, text: str) -> None:
        self._out.write(text + "\n")


def json_line(value: object) -> str:
    """Return a value as JSON on one line."""
    return msgspec.json.encode(value).decode()


def cell(value: object, unit: str | None = None) -> str:
    """Return a value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit in UNITS and is_number(value):
        return UNITS[unit](value)
    if isinstance(value, list):
        return ", ".join(cell(item, unit) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{printable(name)}={cell(item)}" for name, item in value.items())
    return printable(str(value))


def printable(text: str) -> str:
    """Return `text` with every character that could steer a terminal or turn its writing about made visible."""
    return _unprintable(lambda found: f"\\u{ord(found[0]):04x}", text)


def is_number(value: object) -> bool:
    """Say whether a value is one that is set flush right."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def span(seconds: Any) -> str:
    """Return a span of time to the second, its two largest units only: "3d 4h"."""
    if seconds < 1:
        return str(Duration(max(0, seconds)))
    return " ".join(re.findall("[0-9]+[a-z]+", str(Duration(int(seconds))))[:2])


def size(count: Any) -> str:
    """Return a number of bytes with three digits and a unit: "12.3 MiB"."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(amount) < 1000:
            return f"{amount:.3g} {unit}" if unit != "B" else str(Size(int(count)) if count >= 0 else count)
        amount /= 1024
    return f"{amount:.3g} TiB"


UNITS: dict[str | None, Callable[[Any], str]] = {"s": span, "B": size}


def _for_programs(result: Mapping[str, Any]) -> Any:
    """Return a table as a list of objects, fields as one object, and what is done as its values, or the sentence."""
    if result["kind"] == "table":
        return [dict(zip(result["columns"], row, strict=True)) for row in result["rows"]]
    if result["kind"] == "fields":
        return result["values"]
    return result.get("values") or {"text": result["text"]}
