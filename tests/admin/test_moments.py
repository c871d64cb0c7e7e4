"""Times that an administrator names."""

import pytest

from xmppd.admin.moments import moment_named
from xmppd.core.results import CommandError, Exit

NOON = 1_275_307_200.0  # 2010-05-31T12:00:00Z


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("1d", 86_400),
        ("90m", 5400),
        ("2010-05-31", 43_200),
        ("2010-05-31T11:59:30Z", 30),
        ("2010-05-31T13:00:00+02:00", 3600),
    ],
)
def test_moments(text: str, ago: float) -> None:
    """An age counts back from now, a day begins at midnight UTC, a time is as XEP-0082 writes it."""
    assert moment_named(text, NOON) == NOON - ago


@pytest.mark.parametrize("text", ["", "yesterday", "2010-02-30", "31.05.2010", "12:00"])
def test_what_is_no_time(text: str) -> None:
    """The error says how to write one."""
    with pytest.raises(CommandError, match="is no time") as caught:
        moment_named(text, NOON)
    assert caught.value.code is Exit.USAGE
    assert "30d" in caught.value.remedy


def test_what_has_yet_to_come() -> None:
    """Who names a day to come has mistyped it."""
    with pytest.raises(CommandError, match="has yet to come"):
        moment_named("2010-06-01", NOON)
