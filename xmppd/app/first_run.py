"""The first run: an empty folder becomes a server that a newcomer can log in to.

`fill` makes what is missing and changes nothing that is there. The accounts are made by whoever has the account store;
until that has called `finish`, each further run asks for them again, so that a run that was interrupted half-way is
made good by the next one.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..config.problems import ConfigError, Problem
from ..config.toml import literal
from ..core.accounts import Role

HOST: Final = "localhost"
CONFIG: Final = "xmppd.toml"
CERTIFICATE: Final = "localhost.crt"
KEY: Final = "localhost.key"

MakeCertificate = Callable[[str, Path, Path], None]
"""Makes a self-signed certificate for a host and writes it and its key to two files that are not there yet."""

_UNFINISHED: Final = "first-run"  # there until the accounts are made
_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aeiou"

_TEXT: Final = """\
# The configuration that the first run made. What the server writes is kept beside this file; to start anew, stop the
# server and remove the folder. Every other option, with its default and meaning, is in conf/xmppd.toml.

[server]
data_folder = "."

# A domain whose accounts live here. The certificate is self-signed: clients ask whether to trust it.
[hosts.localhost]
certificate = {certificate}
key = {key}

# Clients, by STARTTLS. Only this machine can connect; write address = "*" to let others in.
[[listeners]]
kind = "c2s"
tls = "starttls"
address = "127.0.0.1"
port = 5222

# Clients, by TLS from the first byte.
[[listeners]]
kind = "c2s"
tls = "direct"
address = "127.0.0.1"
port = 5223

# Browsers, metrics and health.
[[listeners]]
kind = "http"
address = "127.0.0.1"
port = 5280

# One file holds everything.
[[shards]]
url = "sqlite:///xmppd.sqlite"

# The log is a file beside this one; warnings and errors are shown on the terminal, too.
[log]
level = "info"
file = "xmppd.log"
terminal = "warn"
"""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to make if it does not exist.

    :ivar jid: its bare JID.
    """

    jid: str
    password: str
    role: Role

    def __repr__(self) -> str:
        return f"NewAccount({self.jid}, {self.role})"  # without the password: this may end in a log


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What `fill` found or made.

    :ivar config: the configuration file.
    :ivar accounts: the accounts to make; none if an earlier run has made them.
    """

    config: Path
    accounts: tuple[NewAccount, ...]


def fill(folder: Path, make_certificate: MakeCertificate) -> FirstRun:
    """Make what a folder lacks to be served from: itself, a certificate and a configuration.

    :raises ConfigError: the folder cannot be used; one line says why and what to do.
    """
    config = folder / CONFIG
    try:
        if not config.exists():
            _make_private(folder)
            _make_certificate(folder, make_certificate)
            _write(folder / _UNFINISHED, "The accounts of the first run are not made yet.\n")
            _write(config, _TEXT.format(certificate=literal(CERTIFICATE), key=literal(KEY)))
        is_finished = not (folder / _UNFINISHED).exists()
    except OSError as error:
        raise ConfigError([Problem(str(folder), (), _remedy(error))]) from error
    return FirstRun(config, () if is_finished else _new_accounts())


def finish(folder: Path) -> None:
    """Note that the accounts are made, so that no further run asks for them; harmless if that is noted already."""
    (folder / _UNFINISHED).unlink(missing_ok=True)


def readable_password() -> str:
    """Return a new password that is easy to type: twelve syllables in four groups, 75 bits."""
    groups = ("".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(3)) for _ in range(4))
    return "-".join(groups)


def _new_accounts() -> tuple[NewAccount, ...]:
    return (
        NewAccount(f"admin@{HOST}", readable_password(), Role.ADMIN),
        NewAccount(f"alice@{HOST}", readable_password(), Role.USER),
    )


def _make_private(folder: Path) -> None:
    """Make the folder if it is not there, and let nobody but its owner in."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _make_certificate(folder: Path, make_certificate: MakeCertificate) -> None:
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not (certificate.exists() and key.exists()):
        make_certificate(HOST, certificate, key)


def _write(file: Path, text: str) -> None:
    """Write a file as a whole, readable for its owner alone: an interrupted run leaves none or all of it."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    draft.replace(file)


def _remedy(error: OSError) -> str:
    """Say why the folder cannot be used and what to do."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"cannot be filled: {error.filename or error}: remove what is in the way, or name another folder"
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return f"cannot be filled: {reason}: let your user write there, or name another folder"
    return f"cannot be filled: {reason}: name another folder"
