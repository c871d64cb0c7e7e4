"""What happens to files, as the kernel tells it (inotify): a wait for a file is woken by it, and never looks in vain."""

import ctypes
import errno
import os
from pathlib import Path
from types import TracebackType
from typing import Self

MODIFIED, MOVED_FROM, MOVED_TO, CREATED, DELETED = 0x2, 0x40, 0x80, 0x100, 0x200
ONLY_FOLDERS = 0x1000000
WATCHED = MODIFIED | MOVED_FROM | MOVED_TO | CREATED | DELETED | ONLY_FOLDERS


class Changes:
    """The changes below a folder, since it was last asked.

    Its descriptor is readable when there are any.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._called(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def forget(self) -> None:
        """Forget what has changed, and watch folders that are new, too; whoever calls looks at the files afterwards."""
        try:
            while os.read(self._descriptor, 65_536):
                pass
        except BlockingIOError:
            pass
        for folder, _, _ in os.walk(self._folder):
            self._called(self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), WATCHED))

    def _called(self, result: int) -> int:
        code = ctypes.get_errno()
        if result < 0 and code not in (errno.ENOENT, errno.ENOTDIR):  # a folder that is gone needs no watch
            raise OSError(code, os.strerror(code))
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
