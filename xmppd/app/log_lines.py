"""From events of the log to lines: text for people, JSON for collectors.

Much of what is logged was sent by strangers. One event is one line, whatever is in it: characters that end a line, move
the cursor or turn the reading direction are written as escapes, so that nobody can forge a line or hide one. The lines
of a traceback follow theirs and each begins with a tab and a bar.
"""

import json
import math
import re
from datetime import UTC, datetime
from typing import Any, Final

from twisted.logger import LogEvent, formatEvent
from twisted.python.failure import Failure
from twisted.python.reflect import safe_str

_DANGEROUS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MARK: Final = "_xmppd_traceback_logged"


def text_line(event: LogEvent) -> str:
    """Return an event as text: time, level, area and message, then the traceback if there is one."""
    message = _message(event)
    trace = "".join(f"\n\t| {escaped(line)}" for line in _traceback(event).splitlines())
    return f"{_time(event)} {_level(event):<8} {_area(event)}: {escaped(message)}{trace}"


def json_line(event: LogEvent) -> str:
    """Return an event as one JSON object; the fields of the message stand apart too, so that they can be searched."""
    line: dict[str, Any] = {
        "time": _time(event),
        "level": _level(event),
        "area": _area(event),
        "message": _message(event),
    }
    fields = {name: _plain(value) for name, value in event.items() if not name.startswith("log_")}
    if fields:
        line["fields"] = fields
    if trace := _traceback(event):
        line["traceback"] = trace
    return json.dumps(line)


def escaped(text: str) -> str:
    """Return a text without anything that could end its line or deceive who reads it."""
    return _DANGEROUS.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def _time(event: LogEvent) -> str:
    return datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _level(event: LogEvent) -> str:
    level = event.get("log_level")
    return "info" if level is None else str(level.name)


def _area(event: LogEvent) -> str:
    return escaped(str(event.get("log_namespace") or "-"))


def _message(event: LogEvent) -> str:
    """Return the message, and of a failure what was raised."""
    message, failure = formatEvent(event), event.get("log_failure")
    if not isinstance(failure, Failure):
        return message
    raised = f"{failure.type.__name__}: {safe_str(failure.value)}" if failure.type else safe_str(failure.value)
    return f"{message}: {raised}" if message else raised


def _traceback(event: LogEvent) -> str:
    """Return the traceback of a failure; empty if there is none, or if it was logged already.

    A failure may be met again on its way up (by a handler, a Deferred, the reactor): one traceback is enough.
    """
    failure = event.get("log_failure")
    if not isinstance(failure, Failure) or vars(failure.value).get(_MARK):
        return ""
    vars(failure.value)[_MARK] = True
    text: str = failure.getTraceback()
    return text


def _plain(value: Any) -> Any:
    """Return a field as JSON has it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    return safe_str(value)
