"""A server whose database is alone on a small file system, in memory, which nobody else sees and which can be filled up.

It is mounted in namespaces of the server's own, so no rights are needed where ordinary users may make them, and nothing
has to be cleaned up: it is gone with the process. Files in it are reached through `/proc`. SQLite would follow the link
there back to our own file systems, so the database is read by a program in the same namespaces.
"""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.e2e.node import PROGRAM, Node
from tests.e2e.process import Process
from tests.services import ServiceMissing

from .house import FILE, House, Rows

SIZE: Final = "24m"
FOLDER: Final = "disk"
URL: Final = f"sqlite:///{FOLDER}/{FILE}"
# in a chroot unshare cannot make mounts private; those of a new user namespace do not spread anyhow
UNSHARE: Final = ("unshare", "--map-root-user", "--mount", "--propagation", "unchanged")
MOUNT: Final = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'
REMEDY: Final = "sudo sysctl -w user.max_user_namespaces=10000"
PAGE: Final = 4096
NSENTER: Final = ("nsenter", "--user", "--mount", "--root", "--preserve-credentials", "--target")
READ: Final = """
import json, sqlite3, sys
print(json.dumps(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchall()))
"""


class Confined(Node):
    """A server that has a file system of its own below its data folder."""

    def launch(self) -> Process:
        """Start the command in its namespaces."""
        place = self.folder / "data" / FOLDER
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.chmod(0o700)
        command = (*UNSHARE, "sh", "-c", MOUNT, "sh", SIZE, place, PROGRAM, "--config", self.file)
        return Process(command, self.folder)

    @property
    def disk(self) -> Path:
        """Where it sees that file system."""
        return self.folder / "data" / FOLDER


class ConfinedFile:
    """The database on that file system."""

    url = URL

    def __init__(self, house: "SmallHouse") -> None:
        self._house = house

    def rows(self, statement: str) -> Rows:
        """Return what a question is answered with."""
        node = self._house.confined
        command = (*NSENTER, str(node.running.pid), sys.executable, "-c", READ, str(node.disk / FILE), statement)
        answer = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
        return [tuple(row) for row in json.loads(answer.stdout)]


class SmallHouse(House):
    """A server on a small disk.

    :raises ServiceMissing: there are no namespaces for us.
    """

    def __init__(self, folder: Path) -> None:
        if not _may_mount(folder):
            raise ServiceMissing("user namespaces", REMEDY)
        super().__init__(folder, [ConfinedFile(self)], Confined)

    @property
    def confined(self) -> Confined:
        """The process."""
        assert isinstance(self.node, Confined)
        return self.node

    @property
    def disk(self) -> Path:
        """Where we see its file system."""
        return Path(f"/proc/{self.node.running.pid}/root", *self.confined.disk.parts[1:])

    def fill(self) -> None:
        """Leave no room at all."""
        descriptor = os.open(self.disk / "ballast", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(descriptor, bytes(PAGE))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            os.close(descriptor)

    def empty(self) -> None:
        """Take away what filled it."""
        (self.disk / "ballast").unlink()


def _may_mount(folder: Path) -> bool:
    command = (*UNSHARE, "sh", "-c", MOUNT, "sh", SIZE, str(folder), "true")
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
