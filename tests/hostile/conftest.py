"""One fortress for all tests; each test with its own people. The rest is that of the end-to-end tests."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import (  # noqa: F401  # hooks and fixtures, which pytest finds by their names
    HANG,
    NODES,
    pytest_configure,
    pytest_pyfunc_call,
    pytest_runtest_makereport,
    pytest_runtest_setup,
    runner,
    trusted,
)

from .fortress import Fortress, Siege


def raised(request: pytest.FixtureRequest, fortress: Fortress) -> Iterator[Fortress]:
    """Start a fortress; it must still stand, and end well, when the tests are done with it."""
    (node,) = fortress.nodes
    request.config.stash[NODES].append(node)
    fortress.start()
    yield fortress
    assert node.running.is_running, node.running.stderr
    fortress.stop()
    request.config.stash[NODES].remove(node)


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortress]:
    """The server that all attacks are made on; what one of them breaks the next ones will notice."""
    yield from raised(request, Fortress(tmp_path_factory.mktemp("fortress")))


@pytest.fixture(scope="session")
def impatient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortress]:
    """A server that gives nobody more than a second to log in."""
    yield from raised(request, Fortress(tmp_path_factory.mktemp("impatient"), negotiation="1s"))


@pytest.fixture
def siege(deployment: Fortress, trusted: Any, runner: asyncio.Runner) -> Iterator[Siege]:  # noqa: F811
    """The people of this test. Whatever they did, somebody else can log in behind it and is served."""
    people = Siege(deployment, trusted)
    yield people
    runner.run(_still_serves(people))


async def _still_serves(people: Siege) -> None:
    async with asyncio.timeout(HANG):
        survivor = await people.session("horatio")
        await survivor.pings("capulet.example")
        await people.leaves()
