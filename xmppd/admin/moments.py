"""Times that an administrator names: an age, a day, or a time."""

from ..config.quantities import Duration
from ..core.results import CommandError, Exit
from ..protocol.timestamps import TimestampError, parse_time

DAY = len("2010-07-10")


def moment_named(text: str, now: float) -> float:
    """Return the time that is meant, in seconds since the epoch.

    :param text: how long ago ("30d"), a day in UTC ("2010-07-10"), or a time as XEP-0082 writes it.
    :raises CommandError: it is none of these, or has yet to come.
    """
    found = _age(text, now)
    if found is None:
        found = _time(f"{text}T00:00:00Z" if len(text) == DAY else text)
    if found is None:
        raise CommandError(f"{text!r} is no time", "write an age (30d), a day (2010-07-10) or a time", Exit.USAGE)
    if found > now:
        raise CommandError(f"{text} has yet to come", code=Exit.USAGE)
    return found


def _age(text: str, now: float) -> float | None:
    try:
        return now - Duration(text)
    except ValueError:
        return None


def _time(text: str) -> float | None:
    try:
        return parse_time(text)
    except TimestampError:
        return None
