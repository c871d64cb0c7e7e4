"""XMPP Date and Time Profiles: XEP-0082."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmppd.protocol.timestamps import TimestampError, format_time, parse_time

DAY = 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_031_699_305, "2002-09-10T23:08:25Z"),
        (-14_159_025, "1969-07-21T02:56:15Z"),
        (1.5, "1970-01-01T00:00:01.5Z"),
        (1.25, "1970-01-01T00:00:01.25Z"),
        (1.001, "1970-01-01T00:00:01.001Z"),
        (1.0004, "1970-01-01T00:00:01Z"),
        (1.9996, "1970-01-01T00:00:02Z"),
        (-0.5, "1969-12-31T23:59:59.5Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ],
)
def test_times_are_written_in_utc(seconds: float, text: str) -> None:
    """DateTime: the fraction is there only if it says something."""
    assert format_time(seconds) == text


@pytest.mark.parametrize(
    "seconds", [math.inf, -math.inf, math.nan, 253_402_300_800, 253_402_300_799.9999, -62_135_596_801]
)
def test_times_without_a_year_of_four_digits(seconds: float) -> None:
    """DateTime: CCYY has four digits."""
    with pytest.raises(TimestampError):
        format_time(seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1969-07-21T02:56:15Z", -14_159_025),
        ("1969-07-20T21:56:15-05:00", -14_159_025),
        ("1970-01-01T05:30:00+05:30", 0),
        ("1970-01-01T00:00:00.123456789Z", 0.123456),
        ("1970-01-01T00:00:00.5Z", 0.5),
        ("1970-01-01T00:00:00." + "0" * 1000 + "Z", 0),
        ("2000-02-29T00:00:00Z", 951_782_400),
        ("0001-01-01T00:00:00+14:00", -62_135_596_800 - 14 * 3600),
        ("9999-12-31T23:59:59-14:00", 253_402_300_799 + 14 * 3600),
    ],
)
def test_times_are_read_with_any_offset(text: str, seconds: float) -> None:
    """DateTime: the examples, in Houston and in UTC."""
    assert parse_time(text) == pytest.approx(seconds, abs=1e-7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1969-07-21",
        "02:56:15Z",
        "1969-07-21T02:56:15",
        "1969-07-21T02:56Z",
        "1969-07-21 02:56:15Z",
        "1969-07-21t02:56:15z",
        "19690721T02:56:15",
        "1969-07-21T02:56:15.Z",
        "1969-07-21T02:56:15+0500",
        "1969-07-21T02:56:15+14:01",
        "1969-07-21T02:56:15+05:60",
        "1969-13-21T02:56:15Z",
        "1969-02-29T02:56:15Z",
        "1969-07-21T24:00:01Z",
        "1969-07-21T02:60:15Z",
        "1969-07-21T02:56:60Z",
        "0000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "1969-07-21T02:56:15Z\n",
        " 1969-07-21T02:56:15Z",
        "\u0661969-07-21T02:56:15Z",
    ],
)
def test_what_is_no_datetime(text: str) -> None:
    """DateTime: everything but the fraction is mandatory, and days and hours exist."""
    with pytest.raises(TimestampError):
        parse_time(text)


@settings(deadline=None)
@given(milliseconds=st.integers(-60_000_000_000_000, 250_000_000_000_000))
def test_milliseconds_come_back(milliseconds: int) -> None:
    """What was written is read to the millisecond."""
    assert round(parse_time(format_time(milliseconds / 1000)) * 1000) == milliseconds


NEARLY = re.compile(
    r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-5][0-9](\.[0-9]{1,4})?(Z|[+-][01][0-9]:[0-6][0-9])\Z"
)
"""What has the form of a DateTime; its month, day, hour or offset may not exist."""


@settings(deadline=None)
@given(text=st.text("0123456789-+:.TZ", max_size=32) | st.from_regex(NEARLY))
def test_any_text_is_a_time_or_an_error(text: str) -> None:
    """No other exception comes out; a time can be written, and is then read as the same to the millisecond."""
    try:
        when = parse_time(text)
        again = parse_time(format_time(when))
    except TimestampError:
        return
    assert abs(again - when) < 0.001
