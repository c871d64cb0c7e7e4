"""Programs that run beside a test: what they say is waited for, never how long they take."""

import re
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
HANG = 120.0
"""Seconds after which a wait is given up: far beyond what any machine needs, and no measure of anything."""


class Process:
    """A running program whose output is collected line by line."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str], cwd: Path | None = None) -> None:
        self.name = Path(command[0]).name
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(
            [str(each) for each in command],
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._said:
                self.lines.append(line.rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._ended = True
            self._said.notify_all()

    def says(self, pattern: str) -> re.Match[str]:
        """Wait for a line that matches `pattern`, from the first on; return the match."""
        found = self.until(lambda: next(filter(None, (re.search(pattern, line) for line in self.lines)), None))
        assert found, f"{self.name} did not say {pattern!r}, but:\n" + "\n".join(self.lines)
        return found

    def until(self, condition: Callable[[], T]) -> T:
        """Ask `condition` now and after each line, until it is true, or the program ends; return its last answer."""
        with self._said:
            self._said.wait_for(lambda: condition() or self._ended, HANG)
            return condition()

    def ends(self, given: str = "") -> int:
        """Give it its last input, wait for its end and return its exit code."""
        assert self._process.stdin
        self._process.stdin.write(given)
        self._process.stdin.close()
        code = self._process.wait(HANG)
        self._reader.join(HANG)
        return code

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and return its exit code; kill it if it hangs."""
        self._process.terminate()
        try:
            return self._process.wait(HANG)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        finally:
            self._reader.join(HANG)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
