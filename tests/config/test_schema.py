"""Schema: what a section declares is what the loader, the sample and the documentation read."""

from dataclasses import dataclass
from enum import StrEnum

import pytest

from xmppd.config.schema import Duration, Option, option, options, required, section_type


class Colour(StrEnum):
    RED = "red"


@dataclass
class Part:
    width: int = option(1, help="How wide.")


@dataclass(kw_only=True)
class Config:
    page_size: int = option(50, ge=1, le=500, help="How many.", live=True)
    name: str = required(help="What it is called.", example="mensa")
    password: str = option("", help="Hush.", secret=True)
    tags: list[str] = option([], help="Words.")
    part: Part = option(Part, help="A sub-table.")
    colour: Colour | None = option(None, choices=[Colour.RED], help="Its colour.")
    plain: int = 3


def declared() -> dict[str, Option]:
    return {one.name: one for one in options(Config)}


def test_options_come_in_the_order_of_their_declaration() -> None:
    """The sample shows them so."""
    assert list(declared()) == ["page_size", "name", "password", "tags", "part", "colour", "plain"]


def test_an_option_knows_its_bounds_meaning_and_nature() -> None:
    """All that `option()` was told can be read back, with the resolved type."""
    size = declared()["page_size"]
    assert (size.type, size.default, size.ge, size.le, size.help, size.live) == (int, 50, 1, 500, "How many.", True)
    assert declared()["password"].secret and not declared()["password"].live
    assert declared()["colour"].choices == [Colour.RED]
    assert declared()["plain"].help == ""


def test_a_required_option_has_no_default() -> None:
    """To ask for it is a mistake."""
    name = declared()["name"]
    assert name.is_required and name.example == "mensa"
    with pytest.raises(LookupError, match="name has no default"):
        _ = name.default


def test_defaults_are_not_shared() -> None:
    """Two configurations never change each other's lists or sub-tables."""
    first, second = Config(name="a"), Config(name="b")
    first.tags.append("x")
    first.part.width = 7
    assert second.tags == [] and second.part.width == 1
    assert declared()["tags"].default is not declared()["tags"].default


def test_a_section_is_found_behind_its_annotation() -> None:
    """A sub-table may be optional; plain values are no sections."""
    assert section_type(Part) is Part
    assert section_type(Part | None) is Part
    assert section_type(int) is section_type(Duration | None) is section_type(list[Part]) is None
