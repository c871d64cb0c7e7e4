"""First run: an empty folder becomes a server, and nothing that is there is touched."""

import stat
from pathlib import Path

import pytest

from xmppd.app.first_run import NewAccount, fill, finish, readable_password
from xmppd.config.check import notes
from xmppd.config.load import load
from xmppd.config.problems import ConfigError
from xmppd.config.server import Kind, Tls
from xmppd.core.accounts import Role


def make_certificate(host: str, certificate: Path, key: Path) -> None:
    """Stand in for `xmppd.transport.self_signed`: refuses to overwrite, as that does."""
    for file in (certificate, key):
        if file.exists():
            raise FileExistsError(f"{file} exists")
        file.write_text(host)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_empty_folder_becomes_a_configuration_that_can_be_loaded(tmp_path: Path) -> None:
    """localhost on the usual ports, for this machine only, with one database file in the folder."""
    folder = tmp_path / "new" / "var"
    run = fill(folder, make_certificate)

    config = load(run.config, {})
    assert run.config == folder / "xmppd.toml"
    assert list(config.hosts) == ["localhost"]
    assert [(one.kind, one.tls, one.address, one.port) for one in config.listeners] == [
        (Kind.C2S, Tls.STARTTLS, "127.0.0.1", 5222),
        (Kind.C2S, Tls.DIRECT, "127.0.0.1", 5223),
        (Kind.HTTP, Tls.NONE, "127.0.0.1", 5280),
    ]
    assert config.shards[0].url == f"sqlite:///{folder}/xmppd.sqlite"
    assert config.admin.socket == folder / "xmppd.sock"
    assert (config.log.file, config.log.terminal) == (folder / "xmppd.log", "warn")
    assert notes(config) == []


def test_nobody_else_can_look_in(tmp_path: Path) -> None:
    """The folder is private even if it was not, and so is the configuration."""
    folder = tmp_path / "var"
    folder.mkdir(mode=0o755)
    run = fill(folder, make_certificate)
    assert mode(folder) == 0o700
    assert mode(run.config) == 0o600


def test_two_accounts_are_to_be_made(tmp_path: Path) -> None:
    """An administrator and a user, with passwords of their own that do not end in a log."""
    admin, alice = fill(tmp_path / "var", make_certificate).accounts
    assert (admin.jid, admin.role) == ("admin@localhost", Role.ADMIN)
    assert (alice.jid, alice.role) == ("alice@localhost", Role.USER)
    assert admin.password != alice.password
    assert alice.password not in repr(alice)


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    """What the operator wrote stays; the accounts are not asked for again once they were made."""
    folder = tmp_path / "var"
    run = fill(folder, make_certificate)
    finish(folder)
    finish(folder)
    run.config.write_text("# mine")
    folder.chmod(0o750)

    again = fill(folder, make_certificate)
    assert (again.config, again.accounts) == (run.config, ())
    assert run.config.read_text() == "# mine"
    assert mode(folder) == 0o750


def test_an_interrupted_run_is_made_good(tmp_path: Path) -> None:
    """Accounts that were not made are asked for again; half-written files are replaced, certificates kept."""
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "localhost.crt").write_text("mine")
    (folder / "localhost.key").write_text("mine")
    (folder / "xmppd.toml.new").write_text("[serv")

    assert fill(folder, make_certificate).accounts
    assert fill(folder, make_certificate).accounts
    assert (folder / "localhost.key").read_text() == "mine"
    assert load(folder / "xmppd.toml", {}).hosts
    assert not (folder / "xmppd.toml.new").exists()


def refusal(folder: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        fill(folder, make_certificate)
    return str(raised.value)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    """Instead of the folder, above it, or half of a certificate."""
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file") == (
        f"{tmp_path}/file: cannot be filled: {tmp_path}/file: remove what is in the way, or name another folder"
    )
    assert "remove what is in the way" in refusal(tmp_path / "file" / "var")
    (tmp_path / "localhost.key").touch()
    assert "localhost.key exists: remove what is in the way" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            PermissionError(13, "Permission denied"),
            "Permission denied: let your user write there, or name another folder",
        ),
        (OSError(30, "Read-only file system"), "Read-only file system: name another folder"),
    ],
)
def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, text: str
) -> None:
    """One line with the remedy. (Raised by hand: the superuser may write everywhere.)"""

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert refusal(tmp_path / "var") == f"{tmp_path}/var: cannot be filled: {text}"


def test_passwords_are_random_and_readable() -> None:
    """Four groups of three syllables, never the same twice."""
    passwords = {readable_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(len(word) == 27 and word.count("-") == 3 and word.replace("-", "").isalpha() for word in passwords)


def test_an_account_keeps_its_password_out_of_its_repr() -> None:
    """It may be printed by a failed assertion or a traceback."""
    assert repr(NewAccount("a@b", "hush", Role.USER)) == "NewAccount(a@b, user)"
