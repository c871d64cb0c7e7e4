"""A command's parameters on the command line, and back into the arguments of a request.

What a command cannot do without is a positional argument, the rest are options. A secret is never an argument, where
every user of the machine could read it: it is asked for, or read from standard input. The file that a document names is
read here, so that the server needs no access to it.
"""

import sys
from typing import Any, Final

import click

from ..config.quantities import Duration
from ..core.kinds import Kind
from ..core.results import CommandError, Exit
from .description import Description, ParameterDescription

YES: Final = "_yes"
LONGEST_DOCUMENT: Final = 512 << 10
"""Bytes of a document; a request has to hold it."""


def click_parameters(description: Description) -> list[click.Parameter]:
    """Return the arguments and options of a command."""
    found: list[click.Parameter] = [_parameter(parameter) for parameter in description.parameters]
    if description.danger:
        found.append(click.Option([YES, "--yes"], is_flag=True, help="Do not ask for confirmation."))
    return found


def _parameter(parameter: ParameterDescription) -> click.Parameter:
    if parameter.kind is Kind.SECRET:
        return click.Option(
            [parameter.name, f"--{parameter.option}-stdin"],
            is_flag=True,
            help=f"Read {parameter.help or 'it'} from the first line of standard input instead of asking.",
        )
    if parameter.required:
        return click.Argument([parameter.name], nargs=-1 if parameter.many else 1, required=True, **_shape(parameter))
    if parameter.kind is Kind.SWITCH:
        names = [parameter.name, f"--{parameter.option}/--no-{parameter.option}"]
        return click.Option(names, default=None, help=parameter.help)
    return click.Option(
        [parameter.name, f"--{parameter.option}"],
        multiple=parameter.many,
        help=_help(parameter),
        **_shape(parameter),
    )


def _shape(parameter: ParameterDescription) -> dict[str, Any]:
    metavar = parameter.option.upper() if parameter.required else parameter.kind.value.upper()
    if parameter.kind is Kind.CHOICE:
        return {"type": click.Choice(parameter.choices)}
    return {"metavar": "FILE" if parameter.kind is Kind.DOCUMENT else metavar + "..." * parameter.many}


def _help(parameter: ParameterDescription) -> str:
    if parameter.default in (None, "", [], False):
        return parameter.help
    default = Duration(parameter.default) if parameter.kind is Kind.DURATION else parameter.default
    return f"{parameter.help} [default: {default}]".strip()


def gather(description: Description, values: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments for the words that click has read, after asking for what is secret or dangerous.

    :raises CommandError: a file cannot be read, or nobody can be asked or confirms.
    """
    arguments = {}
    for parameter in description.parameters:
        value = _value(parameter, values.get(parameter.name))
        if value is not None:
            arguments[parameter.name] = value
    if description.danger and not values.get(YES):
        _confirm(description, arguments)
    return arguments


def _value(parameter: ParameterDescription, given: Any) -> Any:
    if parameter.kind is Kind.SECRET:
        return _secret(parameter, from_stdin=bool(given))
    if given is None or given == ():
        return None
    if parameter.kind is Kind.DOCUMENT:
        return _document(given)
    return list(given) if parameter.many else given


def _secret(parameter: ParameterDescription, from_stdin: bool) -> str | None:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not parameter.required:
        return None
    if not sys.stdin.isatty():
        raise CommandError(
            f"there is no terminal to ask for the {parameter.option}", f"use --{parameter.option}-stdin", Exit.USAGE
        )
    entered: str = click.prompt(parameter.option.capitalize(), hide_input=True, confirmation_prompt=True, err=True)
    return entered


def _document(name: str) -> str:
    try:
        with click.open_file(name, "rb") as file:
            content: bytes = file.read(LONGEST_DOCUMENT + 1)
        if len(content) > LONGEST_DOCUMENT:
            raise CommandError(f"{name} is longer than {LONGEST_DOCUMENT} bytes", code=Exit.USAGE)
        return content.decode()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}", code=Exit.USAGE) from error
    except UnicodeDecodeError:
        raise CommandError(f"{name} is not UTF-8", code=Exit.USAGE) from None


def _confirm(description: Description, arguments: dict[str, Any]) -> None:
    """Ask whether it is meant; nobody to ask is a no."""
    if not sys.stdin.isatty():
        raise CommandError("this needs a confirmation", "use --yes", Exit.REFUSED)
    what = " ".join(_shown(value) for value in arguments.values())
    if not click.confirm(f"{description.summary}: {what}. Are you sure?", err=True):
        raise CommandError("not confirmed, nothing was done", code=Exit.REFUSED)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
