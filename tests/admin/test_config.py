"""`config`: check, show and reload."""

import pytest

from xmppd.config.load import ConfigError, Problem
from xmppd.config.server import Config, Kind, Listener
from xmppd.core.commands import CommandError

from .office import Office

WRONG = ConfigError([Problem("xmppd.toml", ("hosts",), "there is no host")])


def test_check(office: Office) -> None:
    """A file without mistakes is right."""
    assert office.run("config check").text == "xmppd.toml is right"


def test_check_tells_what_is_noteworthy(office: Office) -> None:
    """What can be used but should be known is told as well."""
    office.config = Config(listeners=[Listener(kind=Kind.S2S)])
    first, second = office.run("config check").text.split("\n")
    assert first == "xmppd.toml is right"
    assert "not served by this version" in second


@pytest.mark.parametrize("words", ["config check", "config show", "config reload"])
def test_mistakes_are_told(office: Office, words: str) -> None:
    """Every mistake is told as the loader tells it."""
    office.config = WRONG
    with pytest.raises(CommandError, match="there is no host"):
        office.run(words)


def test_show(office: Office) -> None:
    """Every option is shown, defaults included."""
    assert "[server]" in office.run("config show").text


def test_reload(office: Office) -> None:
    """A reload says what has changed."""
    assert office.run("config reload").text == "nothing has changed"
    office.changes = ["log.level: info -> debug", "shards: takes a restart"]
    assert office.run("config reload").text == "log.level: info -> debug\nshards: takes a restart"
