"""Convert: typed values out of plain ones, and a line for each that does not fit."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from xmppd.config.convert import Conversion
from xmppd.config.schema import Duration, Mode, Size, Url, option, required


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Part:
    width: int = option(1, ge=1, le=9, help="How wide.")


@dataclass
class Named:
    name: str = required(help="Its name.", example="mensa")


@dataclass
class Section:
    flag: bool = option(False, help="?")
    count: int = option(3, ge=1, help="?")
    ratio: float = option(0.5, ge=0, le=1, help="?")
    text: str = option("", help="?")
    colour: Colour = option(Colour.RED, help="?")
    maybe: Colour | None = option(None, help="?")
    step: int = option(10, choices=(10, 20), help="?")
    wait: Duration = option(Duration("5s"), ge=Duration("1s"), le=Duration("1h"), help="?")
    size: Size = option(Size("1 kB"), le=Size("1 MiB"), help="?")
    mode: Mode = option(Mode("0600"), help="?")
    url: Url = option(Url("x://"), help="?", secret=True)
    path: Path = option(Path("a"), help="?")
    words: list[str] = option([], help="?")
    numbers: list[int] = option([], le=5, help="?")
    levels: dict[str, Colour] = option({}, help="?")
    password: str = option("", help="?", secret=True)
    part: Part = option(Part, help="?")
    parts: list[Part] = option([], help="?")
    named: list[Named] = option([], help="?")
    by_name: dict[str, Part] = option({}, help="?")
    own: dict[str, str] = field(default_factory=dict, init=False)


def converted(**table: Any) -> tuple[Section, list[str]]:
    conversion = Conversion("x.toml")
    section = conversion.section(Section, table, ())
    return section, [str(problem).removeprefix("x.toml: ") for problem in conversion.problems]


def test_an_empty_table_is_all_defaults() -> None:
    """Nothing is complained of."""
    assert converted() == (Section(), [])


def test_every_type_is_made_of_what_the_file_says() -> None:
    """Quantities of their text, numbers as they are, sub-tables of tables."""
    section, problems = converted(
        flag=True, count=7, ratio=1, text="t", colour="blue", maybe="red", step=20, wait="2m", size="2 kB", mode="0640",
        url="y://z", path="b/c", words=["a"], numbers=[5], levels={"a": "red"}, part={"width": 2}, parts=[{}, {"width": 3}],
        named=[{"name": "n"}], by_name={"k": {"width": 4}},
    )  # fmt: skip
    assert problems == []
    assert section == Section(
        True, 7, 1.0, "t", Colour.BLUE, Colour.RED, 20, Duration(120), Size(2000), Mode(0o640), Url("y://z"), Path("b/c"),
        ["a"], [5], {"a": Colour.RED}, "", Part(2), [Part(), Part(3)], [Named("n")], {"k": Part(4)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"flag": 1}, "flag = 1: must be true or false"),
        ({"flag": "yes"}, 'flag = "yes": must be true or false'),
        ({"count": "3"}, 'count = "3": must be a whole number'),
        ({"count": 3.0}, "count = 3.0: must be a whole number"),
        ({"count": True}, "count = true: must be a whole number"),
        ({"count": 0}, "count = 0: must be 1 or more"),
        ({"ratio": "a"}, 'ratio = "a": must be a number'),
        ({"ratio": 1.5}, "ratio = 1.5: must be 0 to 1"),
        ({"ratio": float("nan")}, "ratio = nan: must be 0 to 1"),
        ({"text": 3}, "text = 3: must be text in quotes"),
        ({"text": ["a"]}, 'text = ["a"]: must be text in quotes'),
        ({"colour": "blu"}, 'colour = "blu": must be "red" or "blue"; did you mean "blue"?'),
        ({"colour": "zz"}, 'colour = "zz": must be "red" or "blue"'),
        ({"colour": 1}, 'colour = 1: must be "red" or "blue"'),
        ({"maybe": "rde"}, 'maybe = "rde": must be "red" or "blue"; did you mean "red"?'),
        ({"step": 15}, "step = 15: must be 10 or 20"),
        ({"wait": 30}, 'wait = 30: must be a duration with its unit: write "30s" or "1h30m"'),
        ({"wait": "30"}, 'wait = "30": a duration is numbers with units d, h, m, s or ms, longest first: write "30s" or '
         '"1h30m"'),
        ({"wait": "2h"}, 'wait = "2h": must be 1s to 1h'),
        ({"size": 10}, 'size = 10: must be a size with its unit: write "10 kB" or "1 MiB"'),
        ({"size": "2 MiB"}, 'size = "2 MiB": must be 1 MiB or less'),
        ({"mode": 600}, 'mode = 600: must be a file mode in quotes: write "0600"'),
        ({"mode": "888"}, 'mode = "888": a file mode is three octal digits: write "0600"'),
        ({"url": 1}, 'url = "***": must be an address in quotes'),
        ({"url": "hush"}, 'url = "***": an address starts with its scheme: write "sqlite:///xmppd.sqlite", say'),
        ({"path": 1}, "path = 1: must be a path in quotes"),
        ({"path": ""}, 'path = "": a path is not empty'),
        ({"path": "a\0"}, 'path = "a\\u0000": a path holds no NUL'),
        ({"words": "a"}, 'words = "a": must be a list, each item text in quotes'),
        ({"words": ["a", 1]}, "words[1] = 1: must be text in quotes"),
        ({"numbers": [9]}, "numbers[0] = 9: must be 5 or less"),
        ({"levels": "red"}, 'levels = "red": must be a table, each item "red" or "blue"'),
        ({"levels": {"a": "rad"}}, 'levels.a = "rad": must be "red" or "blue"; did you mean "red"?'),
        ({"password": 1234}, 'password = "***": must be text in quotes'),
        ({"part": 3}, "part = 3: must be a table: write [part] and its options below"),
        ({"part": {"width": 0}}, "part.width = 0: must be 1 to 9"),
        ({"parts": {"width": 1}}, "parts = { width = 1 }: must be tables: write [[parts]]"),
        ({"parts": [{}, {"width": 0}]}, "parts[1].width = 0: must be 1 to 9"),
        ({"parts": [1]}, "parts[0] = 1: must be a table: write [[parts]] and its options below"),
        ({"named": [{}]}, 'named[0].name: is missing: write name = "mensa", say'),
        ({"by_name": []}, "by_name = []: must be a table of tables: write [by_name.name]"),
        ({"by_name": {"a": 1}}, "by_name.a = 1: must be a table: write [by_name.a] and its options below"),
        ({"by_name": {"a": {"x": 1}}}, "by_name.a.x: unknown key; known are width"),
        ({"wiat": "3s"}, 'wiat: unknown key; did you mean "wait"?'),
        ({"own": {}}, 'own: unknown key; conf/xmppd.toml lists what there is'),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_one_line(table: dict[str, Any], problem: str) -> None:
    """The key, the value, what is wrong and what to write."""
    assert converted(**table)[1] == [problem]


def test_all_mistakes_are_told_at_once() -> None:
    """What is wrong is replaced by its default, so that the rest can be checked."""
    section, problems = converted(count=0, wait=3, parts=[{"width": 0}, {"width": 2}], words=["a"])
    assert len(problems) == 3
    assert (section.count, section.wait, section.parts, section.words) == (3, Duration(5), [Part(), Part(2)], ["a"])


def test_a_part_is_clean_if_nothing_below_it_is_wrong() -> None:
    """Checks of how values fit together ask before they begin."""
    conversion = Conversion("x.toml")
    conversion.section(Section, {"parts": [{}, {"width": 0}]}, ())
    assert not conversion.is_clean(("parts",)) and not conversion.is_clean(("parts", 1))
    assert conversion.is_clean(("parts", 0)) and conversion.is_clean(("part",))
