"""Changes: what a reload tells, and what it does."""

from collections.abc import Callable

import pytest

from xmppd.config.changes import adopt, diff
from xmppd.config.server import Config

Loaded = Callable[..., Config]


def test_equal_configurations_do_not_differ(loaded: Loaded) -> None:
    """A reload of the same file tells nothing."""
    assert diff(loaded(), loaded()) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("", "[limits]\ndepth = 32\n", "limits.depth: 64 -> 32"),
        ("", "[limits]\nidle_ping = '2m'\n", 'limits.idle_ping: "5m" -> "2m"'),
        ("", "[server]\nnode = 'b'\n", 'server.node: "node1" -> "b" (needs a restart)'),
        ("", "[server]\nready_file = '/ready'\n", 'server.ready_file: not set -> "/ready" (needs a restart)'),
        ("", "[modules.carbons]\npage_size = 7\n", "modules.carbons.page_size: 50 -> 7"),
        ("", "[modules.carbons]\ndelay = '7s'\n", 'modules.carbons.delay: "5s" -> "7s" (needs a restart)'),
        ("", "[modules]\ndisable = ['ping']\n", 'modules.disable: [] -> ["ping"] (needs a restart)'),
        ("", "[log]\nareas = {c2s = 'debug'}\n", 'log.areas: {} -> { c2s = "debug" }'),
        ("", "contacts.abuse = ['xmpp:a@b.org']\n", 'hosts."example.org".contacts.abuse: [] -> ["xmpp:a@b.org"]'),
        ("", "[hosts.'b.org']\ncertificate = 'cert.pem'\nkey = 'cert.pem'\n",
         'hosts."b.org": absent -> there (needs a restart)'),
        ("[hosts.'b.org']\ncertificate = 'cert.pem'\nkey = 'cert.pem'\n", "",
         'hosts."b.org": there -> absent (needs a restart)'),
        ("[[listeners]]\nkind = 'c2s'\n", "[[listeners]]\nkind = 'c2s'\nport = 1\n",
         "listeners[0].port: 5222 -> 1 (needs a restart)"),
        ("[[listeners]]\nkind = 'c2s'\n", "[[listeners]]\nkind = 'c2s'\n[[listeners]]\nkind = 'http'\n",
         "listeners[1]: absent -> there (needs a restart)"),
        ("[[shards]]\nurl = 'postgresql://u:hush@h/d'\n", "[[shards]]\nurl = 'postgresql://u:hash@h/e'\n",
         'shards[0].url: "postgresql://u:***@h/d" -> "postgresql://u:***@h/e" (needs a restart)'),
    ],
)  # fmt: skip
def test_a_change_is_told_in_one_line(loaded: Loaded, old: str, new: str, line: str) -> None:
    """Where, from what to what, and whether the running server can take it; passwords are not shown."""
    changes = diff(loaded(old), loaded(new))
    assert [str(change) for change in changes] == [line]
    assert changes[0].live is not line.endswith("(needs a restart)")


def test_what_is_live_is_adopted_in_place(loaded: Loaded) -> None:
    """Whoever holds a section sees the new value; what needs a restart stays as it runs."""
    config = loaded()
    limits, carbons, host = config.limits, config.modules.configs["carbons"], config.hosts["example.org"]
    text = """
        contacts.abuse = ["xmpp:a@b.org"]
        [limits]
        depth = 32
        [server]
        node = "b"
        [modules.carbons]
        page_size = 7
        delay = "7s"
    """
    changes = adopt(config, loaded(text))

    assert (limits.depth, carbons.page_size, host.contacts.abuse) == (32, 7, ["xmpp:a@b.org"])
    assert (config.server.node, str(carbons.delay)) == ("node1", "5s")
    assert [change.path[-1] for change in changes if change.live] == ["abuse", "page_size", "depth"]
    assert [change.path[-1] for change in diff(config, loaded(text))] == ["node", "delay"]


def test_a_module_that_came_or_went_needs_a_restart(loaded: Loaded) -> None:
    """Its options cannot be compared with anything."""
    config, other = loaded(), loaded()
    other.modules.configs["greeter"] = other.modules.configs.pop("carbons")
    assert [str(change) for change in diff(config, other)] == [
        "modules.carbons: there -> absent (needs a restart)",
        "modules.greeter: absent -> there (needs a restart)",
    ]
