"""How wide the columns of a table are drawn: words stay whole as long as there is room for them.

A time is written as two words here, so that a narrow terminal shows its day above its hour, and does not break it
between two digits. What is written into a pipe stays as it is.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

_time: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?Z)", re.ASCII).fullmatch


def in_words(text: str) -> str:
    """Return a time (XEP-0082, UTC) as its day and its hour, and other text as it is."""
    found = _time(text)
    return text if found is None else f"{found[1]} {found[2]}"


def widths(columns: Sequence[Sequence[str]], room: int, measure: Callable[[str], int] = len) -> list[int]:
    """Return how wide each column is.

    :param columns: what stands in each of them, its head included.
    :param room: how wide all of them may be together.
    :param measure: how wide a text is on the screen.
    """
    whole = [max(map(measure, texts)) for texts in columns]
    words = [longest_word(texts, measure) for texts in columns]
    if sum(whole) <= room:
        return whole
    return _grown(words, whole, room - sum(words)) if sum(words) <= room else _cut(words, room)


def longest_word(texts: Sequence[str], measure: Callable[[str], int] = len) -> int:
    """Return how wide the longest word of some texts is."""
    return max((measure(word) for text in texts for word in text.split()), default=1)


def _grown(words: Sequence[int], whole: Sequence[int], spare: int) -> list[int]:
    """Let as many columns as can have one line a row have it; the next one takes what is left."""
    found = list(words)
    for number in sorted(range(len(words)), key=lambda number: whole[number] - words[number]):
        more = min(spare, whole[number] - words[number])
        found[number] += more
        spare -= more
    return found


def _cut(words: Sequence[int], room: int) -> list[int]:
    """Break the longest words only."""
    most = next((most for most in range(max(words), 0, -1) if sum(map(partial(min, most), words)) <= room), 1)
    return [min(most, word) for word in words]
