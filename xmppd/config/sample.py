"""The sample configuration: every option with its default and its meaning, made from the declarations.

In ``conf/xmppd.toml`` a line that begins with ``# `` explains, and one that begins with ``#`` alone is an option with
its default: take the mark away to set it. So the sample as it is sets nothing, and all of its options together are a
valid configuration; a test holds both.
"""

import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, Union

from .convert import bounds
from .schema import Option, options, section_type
from .server import Config
from .toml import key, literal

_WIDTH: Final = 100
_INTRODUCTION: Final = """\
The configuration of xmppd: every option, its default and its meaning.

A line that begins with a mark and a space explains. One that begins with the mark alone is an option with its default:
take the mark away to set it. Durations are written "30s", "5m", "1h30m" or "2d", sizes "10 kB" (10 000 bytes) or
"256 KiB" (262 144 bytes). Options that say "live" are changed by a reload (xmppctl config reload, or SIGHUP);
the others need a restart. "xmppctl config check" tells what is wrong with a file before it is used.

This file is generated from the declarations in the code; it is not meant to be edited, but to be copied from."""


def sample(module_configs: Mapping[str, type | None]) -> str:
    """Return the sample.

    :param module_configs: the `Config` dataclass of each module, by name; None of one without options.
    """
    lines = list(_comment(_INTRODUCTION))
    for one in options(Config):
        lines += _part(one)
    for name, section in sorted(module_configs.items()):
        if section is not None:
            lines += _table(("modules", name), section, _about(section))
    return "\n".join(lines) + "\n"


def _part(one: Option) -> Iterator[str]:
    """Return the lines of one of the tables of the whole configuration."""
    section = section_type(one.type)
    if section:
        yield from _table((one.name,), section, one.help)
        return
    item = typing.get_args(one.type)[-1]
    if typing.get_origin(one.type) is list:
        yield from _table((one.name,), item, f"{one.help} {_about(item)}", "#[[{}]]")
    else:
        yield from _table((one.name, "example.org"), item, f"{one.help} {_about(item)}", "#[{}]")


def _table(path: tuple[str, ...], section: type, about: str, header: str = "[{}]") -> Iterator[str]:
    """Return the lines of a table: its options, then its sub-tables.

    :param header: how its name is written; one that may be there many times or not at all is commented out.
    """
    yield from ("", "", *_comment(about), header.format(".".join(map(key, path))))
    tables = [one for one in options(section) if section_type(one.type)]
    for one in options(section):
        if one not in tables:
            yield from ("", *_comment(f"{one.help} {_facts(one)}"), f"#{key(one.name)} = {_value(one)}")
    for one in tables:
        yield from _table((*path, one.name), typing.cast(type, section_type(one.type)), one.help, header)


def _facts(one: Option) -> str:
    """Return what the declaration says besides the help: values allowed, what is not set, what is live."""
    facts = []
    if choices := one.choices or _members(one.type):
        facts.append(f"One of {', '.join(map(literal, choices))}.")
    if limits := bounds(one):
        facts.append(f"Allowed: {limits}.")
    if one.is_required:
        facts.append("Must be set.")
    elif one.default is None:
        facts.append("Not set by default.")
    elif not one.default and one.example:
        facts.append(f"Example: {key(one.name)} = {literal(one.example)}.")
    if one.live:
        facts.append("(live)")
    return " ".join(facts)


def _members(annotation: Any) -> list[StrEnum]:
    """Return the values of an enumeration, or of one that may be not set; empty for other types."""
    parts = typing.get_args(annotation) if typing.get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return [member for kind in parts if isinstance(kind, type) and issubclass(kind, StrEnum) for member in kind]


def _value(one: Option) -> str:
    """Return the default, or the example where there is none."""
    return literal(one.example if one.is_required or one.default is None else one.default)


def _about(section: type) -> str:
    """Return the first paragraph of a section's own docstring; empty if it has none."""
    text = section.__doc__ or ""
    is_generated = text.startswith(f"{section.__name__}(")  # the signature, which dataclasses put there
    return "" if is_generated else " ".join(text.partition("\n\n")[0].split())


def _comment(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.split("\n\n")):
        yield from ["#"] if number else []
        yield from (f"# {line}" for line in textwrap.wrap(paragraph, _WIDTH - 2, break_on_hyphens=False))
