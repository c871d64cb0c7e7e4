"""Commands without a server."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from xmppd.cli import offline
from xmppd.cli.offline import InertCall, WallClock, at_once, here, user_name
from xmppd.core.message_log import ARCHIVE, CHAT, RECEIVED, WAIT, Entry
from xmppd.core.results import CommandError, Exit
from xmppd.protocol.jid import Jid

ROMEO = Jid("romeo@localhost")
BALCONY = Jid("juliet@capulet.example/balcony")


def run(config: Path, words: str, **arguments: object) -> dict[str, Any]:
    return offline.run(config, words.split(), arguments)


@pytest.fixture
def migrated(config: Path) -> Path:
    run(config, "db migrate")
    return config


def test_migrate(config: Path) -> None:
    """An empty database gets its tables, once."""
    assert run(config, "db status")["rows"][0][4] == "empty: run xmppctl db migrate"
    assert "shard 0: from nothing to" in run(config, "db migrate")["text"]
    assert run(config, "db status")["rows"][0][4] == "right"
    assert run(config, "db migrate")["text"] == "every database has the schema of this release"


def test_accounts(migrated: Path) -> None:
    """Accounts are registered, changed and removed in the database."""
    run(migrated, "account add", jid="romeo@localhost", password="pencil")
    run(migrated, "account passwd", jid="romeo@localhost", password="eraser", kick=True)
    run(migrated, "account role", jid="romeo@localhost", role="admin")
    run(migrated, "account disable", jids=["romeo@localhost"])
    info = run(migrated, "account info", jid="romeo@localhost")["values"]
    assert (info["role"], info["enabled"], info["resources"]) == ("admin", False, [])
    assert [row[0] for row in run(migrated, "account list")["rows"]] == ["romeo@localhost"]
    run(migrated, "account enable", jids=["romeo@localhost"])
    run(migrated, "account delete", jids=["romeo@localhost"])
    assert run(migrated, "account count")["values"] == {"accounts": 0}


def test_errors_are_those_of_the_server(migrated: Path) -> None:
    """The same command has the same errors."""
    with pytest.raises(CommandError) as caught:
        run(migrated, "account info", jid="romeo@localhost")
    assert caught.value.code is Exit.UNKNOWN
    with pytest.raises(CommandError) as caught:
        run(migrated, "account info", jid="@")
    assert caught.value.code is Exit.USAGE


def test_database_that_was_not_migrated(config: Path) -> None:
    """Accounts need tables; the error says how to get them."""
    with pytest.raises(CommandError) as caught:
        run(config, "account count")
    assert caught.value.remedy == "xmppctl db migrate does that"


def test_config(config: Path) -> None:
    """The file is checked and shown as the server would read it."""
    assert run(config, "config check")["text"].startswith(f"{config} is right")
    assert "[hosts.localhost]" in run(config, "config show")["text"]


def test_config_with_mistakes(config: Path) -> None:
    """Every mistake is told, by whatever command reads the file."""
    config.write_text(config.read_text() + "\n[serverr]\n[logg]\n")
    for words in ("config check", "cert list", "account count", "db status"):
        with pytest.raises(CommandError) as caught:
            run(config, words)
        assert "serverr" in caught.value.text
        assert "logg" in caught.value.text


def test_module_that_cannot_be_imported(config: Path) -> None:
    """A module that is named but not installed is told too."""
    config.write_text(config.read_text() + '\n[modules]\nload = ["no_such_module"]\n')
    with pytest.raises(CommandError, match="no_such_module"):
        run(config, "config check")


def test_certificates(config: Path) -> None:
    """The certificates that the configuration names are shown."""
    row = run(config, "cert list")["rows"][0]
    assert row[0] == "localhost"
    assert row[6] == str(config.parent / "localhost.crt")


def test_broken_certificate(config: Path) -> None:
    """A certificate that cannot be used is told with its file."""
    (config.parent / "localhost.crt").write_text("no certificate")
    with pytest.raises(CommandError, match=r"localhost\.crt"):
        run(config, "cert list")


def test_only_the_owner_touches_the_data(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that another user leaves in the data folder would lock the server out."""
    owner = user_name(os.geteuid())
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(CommandError, match="belongs to another user") as caught:
        run(config, "db status")
    assert caught.value.remedy == f"run this as {owner}"
    assert caught.value.code is Exit.REFUSED


def test_folder_that_is_not_there(config: Path) -> None:
    """Without the data folder there is nothing to work on."""
    config.write_text(config.read_text().replace('data_folder = "."', 'data_folder = "nowhere"'))
    with pytest.raises(CommandError, match="does not exist"):
        run(config, "db status")


def test_database_that_cannot_be_reached(config: Path) -> None:
    """A database that is down is told, without its password."""
    url = "postgresql://romeo:pencil@127.0.0.1:1/verona"
    config.write_text(config.read_text().replace("sqlite:///xmppd.sqlite", url))
    with pytest.raises(CommandError, match="database") as caught:
        run(config, "account count")
    assert "pencil" not in caught.value.text


def messages(config: Path, count: int = 3) -> None:
    """Let messages wait for Romeo, as a server has left them."""
    with ExitStack() as stack:
        log = offline.message_log_commands(config, stack).log
        for number in range(count):
            stanza = f"<message from='{BALCONY}' to='{ROMEO}' id='m{number}'><body>hark</body></message>".encode()
            log.append([Entry(ROMEO, BALCONY, RECEIVED, CHAT, ARCHIVE | WAIT, stanza, f"m{number}")], _expect_none)


def _expect_none(error: Exception | None) -> None:
    assert error is None


def test_log(migrated: Path) -> None:
    """What is kept, what waits, and what became of a message is in the database."""
    messages(migrated)
    assert run(migrated, "log stats", account=ROMEO)["values"]["messages"] == 3
    assert run(migrated, "log stats")["rows"][0][1] == 3
    assert run(migrated, "log retention")["rows"][0][:3] == ["localhost", True, None]
    assert run(migrated, "offline count")["rows"] == [[ROMEO, 3]]
    assert [row[1] for row in run(migrated, "trace", id="m1")["rows"]] == ["received", "committed", "waiting"]


def test_rows_of_a_command_that_streams(migrated: Path) -> None:
    """They come one by one, as they would from a server."""
    messages(migrated)
    rows: list[dict[str, Any]] = []
    offline.run(migrated, ["log", "export"], {"account": ROMEO, "file": "romeo.xml"}, rows.append)
    assert sum("<result " in row.get("line", "") for row in rows) == 3
    rows.clear()
    offline.run(migrated, ["log", "purge"], {"account": ROMEO}, rows.append)
    assert rows[-1] == {"sentence": "3 messages of romeo@localhost removed", "removed": 3}
    assert run(migrated, "offline count")["rows"] == []


def test_users_without_a_name() -> None:
    """A user that has no name has a number."""
    assert user_name(54321) == "user 54321"


def test_nothing_is_called_later() -> None:
    """The process ends before anything that was to be called later."""
    call = WallClock().callLater(0, pytest.fail)
    assert isinstance(call, InertCall)
    assert call.active()
    call.cancel()


def test_nothing_waits() -> None:
    """What would wait for a server is a fault of ours, not a hang."""
    from twisted.internet.defer import Deferred

    async def waits() -> None:
        await Deferred()

    with pytest.raises(RuntimeError, match="only a running server has"):
        at_once(waits())
    assert at_once(here(max, 1, 2)) == 2
