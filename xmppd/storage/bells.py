"""Bells: what wakes a thread that has nothing to do.

Waking and waiting cost more than a small query, and they cost most when ringer and sleeper want the interpreter at the
same time. A lock is let go of while the ringer keeps the interpreter: the sleeper wakes, finds the interpreter taken,
sleeps again and is woken twice. That is right where the ringer has other things to do (`LockBell`). Where the ringer is
about to wait for the sleeper it is wrong: the sleeper begins late, on a busy machine later than the ringer waits. A
write to a pipe lets go of the interpreter (`PipeBell`).
"""

import os
from threading import Lock
from typing import Protocol


class Bell(Protocol):
    """What wakes one thread."""

    def wait(self) -> None:
        """Return when the bell is rung, or at once if that was before."""

    def ring(self) -> None:
        """Let `wait` return; once for each."""

    def close(self) -> None:
        """Free what there is to free; nobody waits or rings any more."""


class LockBell:
    """A bell whose ringer goes on: who is woken gets the interpreter later."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def wait(self) -> None:
        self._lock.acquire()

    def ring(self) -> None:
        self._lock.release()

    def close(self) -> None: ...


class PipeBell:
    """A bell whose ringer lets go of the interpreter, so that who is woken has it at once."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def wait(self) -> None:
        os.read(self._reading, 1)

    def ring(self) -> None:
        os.write(self._writing, b"!")

    def close(self) -> None:
        os.close(self._reading)
        os.close(self._writing)
