"""How wide columns are."""

import pytest

from xmppd.cli.columns import in_words, longest_word, widths

JIDS = ["where", "romeo@montague.example/orchard"]  # 30
TIMES = ["time", "2026-11-24 14:58:49.442Z"]  # 10 and 13


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-24T14:58:49Z", "2026-11-24 14:58:49Z"),
        ("2026-11-24T14:58:49.442Z", "2026-11-24 14:58:49.442Z"),
        ("since 2026-11-24T14:58:49Z", "since 2026-11-24T14:58:49Z"),
        ("juliet@capulet.example", "juliet@capulet.example"),
        ("", ""),
    ],
)
def test_times_have_two_words(text: str, shown: str) -> None:
    """A day and an hour; a sentence that holds a time is left alone."""
    assert in_words(text) == shown


def test_what_fits_is_left_alone() -> None:
    """Each column is as wide as what is in it."""
    assert widths([TIMES, JIDS], 54) == [24, 30]


def test_words_stay_whole() -> None:
    """If not all fits, what can be broken between words is, and what is left goes to it."""
    assert widths([TIMES, JIDS], 43) == [13, 30]
    assert widths([TIMES, JIDS], 50) == [20, 30]


def test_as_many_columns_as_can_have_one_line() -> None:
    """Room goes to who needs the least of it."""
    assert widths([["a b"], ["aaa bbb ccc ddd"], ["aa bb"]], 14) == [3, 6, 5]


def test_the_longest_words_are_broken() -> None:
    """If there is no room for all words, the short ones stay whole."""
    assert widths([TIMES, JIDS, ["step", "committed"]], 40) == [13, 18, 9]


@pytest.mark.parametrize("room", [0, 2, -5])
def test_no_room_at_all(room: int) -> None:
    """A column is never narrower than one character."""
    assert widths([TIMES, JIDS], room) == [1, 1]


def test_empty_columns() -> None:
    """There is nothing to be measured."""
    assert widths([[""], JIDS], 10) == [1, 9]
    assert widths([], 10) == []


def test_wide_characters() -> None:
    """A character may take two places on the screen."""
    assert longest_word(["ab", "漢字 x"], lambda text: 2 * len(text)) == 4
