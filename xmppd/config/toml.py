"""TOML as we write it: literals, keys and key paths (the standard library only reads it)."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from .quantities import Duration, Mode, Size

_BARE: Final = re.compile("[A-Za-z0-9_-]+")
_NAMED: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_ESCAPED: Final = re.compile('[\x00-\x1f"\\\\\x7f-\x9f\u2028\u2029\ud800-\udfff]')


def literal(value: Any) -> str:
    """Return a value as TOML, on one line; quantities, paths and enumerations are text."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | Duration() | Size() | Mode() | Path():
            return _quoted(str(value))
        case int() | float():
            return repr(value)
        case Mapping():
            return f"{{ {', '.join(f'{key(k)} = {literal(v)}' for k, v in value.items())} }}" if value else "{}"
        case list() | tuple() | set() | frozenset():
            return f"[{', '.join(map(literal, value))}]"
        case _:  # dates and times, which TOML has and we do not use
            return str(value)


def key(name: str) -> str:
    """Return a key, in quotes if it needs them."""
    return name if _BARE.fullmatch(name) else _quoted(name)


def key_path(path: Iterable[str | int]) -> str:
    """Return the way to a value as people write it: ``hosts."example.org".admins[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{key(part)}"
    return text


def _quoted(text: str) -> str:
    return f'"{_ESCAPED.sub(lambda match: _escape(match[0]), text)}"'


def _escape(character: str) -> str:
    return _NAMED.get(character) or f"\\u{ord(character):04x}"
