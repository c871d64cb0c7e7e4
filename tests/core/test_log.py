"""Log: guarded details, levels by area, and no secrets."""

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.logger import LogLevel, formatEvent
from twisted.python.failure import Failure

from xmppd.config.quantities import Url
from xmppd.core.log import SECRETS, Levels, Log, set_levels


@pytest.fixture(autouse=True)
def usual_levels() -> Iterator[None]:
    """Levels belong to the process: leave them as they were."""
    yield
    set_levels(Levels())


def logging(area: str = "c2s") -> tuple[Log, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    return Log(area, observer=events.append), events  # type: ignore[arg-type]


def test_an_event_has_its_area_level_and_message() -> None:
    """What the observers write is what was said."""
    log, events = logging("c2s.sasl")
    log.info("one")
    log.warn("{number} bottles", number=2)
    log.error("three")
    log.critical("four")

    assert [formatEvent(event) for event in events] == ["one", "2 bottles", "three", "four"]
    assert {event["log_namespace"] for event in events} == {"c2s.sasl"}
    levels = [event["log_level"] for event in events]
    assert levels == [LogLevel.info, LogLevel.warn, LogLevel.error, LogLevel.critical]


def test_details_are_there_only_for_who_asks() -> None:
    """`debug` is None until its area is logged that closely, and again when it no longer is."""
    log, events = logging()
    assert log.debug is None

    set_levels(Levels("info", {"c2s": "debug"}))
    assert log.debug is not None
    log.debug("{count} stanzas", count=7)
    assert [formatEvent(event) for event in events] == ["7 stanzas"]

    set_levels(Levels())
    assert log.debug is None


def test_a_level_covers_the_areas_below_it() -> None:
    """The nearest area above decides; names that only begin alike are others."""
    levels = Levels("warn", {"c2s": "error", "c2s.sasl": "debug"})
    assert levels.of("c2s") == levels.of("c2s.stream") == LogLevel.error
    assert levels.of("c2s.sasl") == levels.of("c2s.sasl.scram") == LogLevel.debug
    assert levels.of("c2sx") == levels.of("s2s") == LogLevel.warn


def test_what_is_below_the_level_is_dropped() -> None:
    """A log made later follows the same levels."""
    set_levels(Levels("error"))
    log, events = logging()
    log.info("no")
    log.warn("no")
    log.error("yes")
    assert [formatEvent(event) for event in events] == ["yes"]


def test_secrets_are_blanked_by_the_name_of_their_field() -> None:
    """Neither the message nor the event holds the value."""
    log, events = logging()
    for name in SECRETS:
        log.info(f"{{{name}}}", **{name: "hush"})
    assert len(events) == len(SECRETS)
    assert not any("hush" in str(event) for event in events)


def test_the_password_of_a_database_is_blanked() -> None:
    """An address may be logged as it is."""
    log, events = logging()
    log.error("{place} is down", place=Url("postgresql://xmppd:hush@db/one"))
    assert formatEvent(events[0]) == "postgresql://xmppd:***@db/one is down"


def test_what_a_stranger_sent_is_never_a_format() -> None:
    """Braces in a field are text."""
    log, events = logging()
    log.info("{jid} is connected", jid="{log_logger}@example.org")
    assert formatEvent(events[0]) == "{log_logger}@example.org is connected"


def raised() -> ValueError:
    try:
        raise ValueError("boom")
    except ValueError as error:
        return error


def test_a_failure_has_its_traceback() -> None:
    """The exception may be given, wrapped, or the one that is being handled."""
    log, events = logging()
    error = raised()
    log.failure("{handler} failed", error, handler="carbons")
    log.failure("again", Failure(error))  # type: ignore[no-untyped-call]
    try:
        raise error
    except ValueError:
        log.failure("in flight")

    assert [formatEvent(event) for event in events] == ["carbons failed", "again", "in flight"]
    assert all(event["log_failure"].value is error for event in events)
    assert "in raised" in events[0]["log_failure"].getTraceback()
    assert {event["log_level"] for event in events} == {LogLevel.error}
