"""The administration socket: a Unix socket that only the server's own user and root can open, if not told otherwise.

The file's mode (0600) keeps others out, and on Linux the kernel's word on who has connected is checked as well. Where
the configuration opens the socket to a group, the mode alone decides. A lock
file beside the socket says whether a server lives there: a socket without a locked lock file is a dead server's and is
replaced; a locked one ends the start with `AlreadyRunning`. The new socket gets its mode before it gets its name.
"""

import fcntl
import os
import socket
import stat
import struct
from asyncio import AbstractEventLoop, Server, ensure_future
from contextlib import suppress
from pathlib import Path
from typing import Final

from twisted.internet.defer import Deferred

from ..core.administration import Administration
from .connection import Connection

OWNER_ONLY: Final = 0o600
BACKLOG: Final = 16
MOST_CONNECTIONS: Final = 32
LONGEST_PATH: Final = 100
"""Bytes of a socket's path; the kernels' own limits are between 103 and 107."""


class AlreadyRunning(Exception):
    """Another server has this administration socket."""


class AdminSocket:
    """Listens for `xmppctl`.

    :param path: where the socket is made; its directory exists and is the server's own.
    :param loop: the event loop under the reactor.
    :param mode: its permissions; who can write to it is an administrator.
    """

    def __init__(
        self, path: Path, administration: Administration, loop: AbstractEventLoop, mode: int = OWNER_ONLY
    ) -> None:
        self.path = path
        self._mode = mode
        self._trusts = is_own if mode & 0o077 == 0 else anybody
        self._administration = administration
        self._loop = loop
        self._server: Server | None = None
        self._lock: int | None = None
        self._connections: set[Connection] = set()

    async def start(self) -> None:
        """Make the socket and listen.

        :raises AlreadyRunning: another server listens there.
        :raises OSError: the path cannot be used.
        """
        self._lock = _lock(self.path)
        try:
            listening = _bind(self.path, self._mode)
            made = self._loop.create_unix_server(self._connection, sock=listening, backlog=BACKLOG)
            self._server = await Deferred.fromFuture(ensure_future(made, loop=self._loop))
        except BaseException:
            self._unlock()
            raise

    def stop(self) -> None:
        """Close the socket and every connection, ending what they run."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self._connections):
            connection.close()
        self.path.unlink(missing_ok=True)
        self._unlock()

    def _connection(self) -> Connection:
        may_stay = len(self._connections) < MOST_CONNECTIONS
        connection = Connection(self._administration, self._connections.discard, self._trusts if may_stay else None)
        self._connections.add(connection)
        return connection

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def anybody(peer: socket.socket) -> bool:
    """Trust whoever the file's mode has let in."""
    return True


def is_own(peer: socket.socket) -> bool:
    """Say whether the process at the other end is root's or our own user's; True where the kernel does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    credentials = peer.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user in (0, os.geteuid())


def _lock(path: Path) -> int:
    """Take the lock beside the socket; it falls when the process ends, however it ends."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise OSError(f"{path}: a socket's path has at most {LONGEST_PATH} bytes")
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise AlreadyRunning(f"another server has the administration socket {path}") from None
    return lock


def _bind(path: Path, mode: int) -> socket.socket:
    """Return a socket of that name which nobody else could open at any time."""
    _refuse_other_files(path)
    born = path.with_name(f"{path.name}.new")
    born.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(born))
        born.chmod(mode)
        made.listen(BACKLOG)
        made.setblocking(False)
        born.rename(path)
    except BaseException:
        made.close()
        born.unlink(missing_ok=True)
        raise
    return made


def _refuse_other_files(path: Path) -> None:
    """Raise `OSError` if the name belongs to something that is no socket: we replace nothing else."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(f"{path} exists and is no socket")
