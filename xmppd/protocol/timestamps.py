"""Dates and times (XEP-0082): seconds since the epoch to the DateTime profile and back.

What is written is always UTC, to the millisecond, in the canonical form of XML Schema: no fraction where it is zero, no
zeros at its end. What is read may have any offset and any number of digits.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 253_402_300_800  # the year 10000, in seconds since the epoch
_EARLIEST: Final = -62_135_596_800  # the year 1

_datetime: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:(Z)|([+-])(\d\d):(\d\d))", re.ASCII
).fullmatch


class TimestampError(ValueError):
    """A text is no DateTime, or a time has none."""


def format_time(seconds: float) -> str:
    """Return the DateTime of a time, as in ``2002-09-10T23:08:25.25Z``.

    :param seconds: seconds since the epoch; rounded to milliseconds.
    :raises TimestampError: the year would not have four digits.
    """
    if not _EARLIEST <= seconds < _LATEST:  # neither infinity nor NaN passes
        raise TimestampError("the year has four digits")
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    if not milliseconds:
        return _second(whole) + "Z"
    return f"{_second(whole)}.{milliseconds:03}".rstrip("0") + "Z"


def parse_time(text: str) -> float:
    """Return the time that a DateTime denotes, in seconds since the epoch, to the microsecond.

    :raises TimestampError: the text is no DateTime of a year from 1 to 9999, or its day or hour does not exist.
    """
    match = _datetime(text)
    if match is None:
        raise TimestampError("not of the form CCYY-MM-DDThh:mm:ss[.sss]TZD")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction = int((match[7] or "")[:6].ljust(6, "0"))
    try:
        when = datetime(year, month, day, hour, minute, second, fraction, _zone(match))
    except ValueError as error:
        raise TimestampError(str(error)) from None
    return (when - _EPOCH).total_seconds()


def _zone(match: re.Match[str]) -> timezone:
    """Return the time zone; XML Schema goes up to 14 hours from Greenwich."""
    if match[8]:
        return UTC
    hours, minutes = int(match[10]), int(match[11])
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise TimestampError("an offset goes up to 14:00")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if match[9] == "-" else offset)


@lru_cache(maxsize=256)
def _second(whole: int) -> str:
    """Return date and time without zone; what is stamped now shares its second with much else."""
    try:
        return (_EPOCH + timedelta(seconds=whole)).isoformat()[:19]
    except OverflowError:
        raise TimestampError("the year has four digits") from None
