"""Romeo and Juliet, what he has said to her, and the databases that the store of preferences is tested on."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from tests.storage.conftest import deployment, postgres, postgres_urls, templates

from .archive import CHAMBER, JULIET, ORCHARD, ask, numbered, says

__all__ = ["deployment", "postgres", "postgres_urls", "templates"]


@pytest.fixture
def juliet(server: Server) -> Client:
    return server.online(CHAMBER)


@pytest.fixture
def romeo(server: Server, juliet: Client) -> Client:
    return server.online(ORCHARD)


@pytest.fixture
def ten(juliet: Client, romeo: Client) -> list[str]:
    """Ten messages that Romeo has sent to Juliet; their ids in her archive."""
    says(romeo, JULIET, *numbered(10))
    return ask(juliet).ids
