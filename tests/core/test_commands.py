"""Declaring administrative commands, and the registry that knows them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any

import pytest

from xmppd.core.commands import (
    Caller,
    Command,
    CommandError,
    Done,
    Exit,
    Registry,
    Row,
    Secret,
    argument,
    command,
    declared_in,
)
from xmppd.protocol.jid import Jid


@dataclass(slots=True)
class Greetings:
    """A noun."""

    word: str

    @command("greeting set", adhoc="urn:example#set", offline=True, danger=True)
    async def set(
        self, jid: Annotated[Jid, argument("Whom")], secret: Secret, caller: Caller, loud: bool = False
    ) -> Done:
        """Set the greeting.

        It is said to everybody
        who comes.
        """
        return Done(f"{self.word} {jid}")

    @command("greeting watch")
    async def watch(self) -> AsyncIterator[Row]:
        """Watch greetings."""
        yield {"word": self.word}

    async def not_a_command(self) -> None: ...


@command("hello")
async def hello() -> None:
    """Say hello."""


def only(source: object, name: str) -> Command:
    return next(found for found in declared_in(source, "tests") if found.name == name)


def test_docstring_is_summary_and_help() -> None:
    """The first line is the summary, the rest the help."""
    found = only(Greetings("hi"), "greeting set")
    assert found.summary == "Set the greeting"
    assert found.help == "It is said to everybody\nwho comes."


def test_caller_is_no_argument() -> None:
    """A parameter for the caller is filled in, not asked for."""
    found = only(Greetings("hi"), "greeting set")
    assert [parameter.name for parameter in found.parameters] == ["jid", "secret", "loud"]
    assert found.caller == "caller"


def test_class_describes_what_its_instances_do() -> None:
    """Declarations can be read without an object, for help with the server down."""
    assert only(Greetings, "greeting set").describe() == only(Greetings("hi"), "greeting set").describe()


def test_description() -> None:
    """A front end is told all that it needs to offer a command."""
    described = only(Greetings, "greeting set").describe()
    assert described["words"] == ["greeting", "set"]
    assert described["offline"] and described["danger"] and not described["streams"]
    parameters: Any = described["parameters"]
    assert [parameter["kind"] for parameter in parameters] == ["jid", "secret", "switch"]


def test_generators_stream_and_have_no_node() -> None:
    """A command that yields rows goes on for ever, so no ad-hoc command can run it."""
    found = only(Greetings, "greeting watch")
    assert found.streams
    assert found.node == ""


def test_commands_of_our_own_have_a_node() -> None:
    """Commands that no specification names are ad-hoc commands too."""
    assert only(hello, "hello").node == "xmppd/hello"
    assert only(Greetings, "greeting set").node == "urn:example#set"


def test_module_of_functions() -> None:
    """The functions of a Python module may be commands."""
    module = ModuleType("greetings")
    module.hello = hello  # type: ignore[attr-defined]
    module.other = 1  # type: ignore[attr-defined]
    assert [found.name for found in declared_in(module, "tests")] == ["hello"]


def test_unknown_arguments_are_refused() -> None:
    """What a command does not take is an error, not ignored."""
    with pytest.raises(CommandError, match="hello takes no volume") as caught:
        only(hello, "hello").convert({"volume": 11})
    assert caught.value.code is Exit.USAGE


def test_registry_finds_by_words_and_by_node() -> None:
    """A command is found by what one types, and by the node of the ad-hoc command."""
    registry = Registry()
    registry.register("greetings", Greetings("hi"))
    assert registry.find(["greeting", "set"]).owner == "greetings"
    assert registry.at("urn:example#set") is registry.find(["greeting", "set"])
    assert registry.at("urn:example#other") is None
    assert [found.name for found in registry] == ["greeting set", "greeting watch"]


def test_unknown_command_names_the_nearest() -> None:
    """A typing mistake is answered with what was meant."""
    registry = Registry()
    registry.register("greetings", Greetings("hi"))
    with pytest.raises(CommandError, match="there is no command 'greeting sett'") as caught:
        registry.find(["greeting", "sett"])
    assert caught.value.remedy == "did you mean 'greeting set'?"
    with pytest.raises(CommandError) as caught:
        registry.find(["zzz"])
    assert caught.value.remedy == ""


def test_unregister_forgets_an_owner() -> None:
    """What a module brought goes with it, nodes included."""
    registry = Registry()
    registry.register("greetings", Greetings("hi"))
    registry.register("hello", hello)
    registry.unregister("greetings")
    assert [found.name for found in registry] == ["hello"]
    assert registry.at("urn:example#set") is None
    registry.register("greetings", Greetings("hi"))


@command("hello")
async def hello_again() -> None:
    """Say hello as well."""


@command("hello world")
async def hello_world() -> None:
    """Say hello to the world."""


@command("same-node", adhoc="xmppd/hello")
async def same_node() -> None:
    """Have the node of another command."""


@pytest.mark.parametrize("other", [hello_again, hello_world, same_node])
def test_duplicates_are_errors(other: Any) -> None:
    """Two commands of the same words, one word below another, or of the same node: an error at load, nothing changes."""
    registry = Registry()
    registry.register("one", hello)
    with pytest.raises(TypeError, match=r"two: .*hello"):
        registry.register("two", other)
    assert [found.owner for found in registry] == ["one"]


class Half:
    """Two commands, the second of which is taken."""

    @command("another")
    async def another(self) -> None:
        """Do something else."""

    @command("hello")
    async def hello(self) -> None:
        """Say hello, too."""


def test_registering_is_all_or_nothing() -> None:
    """An owner one of whose commands is taken brings none."""
    registry = Registry()
    registry.register("one", hello)
    with pytest.raises(TypeError):
        registry.register("two", Half())
    assert [found.name for found in registry] == ["hello"]


def test_ill_declared_commands_are_refused() -> None:
    """A command needs words, a docstring and an async function."""
    with pytest.raises(TypeError, match="words"):
        command("")
    with pytest.raises(TypeError, match="words"):
        command("Shout!")

    @command("silent")
    async def silent() -> None: ...

    @command("plain")
    def plain() -> None:  # type: ignore[type-var]
        """Do not wait."""

    with pytest.raises(TypeError, match="docstring"):
        declared_in(silent, "tests")
    with pytest.raises(TypeError, match="async"):
        declared_in(plain, "tests")
