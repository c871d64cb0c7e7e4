"""Show: the configuration in use, as a file that means the same."""

from collections.abc import Callable
from pathlib import Path

from xmppd.config.load import load
from xmppd.config.server import Config
from xmppd.config.show import show, values

from .conftest import MODULES

TEXT = """
contacts.abuse = ["xmpp:a@b.org"]
[[listeners]]
kind = "c2s"
port = 0
[[listeners]]
kind = "http"
[log]
areas = { c2s = "debug" }
[modules.carbons]
delay = "1h30m"
"""


def test_what_is_shown_means_the_same(loaded: Callable[..., Config], folder: Path) -> None:
    """Every option is there, so that the file does not depend on defaults."""
    config = loaded(TEXT)
    copy = folder / "copy.toml"
    copy.write_text(show(config), encoding="utf-8")
    assert load(copy, MODULES) == config


def test_secrets_are_not_shown(loaded: Callable[..., Config]) -> None:
    """Neither by `show` nor when the configuration is printed by mistake."""
    config = loaded("[[shards]]\nurl = 'postgresql://u:hush@h/d'\n")
    assert 'url = "postgresql://u:***@h/d"' in show(config)
    assert "hush" not in show(config) + repr(config)


def test_what_is_not_set_is_said(loaded: Callable[..., Config]) -> None:
    """As a comment, since TOML has no word for it."""
    assert "\n# pid_file is not set\n" in show(loaded())


def test_tables_come_in_the_order_of_the_schema(loaded: Callable[..., Config]) -> None:
    """As in the sample."""
    headers = [line for line in show(loaded(TEXT)).splitlines() if line.startswith("[")]
    assert headers == [
        "[server]", '[hosts."example.org"]', '[hosts."example.org".contacts]', "[[listeners]]", "[[listeners]]",
        "[[shards]]", "[modules]", "[modules.carbons]", "[log]", "[limits]", "[admin]",
    ]  # fmt: skip


def test_the_same_for_programs(loaded: Callable[..., Config]) -> None:
    """Nested as in the file; quantities as one writes them, secrets hidden, what is not set is None."""
    shown = values(loaded(TEXT + "[[shards]]\nurl = 'postgresql://u:hush@h/d'\n"))
    assert shown["modules"]["carbons"]["delay"] == "1h30m"
    assert shown["log"]["areas"] == {"c2s": "debug"}
    assert [one["kind"] for one in shown["listeners"]] == ["c2s", "http"]
    assert shown["hosts"]["example.org"]["contacts"]["abuse"] == ["xmpp:a@b.org"]
    assert shown["server"]["pid_file"] is None
    assert shown["shards"][0]["url"] == "postgresql://u:***@h/d"
