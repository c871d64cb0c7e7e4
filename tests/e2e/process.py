"""Programs that run beside the tests: what they do is waited for, never how long it takes."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from .changes import Changes

HANG = 120.0
"""Seconds after which a wait is given up: far beyond what any machine needs, and no measure of anything."""


def _environment() -> dict[str, str]:
    """Return what a program is to know of ours: where programs are, and whether its lines are counted."""
    counted = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **counted}


class Process:
    """A running program; what it says goes into two files of `folder`."""

    def __init__(self, command: Sequence[str | Path], folder: Path, environment: dict[str, str] | None = None) -> None:
        self._folder = folder
        self._said, self._complained = folder / "stdout", folder / "stderr"
        with self._said.open("wb") as out, self._complained.open("wb") as err:
            self._process = subprocess.Popen(
                [str(each) for each in command],
                env=_environment() | (environment or {}),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        self.pid = self._process.pid

    @property
    def stdout(self) -> str:
        """What it has said so far."""
        return self._said.read_text("utf-8")

    @property
    def stderr(self) -> str:
        """What it has complained of so far."""
        return self._complained.read_text("utf-8")

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until `condition`, which looks at files of the folder, is true; fail if the program ends before."""
        given_up = time.monotonic() + HANG
        with Changes(self._folder) as changes, ExitStack() as stack:
            if self._holds(condition, changes, what):
                return
            selector = stack.enter_context(selectors.DefaultSelector())
            selector.register(changes, selectors.EVENT_READ)
            selector.register(stack.enter_context(self._end()), selectors.EVENT_READ)
            while not self._holds(condition, changes, what):
                if not selector.select(max(0.0, given_up - time.monotonic())):
                    raise AssertionError(f"it hangs before {what}:\n{self.stderr}")

    def _holds(self, condition: Callable[[], bool], changes: Changes, what: str) -> bool:
        """Look once; what changes from now on is told."""
        changes.forget()
        was_running = self.is_running
        holds = condition()
        if not holds and not was_running:
            raise AssertionError(f"it ended with {self._process.returncode} before {what}:\n{self.stderr}")
        return holds

    @contextmanager
    def _end(self) -> Iterator[int]:
        """Yield a descriptor that is readable once the program, which runs, has ended."""
        descriptor = os.pidfd_open(self.pid)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def ends(self) -> int:
        """Wait for its end; return its exit code."""
        try:
            return self._process.wait(HANG)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it does not end:\n{self.stderr}") from None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and return its exit code."""
        self._process.terminate()
        return self.ends()

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running:
            self.kill()
