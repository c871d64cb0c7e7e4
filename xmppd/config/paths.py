"""Paths: relative ones are looked up in the folder of the configuration file, or in the data folder."""

import dataclasses
import os.path
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from .quantities import Url
from .schema import Option, options
from .server import Config

_SQLITE: Final = "sqlite:///"


def resolve(config: Config, folder: Path) -> None:
    """Make every path of a configuration absolute, in place.

    :param folder: the folder of the configuration file.
    """
    config.server.data_folder = folder / config.server.data_folder.expanduser()
    for section in _sections(config):
        for one in options(type(section)):
            _resolve_option(section, one, config.server.data_folder if one.in_data else folder)
    for shard in config.shards:
        shard.url = _resolve_database(shard.url, config.server.data_folder)


def _sections(value: Any) -> Iterator[Any]:
    """Return every section at and below a value."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _sections(item)
    elif isinstance(value, list):
        for item in value:
            yield from _sections(item)
    elif dataclasses.is_dataclass(value):
        yield value
        for field in dataclasses.fields(value):
            yield from _sections(getattr(value, field.name))


def _resolve_option(section: Any, one: Option, base: Path) -> None:
    value = getattr(section, one.name)
    if isinstance(value, Path):
        setattr(section, one.name, base / value.expanduser())
    elif isinstance(value, list) and any(isinstance(item, Path) for item in value):
        setattr(section, one.name, [base / item.expanduser() for item in value])


def _resolve_database(url: Url, data_folder: Path) -> Url:
    """Return the address of an SQLite file with its absolute path; other addresses are left alone."""
    file, question_mark, query = url.removeprefix(_SQLITE).partition("?")
    if not url.startswith(_SQLITE) or not file or file == ":memory:" or file.startswith("file:"):
        return url
    return Url(f"{_SQLITE}{os.path.normpath(data_folder / file)}{question_mark}{query}")
