"""Results on the screen."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from xmppd.cli.render import Renderer, cell, printable, size, span
from xmppd.core.results import CommandError, Exit

TABLE = {
    "kind": "table",
    "title": "Things",
    "columns": ["name", "how_long"],
    "rows": [["a", 90061], ["b", None]],
    "units": {"how_long": "s"},
}
FIELDS = {"kind": "fields", "title": "", "values": {"name": "a", "memory_used": 2048}, "units": {"memory_used": "B"}}
DONE = {"kind": "done", "text": "it\nis\x1b[31m done"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def rendered(result: dict[str, Any], out: io.StringIO, *, as_json: bool = False) -> str:
    Renderer(out, as_json).result(result)
    return out.getvalue()


def test_table_for_people() -> None:
    """On a terminal a table has a title, a head and aligned columns; numbers have their units."""
    text = rendered(TABLE, Terminal())
    assert "Things" in text
    assert "how long" in text
    assert "1d 1h" in text
    assert "90061" not in text


def test_table_for_pipes() -> None:
    """In a pipe a table is tab-separated, so that cut and awk can read it."""
    assert rendered(TABLE, io.StringIO()) == "name\thow_long\na\t1d 1h\nb\t-\n"


def test_table_for_programs() -> None:
    """As JSON a table is a list of objects, with plain numbers."""
    text = rendered(TABLE, io.StringIO(), as_json=True)
    assert json.loads(text) == [{"name": "a", "how_long": 90061}, {"name": "b", "how_long": None}]


def test_fields() -> None:
    """Fields are lines: aligned for people, tab-separated in pipes, an object for programs."""
    assert rendered(FIELDS, Terminal()) == "name         a\nmemory used  2 KiB\n"
    assert rendered(FIELDS, io.StringIO()) == "name\ta\nmemory_used\t2 KiB\n"
    assert json.loads(rendered(FIELDS, Terminal(), as_json=True)) == {"name": "a", "memory_used": 2048}


def test_done_for_programs() -> None:
    """Its values, if it has any: nobody need take a sentence apart."""
    assert json.loads(rendered({"kind": "done", "text": "it is done"}, io.StringIO(), as_json=True)) == {
        "text": "it is done"
    }
    done = {**DONE, "values": {"disabled": ["a@b.example"]}}
    assert json.loads(rendered(done, io.StringIO(), as_json=True)) == {"disabled": ["a@b.example"]}
    assert "disabled" not in rendered(done, io.StringIO())


def test_error_for_programs() -> None:
    """What people read in lines, in one object; details too, and where it was looked for if nobody said where."""
    error = CommandError("there is none", "make one", Exit.UNKNOWN, {"problems": []})
    out = io.StringIO()
    Renderer(out, as_json=True).error(error, None)
    assert json.loads(out.getvalue()) == {
        "error": {"text": "there is none", "remedy": "make one", "code": 4, "problems": []}
    }
    out = io.StringIO()
    Renderer(out, as_json=True).error(CommandError("no"), Path("var/xmppd.toml"))
    assert json.loads(out.getvalue())["error"]["configuration"] == "var/xmppd.toml"


def test_done() -> None:
    """A sentence is written as it is, but for what could steer the terminal; an empty one is nothing."""
    assert rendered(DONE, io.StringIO()) == "it\nis\\u001b[31m done\n"
    assert json.loads(rendered(DONE, io.StringIO(), as_json=True)) == {"text": DONE["text"]}
    assert rendered({"kind": "done", "text": ""}, io.StringIO()) == ""


def test_rows() -> None:
    """Rows of a stream are a line each."""
    out = io.StringIO()
    Renderer(out).row({"a": 1, "b": None, "c": "", "d": "x\ny"})
    Renderer(out, as_json=True).row({"a": 1, "b": None})
    assert out.getvalue() == '1  x\\u000ay\n{"a":1,"b":null}\n'


def test_markup_is_text() -> None:
    """What looks like rich's markup is shown as it is."""
    table = {**TABLE, "columns": ["[red]name"], "rows": [["[bold]a[/bold]"]], "units": {}, "title": "[b]T"}
    text = rendered(table, Terminal())
    assert "[bold]a[/bold]" in text
    assert "[red]name" in text
    assert "[b]T" in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, None, "-"),
        (True, None, "yes"),
        (False, None, "no"),
        (1.5, None, "1.5"),
        (["a", 1, None], None, "a, 1, -"),
        ([], None, ""),
        ({"a": 1}, None, "a=1"),
        ("x", "s", "x"),
        (61, "s", "1m 1s"),
    ],
)
def test_cell(value: object, unit: str | None, text: str) -> None:
    """Values are written as people read them."""
    assert cell(value, unit) == text


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2028", "\u061c", "\udc80"])
def test_nothing_steers_the_terminal(character: str) -> None:
    """Control characters and marks that turn the direction of writing are shown, not obeyed."""
    assert printable(f"a{character}b") == f"a\\u{ord(character):04x}b"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.25, "250ms"), (59.9, "59s"), (3600, "1h"), (90061, "1d 1h"), (-1, "0s")]
)
def test_span(seconds: float, text: str) -> None:
    """A span of time shows its two largest units."""
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1024, "1 KiB"), (12_900_000, "12.3 MiB"), (1 << 30, "1 GiB"), (5 << 40, "5 TiB")],
)
def test_size(count: int, text: str) -> None:
    """A size has three digits and a unit."""
    assert size(count) == text
