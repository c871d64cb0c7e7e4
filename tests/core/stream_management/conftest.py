"""Juliet and Romeo, both available; neither counts anything yet."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server

from .clients import JULIET, ROMEO


@pytest.fixture
def juliet(server: Server) -> Client:
    return server.online(JULIET)


@pytest.fixture
def romeo(server: Server) -> Client:
    return server.online(ROMEO)
