"""A command's parameters on the command line."""

import io
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from xmppd.cli.description import Description, ParameterDescription
from xmppd.cli.parameters import LONGEST_DOCUMENT, click_parameters, gather
from xmppd.core.kinds import Kind
from xmppd.core.results import CommandError, Exit


def parameter(name: str = "x", kind: Kind = Kind.TEXT, **given: Any) -> ParameterDescription:
    facts: dict[str, Any] = {"many": False, "required": True, "default": None, "choices": [], "help": "It"}
    return ParameterDescription(name=name, option=name.replace("_", "-"), kind=kind, **{**facts, **given})


def described(*parameters: ParameterDescription, danger: bool = False) -> Description:
    return Description(["do"], "Do it", "", False, danger, False, list(parameters))


def parse(description: Description, words: list[str]) -> dict[str, Any]:
    """Return what click makes of a command line, and `gather` of that."""
    values: dict[str, Any] = {}
    made = click.Command("do", params=click_parameters(description), callback=lambda **given: values.update(given))
    made.main(words, standalone_mode=False)
    return gather(description, values)


@pytest.mark.parametrize(
    ("parameters", "words", "arguments"),
    [
        ([parameter()], ["a"], {"x": "a"}),
        ([parameter(many=True)], ["a", "b"], {"x": ["a", "b"]}),
        ([parameter(required=False)], [], {}),
        ([parameter(required=False)], ["--x", "a"], {"x": "a"}),
        ([parameter(required=False, many=True)], ["--x", "a", "--x", "b"], {"x": ["a", "b"]}),
        ([parameter(required=False, many=True)], [], {}),
        ([parameter("dry_run", Kind.SWITCH, required=False)], ["--dry-run"], {"dry_run": True}),
        ([parameter("dry_run", Kind.SWITCH, required=False)], ["--no-dry-run"], {"dry_run": False}),
        ([parameter("dry_run", Kind.SWITCH, required=False)], [], {}),
        ([parameter(kind=Kind.CHOICE, choices=["a", "b"])], ["b"], {"x": "b"}),
        ([parameter(kind=Kind.INTEGER), parameter("y", many=True)], ["1", "2", "3"], {"x": "1", "y": ["2", "3"]}),
    ],
)
def test_words_become_arguments(
    parameters: list[ParameterDescription], words: list[str], arguments: dict[str, Any]
) -> None:
    """What is required is positional, the rest are options; what is not given is not sent."""
    assert parse(described(*parameters), words) == arguments


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([parameter()], []),
        ([parameter(many=True)], []),
        ([parameter()], ["a", "b"]),
        ([parameter(kind=Kind.CHOICE, choices=["a", "b"])], ["c"]),
        ([parameter("password", Kind.SECRET)], ["pencil"]),
    ],
)
def test_wrong_usage(parameters: list[ParameterDescription], words: list[str]) -> None:
    """Missing, superfluous and unknown words are wrong usage; a secret is never a word."""
    with pytest.raises(click.UsageError):
        parse(described(*parameters), words)


def test_secret_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line of standard input is the secret, without its line break."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(" pen cil \r\nmore\n"))
    assert parse(described(parameter("password", Kind.SECRET)), ["--password-stdin"]) == {"password": " pen cil "}


def test_secret_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can be asked the error says how to give the secret."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("pencil\n"))
    with pytest.raises(CommandError, match="no terminal") as caught:
        parse(described(parameter("password", Kind.SECRET)), [])
    assert caught.value.remedy == "use --password-stdin"
    assert caught.value.code is Exit.USAGE


def test_secret_that_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is not required is not asked for."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert parse(described(parameter("password", Kind.SECRET, required=False)), []) == {}


def test_danger_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What destroys something needs a yes; without a terminal only --yes is one."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    description = described(parameter(), danger=True)
    with pytest.raises(CommandError, match="needs a confirmation") as caught:
        parse(description, ["a"])
    assert caught.value.code is Exit.REFUSED
    assert parse(description, ["a", "--yes"]) == {"x": "a"}


def test_document(tmp_path: Path) -> None:
    """A document is the content of the file that is named."""
    file = tmp_path / "stanza.xml"
    file.write_text("<a>ü</a>\n", "utf-8")
    assert parse(described(parameter(kind=Kind.DOCUMENT)), [str(file)]) == {"x": "<a>ü</a>\n"}


@pytest.mark.parametrize(
    ("content", "text"),
    [(None, "No such file"), (b"\xff\xfe", "is not UTF-8"), (b"x" * (LONGEST_DOCUMENT + 1), "is longer than")],
)
def test_document_that_cannot_be_read(tmp_path: Path, content: bytes | None, text: str) -> None:
    """A file that is missing, too long or no text is wrong usage."""
    file = tmp_path / "stanza.xml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandError, match=text) as caught:
        parse(described(parameter(kind=Kind.DOCUMENT)), [str(file)])
    assert caught.value.code is Exit.USAGE


def test_defaults_are_told_as_they_are_written() -> None:
    """A duration is no number of seconds to those who read the help."""
    since = parameter("since", Kind.DURATION, required=False, default=86400.0)
    count = parameter("count", Kind.INTEGER, required=False, default=20)
    (first, second) = click_parameters(described(since, count))
    assert isinstance(first, click.Option) and first.help == "It [default: 1d]"
    assert isinstance(second, click.Option) and second.help == "It [default: 20]"
