"""Options: how a module, or the server itself, declares what an operator may set.

A section of the configuration file is a dataclass; each of its fields is an option::

    @dataclass(slots=True)
    class Config:
        page_size: int = option(50, ge=1, le=500, live=True, help="How many messages one page holds at most.")
        keep: Duration = option(Duration("30d"), ge=Duration("1d"), help="How long a message is kept.")

A field's type says what may be written: `bool`, `int`, `float`, `str`, `Duration`, `Size`, `Mode`, `Url`, `Path`, a
`StrEnum`, any of them `| None` (not set), lists and dictionaries of them, and further dataclasses for sub-tables. The
loader, the sample configuration and the documentation read nothing but these declarations.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, Final, Union

from .quantities import Duration, Mode, Size, Url

__all__ = ["Duration", "Mode", "Option", "Size", "Url", "option", "options", "required", "section_type"]

_KEY: Final = "xmppd.option"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a section.

    :ivar name: its key in the file.
    :ivar type: the annotated type, resolved.
    :ivar ge: the least value allowed; in a list, of each item.
    :ivar le: the greatest value allowed; in a list, of each item.
    :ivar choices: the only values allowed; in a list, of each item.
    :ivar help: what it means, in one or more sentences.
    :ivar live: whether a reload changes it in the running server.
    :ivar secret: whether it must not be shown or logged; of a `Url` only the password and the query are hidden. It is
        not in the section's `repr` either.
    :ivar in_data: whether a relative path is looked up in the data folder, not in the folder of the file.
    :ivar example: what the sample shows where there is no default.
    """

    name: str
    type: Any
    ge: float | None = None
    le: float | None = None
    choices: Sequence[Any] | None = None
    help: str = ""
    live: bool = False
    secret: bool = False
    in_data: bool = False
    example: Any = None
    make_default: Callable[[], Any] | None = None

    @property
    def is_required(self) -> bool:
        """Whether the file must set it."""
        return self.make_default is None

    def shown(self, value: Any) -> Any:
        """Return what may be shown of a value."""
        if not self.secret or not value:
            return value
        return value.without_secrets() if isinstance(value, Url) else "***"

    @property
    def default(self) -> Any:
        """The value of a file that does not set it: a new one each time, so that lists are not shared."""
        if self.make_default is None:
            raise LookupError(f"{self.name} has no default")
        return self.make_default()


def option(
    default: Any,
    *,
    ge: float | None = None,
    le: float | None = None,
    choices: Sequence[Any] | None = None,
    help: str,
    live: bool = False,
    secret: bool = False,
    in_data: bool = False,
    example: Any = None,
) -> Any:
    """Declare a dataclass field as an option; `Option` tells what the parameters mean.

    :param default: the value where the file says nothing; a list, dictionary or section is copied for each use; a
        callable makes it.
    """
    facts = _facts(ge, le, choices, help, live, secret, in_data, example)
    if callable(default):
        return dataclasses.field(default_factory=default, metadata=facts, repr=not secret)
    if isinstance(default, list | dict | set):
        return dataclasses.field(default_factory=default.copy, metadata=facts, repr=not secret)
    return dataclasses.field(default=default, metadata=facts, repr=not secret)


def required(
    *,
    ge: float | None = None,
    le: float | None = None,
    choices: Sequence[Any] | None = None,
    help: str,
    live: bool = False,
    secret: bool = False,
    in_data: bool = False,
    example: Any = None,
) -> Any:
    """Declare a dataclass field that the file must set."""
    facts = _facts(ge, le, choices, help, live, secret, in_data, example)
    return dataclasses.field(metadata=facts, repr=not secret)


def options(section: type) -> Iterator[Option]:
    """Return the options of a section in the order of their declaration.

    A plain field is an option without help; one that the constructor does not take (`init=False`) is none.
    """
    hints = typing.get_type_hints(section)
    for field in (each for each in dataclasses.fields(section) if each.init):
        facts = field.metadata.get(_KEY, {})
        yield Option(name=field.name, type=hints[field.name], make_default=_default_maker(field), **facts)


def section_type(annotation: Any) -> type | None:
    """Return the dataclass that an annotation stands for, itself or `| None`; None if it is no sub-table."""
    if typing.get_origin(annotation) in (Union, types.UnionType):
        found = [section_type(part) for part in typing.get_args(annotation)]
        return next((part for part in found if part), None)
    return annotation if isinstance(annotation, type) and dataclasses.is_dataclass(annotation) else None


def _facts(
    ge: float | None,
    le: float | None,
    choices: Sequence[Any] | None,
    help: str,
    live: bool,
    secret: bool,
    in_data: bool,
    example: Any,
) -> dict[str, dict[str, Any]]:
    facts = {"ge": ge, "le": le, "choices": choices, "help": help}
    return {_KEY: {**facts, "live": live, "secret": secret, "in_data": in_data, "example": example}}


def _default_maker(field: "dataclasses.Field[Any]") -> Callable[[], Any] | None:
    if field.default_factory is not MISSING:
        return field.default_factory
    return None if field.default is MISSING else lambda: field.default
