"""The terminal that the live chats are driven with, tried with programs that do nothing but echo."""

from pathlib import Path

import pytest

from tests.services.debian import Program

from .processes import Process
from .terminal import Tmux

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def test_what_is_typed_is_shown(tmux: Tmux) -> None:
    """A line that was typed reaches the program, and what the program writes is seen."""
    terminal = tmux.open("echo", Program(Path("/bin/cat")), {})

    terminal.types("-l ünd 'quotes'; $HOME")

    terminal.shows(r"^-l ünd 'quotes'; \$HOME\n-l ünd 'quotes'; \$HOME\n")
    terminal.close()


def test_program_that_ends_is_noticed(tmux: Tmux) -> None:
    """A wait ends with the program: nobody waits for what cannot come any more."""
    terminal = tmux.open("reader", Program(Path("/bin/cat")), {})
    terminal.types("last words")
    terminal.shows("last words")
    tmux.run("send-keys", "-t", "reader", "C-d")

    with pytest.raises(AssertionError):
        terminal.shows("never written")
    terminal.close()


def test_lines_are_waited_for() -> None:
    """A process is heard line by line, from its first line on."""
    talking = Process(("/bin/sh", "-c", "echo one; read word; echo got $word"), ENVIRONMENT)

    talking.says("one")
    assert talking.ends("two\n") == 0
    assert talking.says("got (.*)").group(1) == "two"


def test_process_that_ends_without_a_word_is_noticed() -> None:
    """A line that does not come before the end fails with what was said instead."""
    silent = Process(("/bin/sh", "-c", "echo something else"), ENVIRONMENT)

    with pytest.raises(AssertionError, match="something else"):
        silent.says("the word")
    silent.ends()
