"""A loop for each test, and houses that are gone when the test is; the rest is that of the end-to-end tests."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import (  # noqa: F401  # hooks and fixtures, which pytest finds by their names
    NODES,
    pytest_configure,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    pytest_runtest_setup,
    runner,
)

from .house import House
from .postgres import Mortal

Keeps = Callable[[House], House]


@pytest.fixture
def keeps(request: pytest.FixtureRequest) -> Iterator[Keeps]:
    """Return what has a house ended with the test, and its log shown if the test fails."""
    houses: list[House] = []

    def keep(house: House) -> House:
        houses.append(house)
        request.config.stash[NODES].append(house.node)
        return house

    yield keep
    for house in houses:
        house.ends()
        request.config.stash[NODES].remove(house.node)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Mortal]:
    """A server that all tests share; each with its own databases."""
    with Mortal() as server:
        yield server


@pytest.fixture(scope="session")
def second() -> Iterator[Mortal]:
    """Another one."""
    with Mortal() as server:
        yield server
