"""What the command line knows of a command: its declaration, as the server or the code describes it."""

from typing import Any

import msgspec

from ..core.kinds import Kind


class ParameterDescription(msgspec.Struct, frozen=True):
    """One parameter; see `xmppd.core.arguments.Parameter`."""

    name: str
    option: str
    kind: Kind
    many: bool
    required: bool
    default: Any
    choices: list[str]
    help: str


class Description(msgspec.Struct, frozen=True):
    """One command; see `xmppd.core.commands.Command`."""

    words: list[str]
    summary: str
    help: str
    offline: bool
    danger: bool
    streams: bool
    parameters: list[ParameterDescription]


def read_descriptions(given: object) -> list[Description]:
    """Return the commands of a description; raise `msgspec.ValidationError` if it is none."""
    return msgspec.convert(given, list[Description])
