"""Showing the configuration that is in use: all options with their values, without secrets.

`show` is for people, `values` for programs. Both leave out nothing but what is secret.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

from .quantities import Duration, Mode, Size
from .schema import Option, options
from .server import Config, Modules
from .toml import key, literal


def show(config: Config) -> str:
    """Return a configuration as TOML; options that are not set are comments, and secrets are blanked."""
    return "\n".join(_section(config, ())).lstrip("\n") + "\n"


def values(config: Config) -> dict[str, Any]:
    """Return a configuration as nested mappings; quantities are text, as in the file, what is not set is None."""
    return _values(config)


def _values(section: Any) -> dict[str, Any]:
    found = {one.name: _value(one.shown(getattr(section, one.name))) for one in options(type(section))}
    modules: dict[str, Any] = getattr(section, "configs", {}) if isinstance(section, Modules) else {}
    return {**found, **{name: _values(config) for name, config in modules.items()}}


def _value(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return _values(value)
    if isinstance(value, dict):
        return {name: _value(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_value(item) for item in value]
    return str(value) if isinstance(value, Duration | Size | Mode) else value


def _section(section: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Return the lines of a section: its plain values first, as TOML wants it, then its sub-tables."""
    tables = []
    for one in options(type(section)):
        value = getattr(section, one.name)
        if _is_table(value):
            tables.append((one.name, value))
        else:
            yield _line(one, value)
    if (modules := getattr(section, "configs", None)) and path == ("modules",):
        tables += modules.items()
    for name, value in tables:
        yield from _table(value, (*path, name))


def _table(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    header = ".".join(map(key, path))
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _table(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from ("", f"[[{header}]]", *_section(item, path))
    else:
        yield from ("", f"[{header}]", *_section(value, path))


def _is_table(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else (value,)
    return any(dataclasses.is_dataclass(item) for item in items)


def _line(one: Option, value: Any) -> str:
    return f"# {key(one.name)} is not set" if value is None else f"{key(one.name)} = {literal(one.shown(value))}"
