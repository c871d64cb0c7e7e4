"""Problems: what is wrong with a configuration, in one line each."""

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from .toml import key_path, literal

NO_VALUE: Final = object()
_SHOWN: Final = 200  # characters of a value; more would hide the remedy


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    :ivar file: the configuration file as the operator named it.
    :ivar path: the keys that lead to the value; empty if the whole file is meant.
    :ivar value: what the file says there, or `NO_VALUE`.
    :ivar text: what is wrong with it and what to do.
    """

    file: str
    path: tuple[str | int, ...]
    text: str
    value: Any = NO_VALUE

    def __str__(self) -> str:
        where = f"{self.file}: {self.option}" if self.path else self.file
        shown = "" if self.value is NO_VALUE else f" = {_clip(literal(self.value))}"
        return f"{where}{shown}: {self.text}"

    @property
    def option(self) -> str:
        """The path as people write it."""
        return key_path(self.path)


class ConfigError(Exception):
    """The configuration cannot be used.

    :ivar problems: everything that is wrong with it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def nearest(key: str, known: Collection[str]) -> str:
    """Return the remedy for an unknown name: the most similar known one, or what there is to choose from."""
    found = difflib.get_close_matches(key.lower().replace("-", "_"), known, n=1)
    if found:
        return f"did you mean {literal(found[0])}?"
    if not known:
        return "there is nothing to set here: remove it"
    return f"known are {', '.join(sorted(known))}" if len(known) <= 8 else "conf/xmppd.toml lists what there is"


def _clip(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
