"""Pseudo-terminals, for tests that drive full-screen programs.

A chroot or a bare container may have no `/dev/pts`. Who is root there, or becomes it by a sudo that asks nothing, mounts
one that only the program to be started sees, in a mount namespace of its own; the program itself runs as the same user
as the test. Nothing changes for anybody else.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from . import ServiceMissing

SUDO = ("sudo", "--non-interactive")
# In a chroot unshare itself cannot make mounts private; what is mounted below /dev must stay within the namespace.
UNSHARE = ("unshare", "--mount", "--propagation", "unchanged")
MOUNT = """
    mount --make-private /dev && mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts &&
    user=$1 && group=$2 && shift 2 &&
    exec setpriv --reuid="$user" --regid="$group" --clear-groups "$@"
"""
OPEN_ONE = (sys.executable, "-c", "import os; os.openpty()")


def succeeds(command: Sequence[str]) -> bool:
    """Run a command; say whether it could be run and ended well."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def opening_terminals(succeeds: Callable[[Sequence[str]], bool] = succeeds) -> Sequence[str]:
    """Return what must stand before the command of a program that opens terminals; raise `ServiceMissing`."""
    private = (*UNSHARE, "sh", "-c", MOUNT, "sh", str(os.getuid()), str(os.getgid()))
    for before in ((), private, (*SUDO, *private)):
        if succeeds((*before, *OPEN_ONE)):
            return before
    raise ServiceMissing("pseudo-terminals", "sudo mount -t devpts devpts /dev/pts")
