"""What all tests share: the services that may be missing, and how that is told.

A test that needs a service asks for it through a fixture. Where the service cannot be had the fixture raises
`ServiceMissing`: the test is then listed at the end as not run, with the line that installs what it needs. The variable
XMPPD_TEST_REQUIRE turns that into a failure, for all services (`all`) or for those it names (`PostgreSQL,profanity`).
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scenario.server import Server
from tests.services import ServiceMissing
from tests.services.debian import Packages

NOT_RUN = pytest.StashKey[dict[tuple[str, str], list[str]]]()
REPOSITORY = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOT_RUN] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with _told(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _told(item):
        return (yield)


@contextmanager
def _told(item: pytest.Item) -> Iterator[None]:
    """Note a test whose service is missing as not run, unless that service is required."""
    try:
        yield
    except ServiceMissing as missing:
        required = os.environ.get("XMPPD_TEST_REQUIRE", "").split(",")
        if "all" in required or missing.service in required:
            raise
        not_run = item.config.stash[NOT_RUN]
        not_run.setdefault((missing.service, missing.remedy), []).append(item.nodeid)
        pytest.skip(str(missing))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List the tests that were not run, by the service they miss."""
    not_run = config.stash[NOT_RUN]
    if not not_run:
        return
    terminalreporter.section("not run")
    for (service, remedy), tests in sorted(not_run.items()):
        terminalreporter.line(f"{len(tests)} tests need {service}. To run them: {remedy}")
        for test in tests:
            terminalreporter.line(f"    {test}")


@pytest.fixture(scope="session")
def debian() -> Packages:
    """Where tests find the programs of Debian's packages."""
    return Packages(REPOSITORY / ".cache" / "debian")


@pytest.fixture
def server() -> Server:
    """A server in memory with the hosts of the specifications' examples."""
    return Server()
