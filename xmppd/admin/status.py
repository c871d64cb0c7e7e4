"""`status`: how the server is, at a glance."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..core.clock import Clock
from ..core.commands import Fields, command
from ..core.host import Hosts
from ..core.results import moment
from ..core.sessions import Sessions


@dataclass(slots=True)
class StatusCommands:
    """The node as a whole.

    :ivar started: when it started, by the clock.
    :ivar modules: the modules that run, by name, live.
    """

    node: str
    clock: Clock
    started: float
    hosts: Hosts
    sessions: Sessions
    modules: Mapping[str, object]

    @command("status")
    async def show(self) -> Fields:
        """Show how the server is."""
        values = {
            "version": __version__,
            "node": self.node,
            "process": os.getpid(),
            "started": moment(self.started),
            "uptime": round(self.clock.seconds() - self.started, 1),
            "hosts": [host.name for host in self.hosts.all()],
            "accounts_online": self.sessions.accounts(),
            "sessions": len(self.sessions),
            "memory": resident_bytes(),
            "open_files": open_files(),
            "modules": sorted(self.modules),
        }
        return Fields(values, units={"uptime": "s", "memory": "B"})


def resident_bytes() -> int | None:
    """Return how much memory the process has, in bytes; None where the system does not tell."""
    with suppress(OSError, IndexError, ValueError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


def open_files() -> int | None:
    """Return how many file descriptors the process has open; None where the system does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        with suppress(OSError):
            return len(os.listdir(folder)) - 1  # noqa: PTH208  # the listing itself has one open
    return None
