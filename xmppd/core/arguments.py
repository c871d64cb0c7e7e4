"""The parameters of an administrative command, read from its signature.

A parameter's annotation says what it takes and how it is asked for: a `Jid`, text, a whole number, a number, a switch,
a `Duration`, a choice (an `Enum`), a `Secret`, a `Document`, a list of one of these, or any of them `| None`. What the
annotation cannot say stands in `Annotated[Jid, argument("which account", field="accountjid")]`. The words of a command
line, the values of a JSON request and those of a form are converted here, and nowhere else.
"""

import inspect
import re
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, NewType, Union, get_args, get_origin, get_type_hints

from ..config.quantities import Duration
from ..protocol.jid import Jid
from .kinds import Kind as Kind
from .results import CommandError, Exit, Plain, plain

Document = NewType("Document", str)
"""The content of a file: the command line takes the file's name, a form several lines."""

SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class Secret(str):
    """Text that no log, traceback or table shows; the command line prompts for it, a form hides it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')"


KINDS: dict[object, Kind] = {
    str: Kind.TEXT,
    Jid: Kind.JID,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    bool: Kind.SWITCH,
    Duration: Kind.DURATION,
    Secret: Kind.SECRET,
    Document: Kind.DOCUMENT,
}


@dataclass(frozen=True, slots=True)
class Argument:
    """What a signature cannot say about a parameter.

    :ivar help: what it is, a few words; also the label of the form's field.
    :ivar field: the form's field, where a specification names it; the parameter's name otherwise.
    :ivar verify: the form's field that repeats a secret.
    :ivar options: values that a form offers to choose from.
    """

    help: str = ""
    field: str = ""
    verify: str = ""
    options: tuple[str, ...] = ()


def argument(help: str = "", *, field: str = "", verify: str = "", options: Sequence[str] = ()) -> Argument:
    """Return what stands in ``Annotated[Jid, ...]`` beside the type; see `Argument`."""
    return Argument(help, field, verify, tuple(options))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command.

    :ivar many: it takes a list.
    :ivar optional: None is a value of its own ("none" in text).
    :ivar choices: the values of a choice.
    """

    name: str
    kind: Kind
    argument: Argument
    many: bool = False
    optional: bool = False
    required: bool = True
    default: object = None
    choices: tuple[str, ...] = ()
    enum: type[Enum] | None = None

    @property
    def field(self) -> str:
        """The name of its field in a form."""
        return self.argument.field or self.name

    @property
    def option(self) -> str:
        """Its name on a command line and in messages."""
        return self.name.rstrip("_").replace("_", "-")

    def convert(self, given: object) -> object:
        """Return what the command gets for `given`: text, or a value that JSON can carry.

        :raises CommandError: it does not fit; the message names the parameter, and no secret.
        """
        if given is None or given == []:
            return self._missing()
        if self.many:
            return [self._one(item) for item in (given if isinstance(given, list | tuple) else [given])]
        return self._one(given)

    def _missing(self) -> object:
        if self.required:
            raise CommandError(f"{self.option} is missing", code=Exit.USAGE)
        return list(self.default) if self.many and isinstance(self.default, list | tuple) else self.default

    def _one(self, given: object) -> object:
        if self.optional and given == "none":
            return None
        try:
            return self._value(given)
        except ValueError as error:
            shown = "" if self.kind is Kind.SECRET else f"{given!r}: "
            raise CommandError(f"{self.option}: {shown}{error}", code=Exit.USAGE) from None

    def _value(self, given: object) -> object:
        if self.kind is Kind.CHOICE:
            return self._choice(given)
        return CONVERSIONS[self.kind](given)

    def _choice(self, given: object) -> Enum:
        assert self.enum is not None
        for member in self.enum:
            if str(member.value) == given:
                return member
        raise ValueError(f"it is none of {', '.join(self.choices)}")

    def describe(self) -> dict[str, Plain]:
        """Return what a front end needs to ask for it."""
        return {
            "name": self.name,
            "option": self.option,
            "kind": self.kind.value,
            "many": self.many,
            "required": self.required,
            "default": None if self.kind is Kind.SECRET else plain(self.default),
            "choices": list(self.choices),
            "help": self.argument.help,
        }


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("this is no text")
    return given


def _secret(given: object) -> Secret:
    if not isinstance(given, str):
        raise ValueError("this is no text")
    return Secret(given)


def _integer(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", given):
        return int(given)
    raise ValueError("this is no whole number")


def _number(given: object) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    if isinstance(given, str) and re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", given):
        return float(given)
    raise ValueError("this is no number")


def _switch(given: object) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in SWITCH:
        return SWITCH[given.lower()]
    raise ValueError("this is neither true nor false")


def _duration(given: object) -> Duration:
    if isinstance(given, str | int | float) and not isinstance(given, bool):
        return Duration(given)
    raise ValueError("a duration is seconds or a text such as 30s or 1h30m")


def _jid(given: object) -> Jid:
    if not isinstance(given, str):
        raise ValueError("this is no address")
    return Jid.parse(given)


CONVERSIONS: dict[Kind, Callable[[object], object]] = {
    Kind.TEXT: _text,
    Kind.DOCUMENT: _text,
    Kind.SECRET: _secret,
    Kind.JID: _jid,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.SWITCH: _switch,
    Kind.DURATION: _duration,
}


def parameters_of(function: Callable[..., Any], skip: Sequence[object] = ()) -> tuple[Parameter, ...]:
    """Return the parameters of a command from its signature, without `self` and those whose annotation is in `skip`.

    :raises TypeError: an annotation is missing or is none that a command can ask for.
    """
    hints = get_type_hints(function, include_extras=True)
    found = []
    for name, given in inspect.signature(function).parameters.items():
        if name == "self" or hints.get(name) in skip:
            continue
        if name not in hints or given.kind not in (given.POSITIONAL_OR_KEYWORD, given.KEYWORD_ONLY):
            raise TypeError(f"{function.__qualname__}: parameter {name} needs an annotation that says what it takes")
        try:
            found.append(_parameter(name, hints[name], given.default))
        except TypeError as error:
            raise TypeError(f"{function.__qualname__}: parameter {name}: {error}") from None
    return tuple(found)


def _parameter(name: str, hint: object, default: object) -> Parameter:
    described = Argument()
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        described = next((extra for extra in extras if isinstance(extra, Argument)), described)
    hint, optional = _without_none(hint)
    many = get_origin(hint) is list
    inner = get_args(hint)[0] if many else hint
    enum = inner if isinstance(inner, type) and issubclass(inner, Enum) else None
    kind = Kind.CHOICE if enum else KINDS.get(inner)
    required = default is inspect.Parameter.empty
    if kind is None:
        raise TypeError(f"a command cannot ask for {inner}")
    if kind is Kind.SWITCH and required:
        raise TypeError("a switch needs a default")
    choices = tuple(str(member.value) for member in enum) if enum else ()
    return Parameter(name, kind, described, many, optional, required, None if required else default, choices, enum)


def _without_none(hint: object) -> tuple[object, bool]:
    """Return `X` and True for ``X | None``, else the annotation itself and False."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    parts = [part for part in get_args(hint) if part is not type(None)]
    if len(parts) != 1:
        raise TypeError("an annotation may join one type with None, no more")
    return parts[0], True
