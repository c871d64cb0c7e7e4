"""The parameters of administrative commands, read from signatures."""

from enum import StrEnum
from typing import Annotated, Any

import pytest

from xmppd.core.arguments import Document, Duration, Kind, Parameter, Secret, argument, parameters_of
from xmppd.core.results import CommandError, Exit
from xmppd.protocol.jid import Jid


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


async def everything(
    self: Any,
    jid: Annotated[Jid, argument("Whose", field="accountjid")],
    text: str,
    number: int,
    ratio: float,
    keep: Duration,
    colour: Colour,
    password: Secret,
    stanza: Document,
    several: list[Jid],
    limit: int | None = 100,
    force: bool = False,
) -> None: ...


FOUND = {parameter.name: parameter for parameter in parameters_of(everything)}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("jid", Kind.JID),
        ("text", Kind.TEXT),
        ("number", Kind.INTEGER),
        ("ratio", Kind.NUMBER),
        ("keep", Kind.DURATION),
        ("colour", Kind.CHOICE),
        ("password", Kind.SECRET),
        ("stanza", Kind.DOCUMENT),
        ("several", Kind.JID),
        ("limit", Kind.INTEGER),
        ("force", Kind.SWITCH),
    ],
)
def test_annotation_says_what_a_parameter_takes(name: str, kind: Kind) -> None:
    """Each annotation that a command can ask for has its kind."""
    assert FOUND[name].kind is kind


def test_self_is_no_parameter() -> None:
    """The object that a command belongs to is not asked for."""
    assert "self" not in FOUND


def test_defaults_make_a_parameter_optional() -> None:
    """What has a default may be left out and then has it."""
    assert not FOUND["limit"].required
    assert FOUND["limit"].convert(None) == 100
    assert FOUND["force"].convert(None) is False


def test_argument_names_the_field_of_a_form() -> None:
    """The form's field is the argument's, or the parameter's own name."""
    assert FOUND["jid"].field == "accountjid"
    assert FOUND["text"].field == "text"
    assert FOUND["jid"].argument.help == "Whose"


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("jid", "Juliet@Capulet.example/balcony", Jid("juliet@capulet.example/balcony")),
        ("text", "x", "x"),
        ("number", "-12", -12),
        ("number", 12, 12),
        ("ratio", "0.5", 0.5),
        ("ratio", 2, 2.0),
        ("keep", "1h30m", 5400.0),
        ("keep", 90, 90.0),
        ("colour", "blue", Colour.BLUE),
        ("password", "pencil", "pencil"),
        ("stanza", "<a/>", "<a/>"),
        ("several", ["a@b.example", "c@d.example"], [Jid("a@b.example"), Jid("c@d.example")]),
        ("several", "a@b.example", [Jid("a@b.example")]),
        ("limit", "none", None),
        ("limit", "25", 25),
        ("force", "yes", True),
        ("force", False, False),
    ],
)
def test_text_and_json_are_converted(name: str, given: object, expected: object) -> None:
    """The words of a command line and the values of a JSON request become what the command takes."""
    converted = FOUND[name].convert(given)
    assert converted == expected
    assert type(converted) is type(expected) or isinstance(converted, Duration | Secret)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("jid", "@capulet.example", "jid: '@capulet.example': "),
        ("text", 1, "text: 1: this is no text"),
        ("number", "1.5", "number: '1.5': this is no whole number"),
        ("number", True, "number: True: this is no whole number"),
        ("number", "9" * 5000, "number: '999"),
        ("ratio", "nan", "ratio: 'nan': this is no number"),
        ("keep", "1 fortnight", "keep: '1 fortnight': a duration is"),
        ("keep", True, "keep: True: a duration is"),
        ("colour", "green", "colour: 'green': it is none of red, blue"),
        ("force", "maybe", "force: 'maybe': this is neither true nor false"),
        ("text", None, "text is missing"),
        ("several", [], "several is missing"),
        ("several", ["a@b.example", "/"], "several: '/': "),
    ],
)
def test_what_does_not_fit_is_told(name: str, given: object, message: str) -> None:
    """An error names the parameter, what was given and what is wrong with it."""
    with pytest.raises(CommandError) as caught:
        FOUND[name].convert(given)
    assert caught.value.text.startswith(message)
    assert caught.value.code is Exit.USAGE


def test_a_secret_is_shown_nowhere() -> None:
    """Neither the value's repr nor an error about it shows what was given."""
    secret = FOUND["password"].convert("pencil")
    assert "pencil" not in repr(secret)
    assert "pencil" not in repr({"password": secret})
    with pytest.raises(CommandError) as caught:
        FOUND["password"].convert(["pencil"])
    assert "pencil" not in caught.value.text


def test_a_list_default_is_not_shared() -> None:
    """Each call of a command gets its own list."""

    async def command(names: list[str] = ["a"]) -> None: ...  # noqa: B006

    parameter = parameters_of(command)[0]
    first = parameter.convert(None)
    assert first == ["a"]
    assert first is not parameter.convert(None)


def test_description_holds_no_secret_default() -> None:
    """What a front end is told of a secret is not its default."""
    parameter = Parameter("token", Kind.SECRET, argument(), required=False, default=Secret("x"))
    assert parameter.describe()["default"] is None


def bare(x) -> None: ...  # type: ignore[no-untyped-def]
def variable(*x: str) -> None: ...
def strange(x: bytes) -> None: ...
def joined(x: int | str) -> None: ...
def switch(x: bool) -> None: ...


@pytest.mark.parametrize("function", [bare, variable, strange, joined, switch])
def test_ill_declared_parameters_are_refused(function: Any) -> None:
    """A parameter that nobody can ask for is an error when the command is registered."""
    with pytest.raises(TypeError, match=f"{function.__name__}: parameter x"):
        parameters_of(function)
