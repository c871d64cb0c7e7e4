"""Logs on every kind of deployment."""

from collections.abc import Iterator

import pytest

from tests.storage.deployments import Deployment

from .logs import Fixture


@pytest.fixture
def fixture(deployment: Deployment) -> Iterator[Fixture]:
    """A log on a fresh deployment of each kind."""
    made = Fixture(deployment)
    yield made
    made.run(made.log.close())
