"""Changes: what a reload would change, and changing what can be changed in a running server."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .schema import Option, options, section_type
from .server import Config
from .toml import key_path, literal

ABSENT: Final = "absent"  # stands for a table that one of the two files does not have


@dataclass(frozen=True, slots=True)
class Change:
    """One option, or a whole table, that two configurations do not agree about.

    :ivar path: the keys that lead to it.
    :ivar old: what it was, as it may be shown.
    :ivar new: what it is to be, as it may be shown.
    :ivar live: whether a reload changes it; if not, the server must be started again.
    """

    path: tuple[str | int, ...]
    old: str
    new: str
    live: bool

    def __str__(self) -> str:
        when = "" if self.live else " (needs a restart)"
        return f"{self.option}: {self.old} -> {self.new}{when}"

    @property
    def option(self) -> str:
        """The path as people write it."""
        return key_path(self.path)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a change is to be made."""

    change: Change
    section: Any = None
    name: str = ""
    value: Any = None


def diff(old: Config, new: Config) -> list[Change]:
    """Return what would change, in the order of the schema."""
    return [place.change for place in _differences(old, new, ())]


def adopt(config: Config, new: Config) -> list[Change]:
    """Change the live options of a configuration that is in use, in place; leave the others.

    :return: all changes, those too that need a restart.
    """
    places = list(_differences(config, new, ()))
    for place in places:
        if place.change.live:
            setattr(place.section, place.name, place.value)
    return [place.change for place in places]


def _differences(old: Any, new: Any, path: tuple[str | int, ...]) -> Iterator[_Place]:
    """Return how two sections of one type differ."""
    for field in dataclasses.fields(old):
        if not field.init:  # the sections of the modules, which have no option of their own
            yield from _compare_tables(getattr(old, field.name), getattr(new, field.name), path)
    for one in options(type(old)):
        here, before, after = (*path, one.name), getattr(old, one.name), getattr(new, one.name)
        if section_type(one.type):
            yield from _differences(before, after, here)
        elif _holds_sections(before) or _holds_sections(after):
            yield from _compare_tables(_as_table(before), _as_table(after), here)
        elif before != after:
            yield _Place(Change(here, _shown(one, before), _shown(one, after), one.live), old, one.name, after)


def _compare_tables(old: dict[Any, Any], new: dict[Any, Any], path: tuple[str | int, ...]) -> Iterator[_Place]:
    """Return how two collections of sections differ; to add or remove one needs a restart."""
    for name in [*old, *(name for name in new if name not in old)]:
        if name in old and name in new and type(old[name]) is type(new[name]):
            yield from _differences(old[name], new[name], (*path, name))
        else:
            before, after = ("there" if name in tables else ABSENT for tables in (old, new))
            yield _Place(Change((*path, name), before, after, live=False))


def _holds_sections(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(dataclasses.is_dataclass(item) for item in items)


def _as_table(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else dict(enumerate(value))


def _shown(one: Option, value: Any) -> str:
    return "not set" if value is None else literal(one.shown(value))
