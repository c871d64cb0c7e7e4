"""A PostgreSQL cluster for one server under load: its own, on loopback, and as durable as one that people rely on.

The data are in a folder that can be copied while the cluster is down, so a seed is such a folder. PostgreSQL refuses to
run as root; as root it is therefore run as the user of Debian's packages, who then owns that folder.
"""

import os
import pwd
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "bench"
OWNER = "postgres"
PASSWORD = "bench.password"  # the file in the folder that has it
STARTING = 60.0  # seconds
STOPPING = 60.0  # seconds; a shutdown writes a checkpoint

# what is not PostgreSQL's own default is said here; durable as it comes, but nobody may switch that off unseen
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
    "max_connections": "100",
}


class ClusterError(Exception):
    """The database did not come up, or refused what a server needs; the text has the end of what it said."""


def binaries() -> Path | None:
    """Return the folder of the newest installed version's programs, or None."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(found, key=lambda path: float(path.parent.name), default=None)


def identity() -> dict[str, Any]:
    """Return the options of `subprocess` for whoever runs the cluster: us, unless we are root."""
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam(OWNER)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


class Cluster:
    """A running cluster.

    :ivar port: of loopback.
    :ivar pid: of its first process; the others are that one's children.
    :ivar password: of its only user, `USER`, who may do everything.
    """

    host = "127.0.0.1"

    def __init__(self, folder: Path, port: int) -> None:
        programs = binaries()
        assert programs is not None
        self._programs = programs
        self._folder = folder
        self.port = port
        self.pid = 0
        self.password = ""

    def version(self) -> str:
        """Return the major version."""
        return self._programs.parent.name

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://{USER}:{self.password}@{self.host}:{self.port}/{database}"

    def ensure(self, database: str, schema: Path | None = None) -> None:
        """Make a database unless there is one, with the tables of `schema` if that is given."""
        asked = f"select 1 from pg_database where datname = '{database}'"
        if self._sql("postgres", "-Atc", asked).strip():
            return
        self._sql("postgres", "-c", f"create database {database}")
        if schema is not None:
            self._sql(database, "-f", str(schema))

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the cluster, made if need be; return its first process."""
        self._own()
        if not (self._folder / "data").exists():
            self._initialise()
        self.password = (self._folder / PASSWORD).read_text()
        given = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self.port), *given],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **identity(),
            )
        self.pid = process.pid
        return process

    def is_ready(self) -> bool:
        """Ask PostgreSQL's own program whether the cluster takes connections."""
        command: Sequence[str | Path] = [self._programs / "pg_isready", "-q", "-h", self.host, "-p", str(self.port)]
        return subprocess.run(command, cwd=self._folder, check=False).returncode == 0

    def last_words(self) -> str:
        """Return the end of its log."""
        return (self._folder / "log").read_text(errors="replace")[-1500:]

    def _initialise(self) -> None:
        password = self._folder / PASSWORD
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        self._own()
        self._run(
            "initdb", "--pgdata=data", f"--username={USER}", "--auth=scram-sha-256", f"--pwfile={password}",
            "--encoding=UTF8", "--locale=C",
        )  # fmt: skip

    def _own(self) -> None:
        """Give the folder to whoever runs the cluster: a copy belongs to us."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        owner = identity()
        if owner:
            for path in (self._folder, *self._folder.rglob("*")):
                os.chown(path, owner["user"], owner["group"], follow_symlinks=False)

    def _sql(self, database: str, *arguments: str) -> str:
        url = f"postgresql://{USER}@{self.host}:{self.port}/{database}"
        return self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, url)

    def _run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs; return what it says, or raise `ClusterError`."""
        command: Sequence[str | Path] = [self._programs / program, *arguments]
        environment = os.environ | {"PGPASSWORD": self.password}
        answer = subprocess.run(
            command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False, **identity()
        )
        if answer.returncode:
            raise ClusterError(f"{program} failed: {answer.stderr[-1500:]}")
        return str(answer.stdout)


def wait(process: "subprocess.Popen[bytes]", cluster: Cluster) -> None:
    """Return when the cluster takes connections; raise `ClusterError` if it ends before, or takes too long."""
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ClusterError(f"PostgreSQL ended with {process.returncode}: {cluster.last_words()}")
        if cluster.is_ready():
            return
        time.sleep(0.1)
    raise ClusterError(f"PostgreSQL does not answer after {STARTING:.0f} s: {cluster.last_words()}")


@contextmanager
def cluster(folder: Path, port: int) -> Iterator[Cluster]:
    """Run the cluster whose data are in `folder`, and end it in order, so that the folder can be copied.

    :raises ClusterError: it does not come up.
    """
    found = Cluster(folder, port)
    process = found.start()
    try:
        wait(process, found)
        yield found
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Cut clients off and write everything; insist after a while."""
    process.send_signal(signal.SIGINT)  # "fast shutdown"; SIGTERM would wait for clients
    try:
        process.wait(STOPPING)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)  # "immediate shutdown": its children go with it
        process.wait()
