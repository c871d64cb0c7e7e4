"""What goes over the administration socket: a line of JSON for each request and for each answer.

    -> {"id": 1, "command": ["account", "list"], "arguments": {"host": "capulet.example"}}
    <- {"id": 1, "result": {"kind": "table", "columns": [...], "rows": [...], ...}}
    -> {"id": 2, "command": ["watch"]}
    <- {"id": 2, "row": {...}}, as often as there is one
    -> {"id": 2, "cancel": true}
    <- {"id": 2, "result": {"kind": "done", "text": ""}}
    -> {"id": 3, "describe": true}
    <- {"id": 3, "commands": [...]}
    <- {"id": 4, "error": {"text": "...", "remedy": "...", "code": 4}}

An answer whose request could not be read has the id 0. Ids are the caller's own, one for each request under way.
"""

from typing import Any, Final

import msgspec

from ..core.results import CommandError, Exit, Plain, plain

LONGEST_REQUEST: Final = 1 << 20
"""Bytes of a request line; the longest argument is a stanza for `explain`."""

LONGEST_ANSWER: Final = 64 << 20
"""Bytes of an answer line, as far as a client reads."""


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """One line from the caller: a command to run, a question for all commands, or the end of an earlier request."""

    id: int = 0
    command: list[str] = []
    arguments: dict[str, Any] = {}
    describe: bool = False
    cancel: bool = False


_decode_request: Final = msgspec.json.Decoder(Request).decode
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


def read_request(line: bytes) -> Request:
    """Return the request of one line; raise `CommandError` if it is none."""
    try:
        return _decode_request(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CommandError(f"this is no request: {error}", code=Exit.USAGE) from None


def read_answer(line: bytes) -> dict[str, Any]:
    """Return the answer of one line; raise `CommandError` if it is none."""
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CommandError(f"the server's answer cannot be read: {error}", code=Exit.INTERNAL) from None


def line(message: dict[str, Any]) -> bytes:
    """Return a request or an answer as one line."""
    return _encode(message) + b"\n"


def failure(error: CommandError) -> dict[str, Plain]:
    """Return an error as answers carry it."""
    told: dict[str, Plain] = {"text": error.text, "remedy": error.remedy, "code": int(error.code)}
    return {**told, "details": plain(error.details)} if error.details else told


def as_error(answer: dict[str, Any]) -> CommandError:
    """Return the error that an answer carries."""
    code = answer.get("code", Exit.FAILED)
    known = code in {int(exit) for exit in Exit}
    details = answer.get("details")
    return CommandError(
        str(answer.get("text")),
        str(answer.get("remedy", "")),
        Exit(code) if known else Exit.FAILED,
        details if isinstance(details, dict) else None,
    )
