"""A person at a terminal: types into a full-screen program and reads what it shows.

The terminal is a tmux of our own: its socket, its configuration and its windows belong to one test. tmux's control mode
tells when the program has written something; the screen is looked at then, so nothing is polled and nothing sleeps.
"""

import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.services.debian import Program
from tests.services.terminals import opening_terminals

from .processes import HANG

COLUMNS, ROWS = 200, 50  # wide enough that no line of a client wraps


class Tmux:
    """A tmux server without a user, which ends with the test."""

    def __init__(self, program: Program) -> None:
        self._before = opening_terminals()
        # A socket's path has at most 107 bytes: pytest's own folders are too deep for it.
        self._folder = Path(tempfile.mkdtemp(prefix="tmux."))
        self._program = program
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C.UTF-8",
            "TERM": "screen",
            "HOME": str(self._folder),
            **program.environment,
        }

    def command(self, *words: str) -> Sequence[str]:
        """Return one of tmux's commands as it is run from outside."""
        return (str(self._program.path), "-f", "/dev/null", "-S", str(self._folder / "socket"), *words)

    def run(self, *words: str, before: Sequence[str] = ()) -> str:
        """Run one of tmux's commands; return what it printed."""
        # env, because sudo may stand before it and drops what the environment says.
        settings = ("env", *(f"{key}={value}" for key, value in self.environment.items()))
        command = (*before, *settings, *self.command(*words))
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG)
        assert done.returncode == 0, f"tmux {words}: {done.stderr}"
        return done.stdout

    def open(self, name: str, program: Program, environment: Mapping[str, str]) -> "Terminal":
        """Start a program in a terminal of its own."""
        settings = {**self.environment, **program.environment, **environment}
        settings = [word for key, value in settings.items() for word in ("-e", f"{key}={value}")]
        size = ("-x", str(COLUMNS), "-y", str(ROWS))
        self.run("new-session", "-d", "-s", name, *size, *settings, str(program.path), before=self._before)
        return Terminal(self, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if (self._folder / "socket").exists():
            subprocess.run(self.command("kill-server"), env=self.environment, capture_output=True, check=False)
        shutil.rmtree(self._folder)


class Terminal:
    """One program's screen and keyboard."""

    def __init__(self, tmux: Tmux, name: str) -> None:
        self._tmux = tmux
        self._name = name
        # Its size is not ours to change: a control client would shrink the screen to its own.
        attach = ("-C", "attach-session", "-f", "ignore-size,read-only", "-t", name)
        self._changes = subprocess.Popen(
            tmux.command(*attach), env=tmux.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def types(self, text: str) -> None:
        """Type a line and press Enter."""
        self._tmux.run("send-keys", "-t", self._name, "-l", "--", text)
        self._tmux.run("send-keys", "-t", self._name, "Enter")

    def screen(self) -> str:
        """Return what is to be read now."""
        return self._tmux.run("capture-pane", "-t", self._name, "-p", "-J")

    def shows(self, pattern: str) -> re.Match[str]:
        """Wait until the screen matches `pattern`; return the match."""
        give_up = time.monotonic() + HANG
        while not (found := re.search(pattern, screen := self.screen())):
            left = give_up - time.monotonic()
            assert left > 0 and self._changed(left), f"{self._name} does not see {pattern!r}, but:\n{screen}"
        return found

    def _changed(self, left: float) -> bool:
        """Wait until the program has written something; say whether it still runs and did so in time."""
        assert self._changes.stdout
        descriptor = self._changes.stdout.fileno()
        ready, _, _ = select.select([descriptor], [], [], left)
        return bool(ready and os.read(descriptor, 1 << 16))

    def close(self) -> None:
        """End the watching; the program itself ends with its tmux."""
        assert self._changes.stdin and self._changes.stdout
        self._changes.stdin.close()
        self._changes.wait(HANG)
        self._changes.stdout.close()
