"""One process of our server."""

import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from xmppd.cli.client import Client as Administrator

from .process import Process
from .settings import Options, Tables, written

PROGRAM = Path(sys.executable).parent / "xmppd"
LISTENS = re.compile(r" server: listens on (\S+) port (\d+): ")


class Place(NamedTuple):
    """Where to connect to."""

    address: str
    port: int


class Node:
    """A server with a folder of its own, started by its installed command.

    :param listeners: the listeners by the role that tests ask for; they bind ports that are free.
    :ivar tables: its configuration; change it and `write` it.
    """

    def __init__(self, folder: Path, tables: Tables, listeners: dict[str, Options]) -> None:
        self.folder = folder
        self.file = folder / "xmppd.toml"
        self.log_file = folder / "data" / "xmppd.log"
        self.roles = list(listeners)
        self.tables: Tables = {
            "server": {"data_folder": "data", "ready_file": "ready", "pid_file": "xmppd.pid"},
            "listeners": [{"address": "127.0.0.1", "port": 0} | options for options in listeners.values()],
            "log": {"file": "xmppd.log"},
            **tables,
        }
        self.write()
        self.process: Process | None = None
        self._places: dict[str, Place] = {}
        self._begun = 0

    def write(self) -> None:
        """Write the configuration."""
        self.file.write_text(written(self.tables))

    def start(self) -> None:
        """Start it; return when it is ready."""
        self._begun = len(self.log())
        self.process = self.launch()
        ready = self.folder / "data" / "ready"
        # what a server that was killed has left is gone before the new one tells its process id
        self.process.until(lambda: self._pid() == self.running.pid and ready.exists(), "it was ready")
        found = LISTENS.findall(self.log()[self._begun :])
        self._places = {
            role: Place(address, int(port)) for role, (address, port) in zip(self.roles, found, strict=True)
        }

    def launch(self) -> Process:
        """Start the command and wait for nothing."""
        return Process((PROGRAM, "--config", self.file), self.folder)

    @property
    def running(self) -> Process:
        """The process."""
        assert self.process is not None, "it was not started"
        return self.process

    def place(self, role: str) -> Place:
        """Return where a listener is."""
        return self._places[role]

    def log(self) -> str:
        """Return what it has logged, in all of its lives."""
        return self.log_file.read_text("utf-8") if self.log_file.exists() else ""

    def logs(self, pattern: str, since: int = 0) -> None:
        """Wait until the log says something that matches `pattern`, behind the first `since` characters."""
        self.running.until(lambda: re.search(pattern, self.log()[since:]) is not None, f"it logged {pattern!r}")

    def admin(self, *words: str, **arguments: Any) -> dict[str, Any]:
        """Run a command of `xmppctl` through the administration socket; return its result."""
        with Administrator(self.folder / "data" / "xmppd.sock") as administrator:
            return administrator.run(words, arguments, _no_rows)

    def _pid(self) -> int | None:
        file = self.folder / "data" / "xmppd.pid"
        return int(file.read_text()) if file.exists() else None


def _no_rows(row: dict[str, Any]) -> None:
    raise AssertionError(f"{row} was not asked for")
