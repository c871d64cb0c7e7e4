"""Paths: relative ones have one meaning, wherever the server is started."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from xmppd.config.paths import resolve
from xmppd.config.schema import Url, option
from xmppd.config.server import Config, Host, Shard


@dataclass
class Uploads:
    folder: Path = option(Path("uploads"), in_data=True, help="?")
    extra: list[Path] = option([Path("a"), Path("/b")], help="?")
    words: list[str] = option(["c"], help="?")


def resolved(config: Config) -> Config:
    resolve(config, Path("/etc/xmppd"))
    return config


def test_paths_count_from_the_folder_of_the_file_or_from_the_data_folder() -> None:
    """Each as its option says."""
    config = Config(hosts={"example.org": Host(certificate=Path("c.pem"), key=Path("/k.pem"))})
    config.log.file = Path("xmppd.log")
    config.modules.configs["uploads"] = uploads = Uploads()
    resolved(config)
    assert config.server.data_folder == Path("/etc/xmppd/data")
    assert config.hosts["example.org"].certificate == Path("/etc/xmppd/c.pem")
    assert config.hosts["example.org"].key == Path("/k.pem")
    assert config.log.file == Path("/etc/xmppd/data/xmppd.log")
    assert config.server.pid_file is None
    assert uploads == Uploads(Path("/etc/xmppd/data/uploads"), [Path("/etc/xmppd/a"), Path("/b")], ["c"])


def test_the_home_folder_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde means what it means everywhere."""
    monkeypatch.setenv("HOME", "/home/x")
    config = Config()
    config.server.data_folder = Path("~/xmppd")
    assert resolved(config).admin.socket == Path("/home/x/xmppd/xmppd.sock")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///xmppd.sqlite", "sqlite:////etc/xmppd/data/xmppd.sqlite"),
        ("sqlite:///../a.sqlite?mode=rw", "sqlite:////etc/xmppd/a.sqlite?mode=rw"),
        ("sqlite:////srv/a.sqlite", "sqlite:////srv/a.sqlite"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///file:x?uri=true", "sqlite:///file:x?uri=true"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
    ],
)
def test_database_files_are_in_the_data_folder(url: str, expected: str) -> None:
    """Databases in memory and those elsewhere are left alone."""
    assert resolved(Config(shards=[Shard(url=Url(url))])).shards[0].url == expected
