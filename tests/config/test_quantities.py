"""Quantities: every unit, every refusal, and the way back to text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmppd.config.quantities import Duration, Mode, Size, Url


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172_800), ("250ms", 0.25), ("1.5h", 5400), ("0s", 0),
        ("1d 2h 3m 4s 5ms", 93_784.005), (" 30 s ", 30), ("90m", 5400),
    ],
)  # fmt: skip
def test_duration_is_read_from_text(text: str, seconds: float) -> None:
    """Every unit counts, alone or together, with or without spaces."""
    assert Duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "30", "-1s", "1m1h", "1s1s", "5min", "1 day", "1mss", "s", "1e3s", "١s", "1s\n"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    """A number alone, an unknown unit or a wrong order is told how to write it."""
    with pytest.raises(ValueError, match='write "30s" or "1h30m"'):
        Duration(text)


@pytest.mark.parametrize("value", ["36526d", -0.5, float("nan"), float("inf"), "9" * 400 + "s"])
def test_a_duration_is_between_nothing_and_a_century(value: str | float) -> None:
    """Nobody waits longer than a century, and nobody waits a negative time."""
    with pytest.raises(ValueError, match="between 0s and 36525d"):
        Duration(value)


@given(st.floats(min_value=0, max_value=3_155_760_000))
def test_a_duration_survives_the_way_to_text_and_back(seconds: float) -> None:
    """What is printed makes the same value again."""
    duration = Duration(seconds)
    assert Duration(str(duration)) == duration
    assert abs(duration - seconds) <= 1e-6


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_canonical_text_survives_the_way_to_a_duration_and_back(d: int, h: int, m: int, s: int, ms: int) -> None:
    """Text in its shortest form is printed as it was written."""
    counts = {"d": d, "h": h, "m": m, "s": s, "ms": ms}
    text = "".join(f"{count}{unit}" for unit, count in counts.items() if count) or "0s"
    assert str(Duration(text)) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10 kB", 10_000), ("10kB", 10_000), ("256 KiB", 262_144), ("1 MiB", 1_048_576), ("1.5 MiB", 1_572_864),
        ("3 MB", 3_000_000), ("2 GB", 2 * 10**9), ("2 GiB", 2**31), ("1 TB", 10**12), ("1 TiB", 2**40), ("0 B", 0),
        ("17 B", 17),
    ],
)  # fmt: skip
def test_size_is_read_from_text(text: str, size: int) -> None:
    """Decimal and binary units are told apart."""
    assert Size(text) == size


@pytest.mark.parametrize("text", ["", "10", "10 KB", "10 kb", "-1 B", "1 kB 1 B", "kB", "1,5 kB", "10 kBs"])
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    """A number alone or an ambiguous unit is told how to write it."""
    with pytest.raises(ValueError, match='write "10 kB" or "1 MiB"'):
        Size(text)


def test_a_size_is_a_whole_number_of_bytes_within_reason() -> None:
    """Fractions of a byte, negative and absurd sizes are refused."""
    with pytest.raises(ValueError, match="whole number of bytes"):
        Size("1.5 B")
    for value in (-1, 2**63, "99999999 TiB"):
        with pytest.raises(ValueError, match="between 0 B"):
            Size(value)


@given(st.integers(0, 2**62))
def test_a_size_survives_the_way_to_text_and_back(number: int) -> None:
    """What is printed makes the same value again."""
    assert Size(str(Size(number))) == number


@given(st.integers(0, 0o777))
def test_a_mode_survives_the_way_to_text_and_back(bits: int) -> None:
    """Permissions are read and printed in octal."""
    assert Mode(str(Mode(bits))) == bits
    assert Mode("600") == Mode("0600") == 0o600


@pytest.mark.parametrize("value", ["", "0800", "u+rw", "01777", "60", 0o1000, -1])
def test_what_is_no_mode_is_refused(value: str | int) -> None:
    """Only the nine permission bits can be set."""
    with pytest.raises(ValueError, match="a file mode is"):
        Mode(value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///xmppd.sqlite", "sqlite:///xmppd.sqlite"),
        ("postgresql://xmppd@db:5432/one", "postgresql://xmppd@db:5432/one"),
        ("postgresql://xmppd:hush@db/one", "postgresql://xmppd:***@db/one"),
        ("postgresql://xmppd:hu/s:h@?@db/one", "postgresql://xmppd:***@db/one"),
        ("postgresql://x@y:hush@db/one", "postgresql://x@y:***@db/one"),
        ("postgresql:///one?host=/run&password=hush", "postgresql:///one?***"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    """Neither the password nor the query, which may hold one, is shown."""
    assert Url(url).without_secrets() == shown


@pytest.mark.parametrize("text", ["", "xmppd.sqlite", "//db/one", "Post gres://db", "1://x"])
def test_a_url_starts_with_its_scheme(text: str) -> None:
    """A file name is no address."""
    with pytest.raises(ValueError, match="starts with its scheme"):
        Url(text)


def test_quantities_show_their_unit_when_debugged() -> None:
    """A failed assertion shows the text, not the bare number."""
    assert [repr(v) for v in (Duration(90), Size(1024), Mode(0o600))] == [
        "Duration('1m30s')", "Size('1 KiB')", "Mode('0600')",
    ]  # fmt: skip
