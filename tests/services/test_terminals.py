"""Where pseudo-terminals come from: the machine, or a mount that only one program sees."""

from collections.abc import Sequence

import pytest

from tests.services import ServiceMissing

from .terminals import OPEN_ONE, SUDO, opening_terminals, succeeds


def test_machine_with_terminals_needs_nothing() -> None:
    """Where a terminal can be opened, nothing stands before the program."""
    assert opening_terminals(lambda command: True) == ()


def test_root_mounts_its_own() -> None:
    """Without them, root starts the program in a mount namespace of its own."""
    before = opening_terminals(lambda command: command[0] == "unshare")

    assert before[0] == "unshare"


def test_ordinary_user_asks_sudo() -> None:
    """Who is not root does the same through sudo, and the program gets the user back."""
    tried: list[Sequence[str]] = []

    def only_sudo(command: Sequence[str]) -> bool:
        tried.append(command)
        return command[0] == SUDO[0]

    assert tuple(opening_terminals(only_sudo))[: len(SUDO)] == SUDO
    assert all(tuple(command[-len(OPEN_ONE) :]) == OPEN_ONE for command in tried)


def test_machine_without_any_names_the_remedy() -> None:
    """Where none can be had the error says what to mount."""
    with pytest.raises(ServiceMissing, match="mount -t devpts"):
        opening_terminals(lambda command: False)


def test_program_that_is_not_there_does_not_succeed() -> None:
    """A way whose program is missing is no way."""
    assert not succeeds(("/nonexistent/sudo",))
    assert not succeeds(("/bin/false",))
    assert succeeds(("/bin/true",))
