"""`config`: check, show and reload."""

import pytest

from xmppd.admin.config import Reloaded
from xmppd.config.changes import Change
from xmppd.config.load import ConfigError, Problem
from xmppd.config.server import Config, Kind, Listener, Server
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


def test_check_tells_what_a_reload_would_change(office: Office) -> None:
    """A file that was edited since the server read it."""
    office.running = Config()
    office.config = Config(server=Server(name="Verona"))
    done = office.run("config check")
    assert done.text.split("\n")[1:] == ['not in use yet: server.name: "xmppd" -> "Verona"']
    assert done.values["right"] is True
    assert [change["option"] for change in done.values["changes"]] == ["server.name"]


@pytest.mark.parametrize("words", ["config check", "config show", "config reload"])
def test_mistakes_are_told(office: Office, words: str) -> None:
    """Every mistake is told as the loader tells it, and one by one for programs."""
    office.config = WRONG
    with pytest.raises(CommandError, match="there is no host") as caught:
        office.run(words)
    assert caught.value.details == {"problems": [{"file": "xmppd.toml", "option": "hosts", "text": "there is no host"}]}


def test_show(office: Office) -> None:
    """Every option is shown, defaults included."""
    done = office.run("config show")
    assert "[server]" in done.text
    assert done.values["server"]["name"] == "xmppd"


def test_reload(office: Office) -> None:
    """A reload says what has changed."""
    assert office.run("config reload").text == "nothing has changed"
    changes = [
        Change(("log", "level"), '"info"', '"debug"', live=True),
        Change(("shards", 1), "absent", "there", live=False),
    ]
    office.reloaded = Reloaded(changes, ["montague.example has another certificate"])
    done = office.run("config reload")
    assert done.text.split("\n") == [
        'log.level: "info" -> "debug"',
        "shards[1]: absent -> there (needs a restart)",
        "montague.example has another certificate",
    ]
    assert done.values == {
        "file": office.file,
        "changes": [
            {"option": "log.level", "old": '"info"', "new": '"debug"', "live": True},
            {"option": "shards[1]", "old": "absent", "new": "there", "live": False},
        ],
        "notes": ["montague.example has another certificate"],
    }
