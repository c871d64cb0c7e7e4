"""What every server under load has: files, ports, a start, an end."""

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..task import Task
from .certificate import Certificate
from .postgres import Cluster, ClusterError, binaries, cluster

STARTING = 60.0  # seconds
STOPPING = 15.0
DOMAIN = "localhost"


class StartError(Exception):
    """The server did not come up; the text has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A running server; `database` is the process of the database that was started for it, if one was."""

    pid: int
    port: int
    database: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What a server is started with.

    :ivar folder: for configuration and logs.
    :ivar data: for what it stores; a block starts on a copy of the seed.
    :ivar ports: free ports on loopback: the first is for clients, the other for what a server cannot do without.
    :ivar keeps: whether messages are kept: archived for both sides, and for whoever is away.
    :ivar cluster: the PostgreSQL of its own, for those that use one.
    """

    folder: Path
    data: Path
    ports: tuple[int, int]
    certificate: Certificate
    keeps: bool = False
    cluster: Cluster | None = None

    def database(self) -> Cluster:
        """Return the cluster of a server that uses one."""
        assert self.cluster is not None
        return self.cluster


class Server(ABC):
    """One kind of server in one configuration.

    :cvar data_format: whose data it can start on: servers of one format share their seed.
    :cvar needs: its programs, by name or by path.
    :cvar tasks: the tasks that it is compared in.
    :cvar uses_postgres: whether a PostgreSQL cluster is started for it, and counted beside it.
    """

    name: ClassVar[str]
    data_format: ClassVar[str]
    needs: ClassVar[tuple[str, ...]]
    tasks: ClassVar[frozenset[Task]] = frozenset({Task.RELAY})
    uses_postgres: ClassVar[bool] = False
    registers_over_tls: ClassVar[bool] = False
    is_python: ClassVar[bool] = False

    def installed(self) -> bool:
        """Say whether all its programs are there."""
        return all(shutil.which(program) for program in self.needs) and (not self.uses_postgres or bool(binaries()))

    @abstractmethod
    def version(self) -> str:
        """Return what runs, with all that could change a figure or the format of its data."""

    @abstractmethod
    def command(self, setting: Setting) -> list[str]:
        """Write the configuration; return the command that runs the server in the foreground."""

    def environment(self, setting: Setting) -> dict[str, str]:
        """Return what the server's environment has besides ours."""
        return {}

    @contextmanager
    def running(
        self, folder: Path, data: Path, certificate: Certificate, wrapper: Sequence[str] = (), *, keeps: bool = False
    ) -> Iterator[Instance]:
        """Run an instance.

        :param wrapper: a command that runs the server's own (a sampler, say).
        :param keeps: whether it keeps messages.
        """
        folder.mkdir(parents=True, exist_ok=True)
        data.mkdir(parents=True, exist_ok=True)
        with self._cluster(data) as database:
            setting = Setting(folder, data, free_ports(), certificate, keeps, database)
            with self._process(setting, wrapper) as process:
                yield Instance(process.pid, setting.ports[0], database.pid if database else None)

    @contextmanager
    def _cluster(self, data: Path) -> Iterator[Cluster | None]:
        """Run the database that the server uses, its data among the server's."""
        if not self.uses_postgres:
            yield None
            return
        try:
            with cluster(data / "postgres", free_ports()[0]) as found:
                yield found
        except ClusterError as error:
            raise StartError(str(error)) from error

    @contextmanager
    def _process(self, setting: Setting, wrapper: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
        """Run the server itself."""
        process = self._spawn(setting, wrapper)
        try:
            wait_for_port(process, setting.ports[0], setting.folder / "output.log")
            yield process
        finally:
            stop(process)

    def _spawn(self, setting: Setting, wrapper: Sequence[str]) -> "subprocess.Popen[bytes]":
        command = [*wrapper, *self.command(setting)]
        with (setting.folder / "output.log").open("wb") as output:
            return subprocess.Popen(
                command,
                cwd=setting.folder,
                env=os.environ | self.environment(setting),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt at the terminal is for us; we end the server ourselves
                preexec_fn=allow_many_files,
            )


def allow_many_files() -> None:
    """Raise the limit of open files as far as we may."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_ports() -> tuple[int, int]:
    """Return two ports on loopback that nobody listens on now."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def wait_for_port(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Return when the server accepts; raise `StartError` if it ends before, or takes too long."""
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        if process.poll() is not None:
            raise StartError(f"it ended with {process.returncode}: {log.read_text(errors='replace')[-1500:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise StartError(f"nothing on port {port} after {STARTING:.0f} s: {log.read_text(errors='replace')[-1500:]}")


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask the server to end; insist after a while."""
    process.terminate()
    try:
        process.wait(STOPPING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError):  # what it left behind is in the group that we made for it
        os.killpg(process.pid, signal.SIGKILL)
