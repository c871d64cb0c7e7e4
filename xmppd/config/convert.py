"""From parsed TOML to typed sections: every value checked against its declaration, every mistake collected."""

import dataclasses
import typing
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from .problems import NO_VALUE, Problem, nearest
from .quantities import Duration, Mode, Size, Url
from .schema import Option, options, section_type
from .toml import key, literal

KeyPath = tuple[str | int, ...]

_MEANINGS: Final[dict[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text in quotes",
    Path: "a path in quotes",
    Url: "an address in quotes",
    Duration: 'a duration with its unit: write "30s" or "1h30m"',
    Size: 'a size with its unit: write "10 kB" or "1 MiB"',
    Mode: 'a file mode in quotes: write "0600"',
}


class Conversion:
    """One pass over a parsed file.

    :param file: the file as the operator named it, for the problems.
    :ivar problems: what was found to be wrong so far.
    """

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file

    def is_clean(self, path: KeyPath) -> bool:
        """Say whether nothing at or below a key was found to be wrong."""
        return not any(problem.path[: len(path)] == path for problem in self.problems)

    def complain(self, path: KeyPath, text: str, value: Any = NO_VALUE) -> None:
        """Note that something is wrong."""
        self.problems.append(Problem(self._file, path, text, value))

    def section(self, kind: type, table: Any, path: KeyPath) -> Any:
        """Return a section made of a table; None if it cannot be made at all.

        A value that is wrong is complained of and replaced by its default, so that the rest can be checked.
        """
        if not isinstance(table, Mapping):
            self.complain(path, f"must be a table: write {_header(path)} and its options below", table)
            return None
        declared = {one.name: one for one in options(kind)}
        self.refuse_unknown(table, declared, path)
        values = {name: self._take(one, table, path) for name, one in declared.items()}
        return None if any(value is NO_VALUE for value in values.values()) else kind(**values)

    def refuse_unknown(self, table: Mapping[str, Any], known: Collection[str], path: KeyPath) -> None:
        """Complain of each key that is not known, with the one that was probably meant."""
        for name in table:
            if name not in known:
                self.complain((*path, name), f"unknown key; {nearest(name, known)}")

    def _take(self, one: Option, table: Mapping[str, Any], path: KeyPath) -> Any:
        """Return the value of one option, `NO_VALUE` if the file must set it and does not."""
        here = (*path, one.name)
        value = self._value(one, table[one.name], here) if one.name in table else NO_VALUE
        if value is not NO_VALUE:
            return value
        if not one.is_required:
            return one.default
        if one.name not in table:
            self.complain(here, f"is missing: write {key(one.name)} = {literal(one.example)}, say")
        return NO_VALUE

    def _value(self, one: Option, raw: Any, path: KeyPath) -> Any:
        """Return one value in its type and within its bounds, or complain and return `NO_VALUE`."""
        if section := section_type(one.type):
            return self._or_no_value(self.section(section, raw, path))
        container = typing.get_origin(one.type)
        if container not in (list, dict):
            return self._leaf(one, raw, path)
        item = typing.get_args(one.type)[-1]
        if section := section_type(item):
            return self._sections(section, raw, path, is_list=container is list)
        if not isinstance(raw, container):
            what = "a list" if container is list else "a table"
            self.complain(path, f"must be {what}, each item {_meaning(item, None)}", _shown(one, raw))
            return NO_VALUE
        return self._items(dataclasses.replace(one, type=item), raw, path)

    def _items(self, one: Option, raw: Any, path: KeyPath) -> Any:
        """Return a list or a dictionary of plain values, each checked on its own."""
        pairs = list(raw.items() if isinstance(raw, dict) else enumerate(raw))
        made = {name: self._leaf(one, item, (*path, name)) for name, item in pairs}
        if any(item is NO_VALUE for item in made.values()):
            return NO_VALUE
        return made if isinstance(raw, dict) else list(made.values())

    def _sections(self, kind: type, raw: Any, path: KeyPath, *, is_list: bool) -> Any:
        """Return a list, or a dictionary, of sections; those that cannot be made are left out."""
        if not isinstance(raw, list if is_list else Mapping):
            header = f"[[{'.'.join(map(str, path))}]]" if is_list else _header((*path, "name"))
            self.complain(path, f"must be {'tables' if is_list else 'a table of tables'}: write {header}", raw)
            return NO_VALUE
        pairs = list(raw.items() if isinstance(raw, Mapping) else enumerate(raw))
        made = {name: self.section(kind, table, (*path, name)) for name, table in pairs}
        found = {name: section for name, section in made.items() if section is not None}
        return list(found.values()) if is_list else found

    def _leaf(self, one: Option, raw: Any, path: KeyPath) -> Any:
        try:
            value = msgspec.convert(raw, one.type, strict=True, dec_hook=_decode)
        except msgspec.ValidationError as error:
            self.complain(path, _wrong_type(one.type, raw, error), _shown(one, raw))
            return NO_VALUE
        text = _out_of_bounds(one, value)
        if text:
            self.complain(path, text, _shown(one, raw))
        return NO_VALUE if text else value

    def _or_no_value(self, section: Any) -> Any:
        return NO_VALUE if section is None else section


def _decode(kind: type, raw: Any) -> Any:
    """Make a quantity or a path of its text; msgspec asks for the types that it does not know."""
    if not isinstance(raw, str):
        raise TypeError(f"must be {_MEANINGS[kind]}")
    if kind is Path and (not raw or "\0" in raw):
        raise ValueError("a path holds no NUL" if raw else "a path is not empty")
    return kind(raw)


def _wrong_type(annotation: Any, raw: Any, error: Exception) -> str:
    """Say what was expected, and how a number without its unit is written."""
    if isinstance(error.__cause__, ValueError | TypeError):
        return str(error.__cause__)
    kinds = [kind for kind in typing.get_args(annotation) or (annotation,) if kind is not type(None)]
    return f"must be {' or '.join(_meaning(kind, raw) for kind in kinds)}"


def _shown(one: Option, raw: Any) -> Any:
    return "***" if one.secret else raw


def _meaning(kind: Any, raw: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _one_of(list(kind), raw)
    return _MEANINGS.get(kind, f"of the type {kind}")


def _one_of(choices: Sequence[Any], raw: Any) -> str:
    remedy = ""
    if isinstance(raw, str) and all(isinstance(choice, str) for choice in choices):
        close = nearest(raw, [str(choice) for choice in choices])
        remedy = f"; {close}" if close.startswith("did") else ""
    return f"{' or '.join(map(literal, choices))}{remedy}"


def _out_of_bounds(one: Option, value: Any) -> str:
    """Say which bound a value breaks; empty if none."""
    if one.choices is not None and value not in one.choices:
        return f"must be {_one_of(one.choices, value)}"
    within = (one.ge is None or value >= one.ge) and (one.le is None or value <= one.le)  # NaN is neither
    return "" if within else f"must be {bounds(one)}"


def bounds(one: Option) -> str:
    """Return the bounds of an option in words; empty if it has none."""
    if one.ge is not None and one.le is not None:
        return f"{one.ge} to {one.le}"
    return f"{one.ge} or more" if one.ge is not None else f"{one.le} or less" if one.le is not None else ""


def _header(path: KeyPath) -> str:
    """Return how the header of a table is written; the number of an item is not part of it."""
    header = ".".join(key(part) for part in path if isinstance(part, str))
    return f"[[{header}]]" if isinstance(path[-1], int) else f"[{header}]"
