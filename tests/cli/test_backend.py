"""Who runs a command: the server, or the command line itself."""

from pathlib import Path

import pytest

from xmppd.cli.backend import Offline, Online, choose, socket_of
from xmppd.cli.client import Unreachable
from xmppd.core.results import CommandError, Exit

from .running import Running


def nothing() -> Path | None:
    """Find no configuration."""
    return None


def test_running_server_is_asked(server: Running) -> None:
    """Where a server answers it runs everything."""
    backend = choose(None, server.path)
    assert isinstance(backend, Online)
    assert ["paint"] in [found.words for found in backend.commands]
    for found in backend.commands:
        backend.check(found)


def test_environment_names_the_server(
    server: Running, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket and the configuration may stand in the environment; options win."""
    monkeypatch.setenv("XMPPD_SOCKET", str(server.path))
    assert isinstance(choose(None, None), Online)
    assert isinstance(choose(config, tmp_path / "other"), Offline)
    monkeypatch.delenv("XMPPD_SOCKET")
    monkeypatch.setenv("XMPPD_CONFIG", str(config))
    assert isinstance(choose(None, None), Offline)


def test_without_server(config: Path) -> None:
    """With the server down some commands can be run, others say that they need it."""
    backend = choose(config, None)
    assert isinstance(backend, Offline)
    commands = {" ".join(found.words): found for found in backend.commands}
    backend.check(commands["account add"])
    with pytest.raises(Unreachable) as caught:
        backend.check(commands["status"])
    assert caught.value.code is Exit.UNREACHABLE


def test_nothing_named() -> None:
    """Without a configuration there is help, but nothing can be run."""
    backend = choose(None, None, nothing)
    commands = {" ".join(found.words): found for found in backend.commands}
    for name in ("status", "account add"):
        with pytest.raises(Unreachable) as caught:
            backend.check(commands[name])
        assert "--config" in caught.value.remedy


def test_a_configuration_that_is_found(config: Path) -> None:
    """Where nobody names one, that of a checkout is used, and it is known that it was found."""
    backend = choose(None, None, lambda: config)
    assert backend.found == config
    commands = {" ".join(found.words): found for found in backend.commands}
    backend.check(commands["account add"])
    assert choose(config, None, nothing).found is None


def test_a_server_that_is_found(server: Running, tmp_path: Path) -> None:
    """Likewise when it runs."""
    file = tmp_path / "found.toml"
    file.write_text(f'[admin]\nsocket = "{server.path}"')
    backend = choose(None, None, lambda: file)
    assert isinstance(backend, Online)
    assert backend.found == file


def test_a_configuration_that_is_not_ours() -> None:
    """It is told, and nothing is done with it."""

    def refuse() -> Path | None:
        raise CommandError("in the hands of others", code=Exit.REFUSED)

    backend = choose(None, None, refuse)
    with pytest.raises(CommandError, match="hands of others"):
        backend.check(backend.commands[0])


def test_server_that_refuses_us(config: Path) -> None:
    """Where a server may be running that will not talk to us, its database is left alone."""
    backend = Offline(config, CommandError("you may not open it", code=Exit.REFUSED))
    commands = {" ".join(found.words): found for found in backend.commands}
    with pytest.raises(CommandError, match="you may not open it"):
        backend.check(commands["account delete"])


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "data/xmppd.sock"),
        ('[server]\ndata_folder = "d"', "d/xmppd.sock"),
        ('[server]\ndata_folder = "/d"\n[admin]\nsocket = "s"', "/d/s"),
        ('[admin]\nsocket = "/run/s"', "/run/s"),
        ("[hosts]\nwrong = 1", "data/xmppd.sock"),
    ],
)
def test_socket_of_a_configuration(tmp_path: Path, text: str, path: str) -> None:
    """The socket is found as the server finds it, whatever else is in the file."""
    file = tmp_path / "xmppd.toml"
    file.write_text(text)
    assert socket_of(file) == tmp_path / path


@pytest.mark.parametrize("text", [None, "[server", "server = 1", "[server]\ndata_folder = 1"])
def test_configuration_that_cannot_be_read(tmp_path: Path, text: str | None) -> None:
    """A file without even that is told; what only checks it can still be run."""
    file = tmp_path / "xmppd.toml"
    if text is not None:
        file.write_text(text)
    backend = choose(file, None)
    commands = {" ".join(found.words): found for found in backend.commands}
    backend.check(commands["config check"])
    with pytest.raises(CommandError, match=r"xmppd\.toml") as caught:
        backend.check(commands["status"])
    assert "config check" in caught.value.remedy


def test_commands_of_modules(server: Running, config: Path) -> None:
    """Without a server nobody knows them: that is said, and not that there is no such command."""
    choose(None, server.path).miss("device list")
    with pytest.raises(CommandError, match="no server answers") as caught:
        choose(config, None).miss("device list")
    assert "device list may be a command of a module" in caught.value.remedy
    assert caught.value.code is Exit.UNREACHABLE
    Offline(config, CommandError("you may not open it", code=Exit.REFUSED)).miss("device list")
