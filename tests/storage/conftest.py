"""The databases that storage tests run on. Where PostgreSQL is missing, its tests are listed as not run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.services.postgres import TmpPostgres
from xmppd.storage.database import Database
from xmppd.storage.jobs import Limits
from xmppd.storage.migrate import migrate

from .deployments import INLINE, Deployment, open_deployment

KINDS = ("memory", "file", "postgres", "two postgres shards")


@pytest.fixture(scope="session")
def postgres() -> Iterator[TmpPostgres]:
    """One server for all tests."""
    with TmpPostgres() as server:
        yield server


@pytest.fixture(scope="session")
def templates(postgres: TmpPostgres) -> dict[int, list[str]]:
    """Migrated databases to copy from: the shards of deployments of one and of two."""
    return {count: _migrated(postgres, count) for count in (1, 2)}


def _migrated(postgres: TmpPostgres, count: int) -> list[str]:
    names = [postgres.create_database() for _ in range(count)]
    migrate([Database(postgres.url(name), print, INLINE) for name in names])
    return names


@pytest.fixture
def postgres_urls(postgres: TmpPostgres, templates: dict[int, list[str]]) -> Iterator[Callable[[int], list[str]]]:
    """Make the databases of a fresh deployment of so many shards; return their URLs."""
    made: list[str] = []

    def make(count: int) -> list[str]:
        names = [postgres.create_database(template) for template in templates[count]]
        made.extend(names)
        return [postgres.url(name, tcp=True) for name in names]

    yield make
    for name in made:
        postgres.drop_database(name)


@pytest.fixture(params=KINDS)
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """A fresh deployment of each kind."""
    limits = INLINE if request.param == "memory" else Limits(threads=2)
    opened = open_deployment(_urls(request, tmp_path), limits)
    yield opened
    opened.run(opened.shards.close())


def _urls(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    if request.param == "memory":
        return ["sqlite://"]
    if request.param == "file":
        return [f"sqlite:///{tmp_path}/xmppd.db"]
    make: Callable[[int], list[str]] = request.getfixturevalue("postgres_urls")
    return make(2 if request.param.startswith("two") else 1)
