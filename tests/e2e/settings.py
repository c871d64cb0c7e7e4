"""A configuration file, as a test wants it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xmppd.config.toml import literal

Options = dict[str, Any]
Tables = dict[str, Options | list[Options]]


def written(tables: Mapping[str, Options | Sequence[Options]]) -> str:
    """Return tables as TOML; what is a list is an array of tables."""
    parts = []
    for name, content in tables.items():
        head, sections = ("[[{}]]", content) if isinstance(content, list) else ("[{}]", [content])
        for section in sections:
            lines = (
                f"{key} = {literal(str(value) if isinstance(value, Path) else value)}" for key, value in section.items()
            )
            parts.append("\n".join([head.format(name), *lines]))
    return "\n\n".join(parts) + "\n"
