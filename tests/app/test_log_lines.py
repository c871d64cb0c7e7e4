"""Log lines: one event is one line, and nobody can forge another."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from xmppd.app.log_lines import escaped, json_line, text_line


def event(format: str = "{jid} is connected", **fields: Any) -> dict[str, Any]:
    return {
        "log_time": 1714566896.5, "log_level": LogLevel.warn, "log_namespace": "c2s", "log_format": format,
        "jid": "juliet@example.org", **fields,
    }  # fmt: skip


def failure(text: str = "boom") -> Failure:
    try:
        raise ValueError(text)
    except ValueError as error:
        return Failure(error, type(error), error.__traceback__)  # type: ignore[no-untyped-call]


def test_a_text_line_has_time_level_area_and_message() -> None:
    """UTC, to the millisecond."""
    assert text_line(event()) == "2024-05-01T12:34:56.500Z warn     c2s: juliet@example.org is connected"


def test_a_json_line_has_the_fields_too() -> None:
    """They can be searched without taking the message apart."""
    line = json.loads(json_line(event(port=5222, tls=True, ratio=0.5, none=None, odd=float("nan"), peer=("a", 1))))
    assert line == {
        "time": "2024-05-01T12:34:56.500Z",
        "level": "warn",
        "area": "c2s",
        "message": "juliet@example.org is connected",
        "fields": {
            "jid": "juliet@example.org", "port": 5222, "tls": True, "ratio": 0.5, "none": None, "odd": "nan",
            "peer": "('a', 1)",
        },
    }  # fmt: skip


def test_events_of_others_may_lack_what_ours_have() -> None:
    """Twisted's old log has no levels and no areas."""
    bare = {"log_time": 0.0, "log_format": "hello"}
    assert text_line(bare) == "1970-01-01T00:00:00.000Z info     -: hello"
    assert json.loads(json_line(bare)) == {
        "time": "1970-01-01T00:00:00.000Z", "level": "info", "area": "-", "message": "hello",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J\x00\x7f\x85", "\\x1b[2J\\x00\\x7f\\x85"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\ud800", "\\ud800"),
        ("Jülia 例 😀", "Jülia 例 😀"),
    ],
)
def test_what_could_deceive_is_escaped(text: str, shown: str) -> None:
    """Line breaks, terminal control, reading direction; letters of all languages stay."""
    assert escaped(text) == shown


@given(st.text(), st.text())
def test_one_event_is_one_line_whatever_is_in_it(jid: str, area: str) -> None:
    """In both formats; every separator that Python knows counts."""
    given_event = event(jid=jid, log_namespace=area)
    assert len(text_line(given_event).splitlines()) == 1
    assert len(json_line(given_event).splitlines()) == 1


def test_a_failure_has_one_traceback() -> None:
    """The first time it is met; after that its line alone."""
    met = failure()
    first = text_line(event("{jid} failed", log_failure=met)).splitlines()
    again = text_line(event("once more", log_failure=met))
    assert first[0].endswith("c2s: juliet@example.org failed: ValueError: boom")
    assert first[1] == "\t| Traceback (most recent call last):"
    assert all(line.startswith("\t| ") for line in first[1:])
    assert again.endswith("c2s: once more: ValueError: boom")


def test_a_failure_is_the_same_in_another_wrapping() -> None:
    """A Deferred wraps anew what a handler has logged already."""
    met = failure()
    json_line(event(log_failure=met))
    wrapped = Failure(met.value)  # type: ignore[no-untyped-call]
    assert "traceback" not in json.loads(json_line(event(log_failure=wrapped)))


def test_a_failure_in_json_has_its_traceback_as_text() -> None:
    """One string, so that the line stays one line."""
    line = json.loads(json_line(event("", log_failure=failure())))
    assert line["message"] == "ValueError: boom"
    assert "in failure\n" in line["traceback"]


def test_a_traceback_cannot_forge_lines_either() -> None:
    """What a stranger sent may be in the exception's text."""
    text = text_line(event(log_failure=failure("x\n2024-05-01T12:34:56.500Z error    sasl: admin logged in\x1b")))
    first, *rest = text.split("\n")
    assert "\\n2024" in first
    assert all(line.startswith("\t| ") for line in rest)
    assert "\x1b" not in text
