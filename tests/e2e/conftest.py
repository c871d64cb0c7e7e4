"""The stage: deployments that live as long as the session, a loop for each test, and the log of what failed."""

import asyncio
import inspect
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from .cast import Cast
from .deployment import DEPLOYMENTS, Deployment, Single, trust
from .node import Node
from .process import HANG

NODES = pytest.StashKey[list[Node]]()
BEGUN = pytest.StashKey[dict[Node, int]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NODES] = []


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine on its loop; the guard is for hangs and measures nothing."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}

    async def guarded() -> None:
        async with asyncio.timeout(HANG):
            await pyfuncitem.obj(**arguments)

    pyfuncitem.funcargs["runner"].run(guarded())
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    item.stash[BEGUN] = {node: len(node.log()) for node in item.config.stash[NODES]}
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach to a failure what each server has logged meanwhile."""
    report = yield
    if report.failed:
        begun = item.stash.get(BEGUN, {})
        for node in item.config.stash[NODES]:
            report.sections.append((f"log of {node.folder.name}", node.log()[begun.get(node, 0) :]))
    return report


@pytest.fixture(autouse=True)
def runner() -> Iterator[asyncio.Runner]:
    """The loop of one test."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session", params=DEPLOYMENTS)
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A running service that all tests share; each test with its own accounts."""
    made: Deployment = DEPLOYMENTS[request.param](tmp_path_factory.mktemp(request.param))
    request.config.stash[NODES].extend(made.nodes)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def trusted(deployment: Deployment) -> Any:
    """What clients trust: one context for all, as each costs tens of milliseconds."""
    return trust(deployment.folder)


@pytest.fixture
def cast(deployment: Deployment, trusted: Any, runner: asyncio.Runner) -> Iterator[Cast]:
    """The people of this test."""
    people = Cast(deployment, trusted)
    yield people
    runner.run(_leave(people))


async def _leave(people: Cast) -> None:
    async with asyncio.timeout(HANG):
        await people.leaves()


@pytest.fixture
def own(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Single]:
    """A service for this test alone, to be stopped and killed; it is not started yet."""
    made = Single(tmp_path)
    request.config.stash[NODES].append(made.nodes[0])
    yield made
    process = made.nodes[0].process
    if process is not None and process.is_running:
        process.kill()
    request.config.stash[NODES].remove(made.nodes[0])


@pytest.fixture
def own_cast(own: Single, runner: asyncio.Runner) -> Iterator[Cast]:
    """The people of a service for this test alone, which is running."""
    own.start()
    people = Cast(own, trust(own.folder))
    yield people
    runner.run(_leave(people))
