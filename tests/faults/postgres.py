"""A PostgreSQL that can be killed outright, frozen and thawed; it writes to disk as a real one does."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.services.postgres import TmpPostgres


class Mortal(TmpPostgres):
    """A durable server that comes to harm. All of its processes are its postmaster and that one's children."""

    def __init__(self) -> None:
        super().__init__(durable=True)

    def kill(self) -> None:
        """End all of its processes at once, as if the machine had gone (SIGKILL); `start` recovers."""
        self._tell(signal.SIGKILL)
        server, self._server = self._server, None
        assert server is not None, "it runs"
        server.wait()
        for process in self._left():
            _signal(process, signal.SIGKILL)

    def freeze(self) -> None:
        """Stop all of its processes in the middle of whatever they do."""
        self._tell(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._tell(signal.SIGCONT)

    def stop(self) -> None:
        """End the server, frozen or not, and remove its data."""
        if self._server is not None and self._server.poll() is None:
            self.thaw()
        super().stop()

    def make_read_only(self, database: str, *, is_read_only: bool) -> None:
        """Let every session from now on read only, or not, and end those that are open."""
        self.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = {is_read_only}")
        others = f"datname = '{database}' AND pid <> pg_backend_pid()"
        self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")

    def stall_commits(self, *, stalls: bool) -> None:
        """Let every commit wait for a standby that does not exist, or let them go: till then nobody sees the rows."""
        self.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{'nobody' if stalls else ''}'")
        self.execute("SELECT pg_reload_conf()")

    def waiting(self, what: str) -> int:
        """Return how many backends wait for something: a name or a type of `pg_stat_activity`'s wait events."""
        (found,) = self.execute(
            f"SELECT count(*) FROM pg_stat_activity WHERE '{what}' IN (wait_event, wait_event_type)"
        )
        return int(str(found[0]))

    def _tell(self, number: signal.Signals) -> None:
        """Signal the postmaster, which then starts nobody, and everybody it has started."""
        os.kill(self.pid, number)
        for child in _children(self.pid):
            _signal(child, number)

    def _left(self) -> list[int]:
        """Return processes that came into being while the others were killed: they work in the folder of the data."""
        data = self.folder / "data"
        return [process for process in _processes() if _folder_of(process) == data]


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has just ended
        os.kill(process, number)


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _children(parent: int) -> list[int]:
    """Return the processes that a process has started and that run."""
    return [process for process in _processes() if _parent_of(process) == parent]


def _parent_of(process: int) -> int | None:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None  # it has just ended
    return int(stat.rpartition(")")[2].split()[1])


def _folder_of(process: int) -> Path | None:
    try:
        return Path(f"/proc/{process}/cwd").readlink()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
