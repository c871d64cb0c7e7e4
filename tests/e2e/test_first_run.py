"""The first run: an empty folder is a server whose accounts can log in, and it stays that server."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from xmppd.app.first_run import fill
from xmppd.transport.self_signed import make_self_signed

from .node import LISTENS, PROGRAM, Place
from .process import Process
from .raw import Raw, context

ACCOUNT = re.compile(r"^  (\S+)@localhost +password (\S+) ", re.MULTILINE)


class Newcomer:
    """Somebody who has typed `xmppd --first-run`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "var"
        self._desk = folder
        clock = Clock()
        clock.advance(time.time())
        run = fill(self.folder, lambda host, certificate, key: make_self_signed(host, certificate, key, clock))
        text = re.sub(r"port = \d+", "port = 0", run.config.read_text())  # the usual ports may be somebody's
        run.config.write_text(text)
        self.process: Process | None = None
        self._begun = 0

    @property
    def log(self) -> str:
        """What the process that runs has logged."""
        return (self.folder / "xmppd.log").read_text()[self._begun :]

    def runs(self) -> dict[str, str]:
        """Start the server; return the passwords that it tells, by user."""
        file = self.folder / "xmppd.log"
        self._begun = len(file.read_text()) if file.exists() else 0
        self.process = process = Process((PROGRAM, "--first-run", self.folder), self._desk)
        process.until(lambda: "Ctrl-C stops the server." in process.stdout, "it was welcoming")
        return dict(ACCOUNT.findall(process.stdout))

    def stops(self) -> None:
        """Stop the server, which must end well."""
        assert self.process is not None
        assert self.process.stop() == 0, self.process.stderr

    async def logs_in(self, user: str, password: str) -> str:
        """Log in over TLS; return the outcome."""
        address, port = LISTENS.findall(self.log)[0]
        async with await Raw.connects(Place(address, int(port))) as raw:
            await raw.opens("localhost")
            await raw.starts_tls(context([self.folder / "localhost.crt"]), "localhost")
            await raw.opens("localhost")
            return await raw.authenticates("SCRAM-SHA-256", user, password)


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    """A folder that was filled; the accounts are still to be made."""
    newcomer = Newcomer(tmp_path)
    yield newcomer
    if newcomer.process is not None and newcomer.process.is_running:
        newcomer.process.kill()


async def test_twice(newcomer: Newcomer) -> None:
    """The first one tells two passwords that are good for ever; the second one changes nothing."""
    passwords = newcomer.runs()
    assert set(passwords) == {"admin", "alice"}
    for user, password in passwords.items():
        assert await newcomer.logs_in(user, password) == "success"
    newcomer.stops()
    assert newcomer.process.stderr == ""  # type: ignore[union-attr]  # the log is a file, and nothing was wrong

    before = {file.name: file.stat().st_mtime_ns for file in newcomer.folder.glob("*.[tck]*")}
    assert newcomer.runs() == {}
    assert "The accounts are those of earlier runs" in newcomer.process.stdout  # type: ignore[union-attr]
    assert {file.name: file.stat().st_mtime_ns for file in newcomer.folder.glob("*.[tck]*")} == before
    for user, password in passwords.items():
        assert await newcomer.logs_in(user, password) == "success"
    newcomer.stops()


async def test_interrupted(newcomer: Newcomer) -> None:
    """Killed when the accounts were made and nobody was told: the next run tells passwords that are true."""
    lost = newcomer.runs()
    newcomer.process.kill()  # type: ignore[union-attr]
    (newcomer.folder / "first-run").touch()  # as if it had died a moment earlier
    passwords = newcomer.runs()
    assert set(passwords) == {"admin", "alice"}
    for user, password in passwords.items():
        assert await newcomer.logs_in(user, password) == "success"
        assert await newcomer.logs_in(user, lost[user]) == "not-authorized"
    newcomer.stops()
    assert not (newcomer.folder / "first-run").exists()
