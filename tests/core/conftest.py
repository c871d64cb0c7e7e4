"""What tests of the core share."""

import pytest

from tests.core.logins import Notes
from tests.scenario.server import Server


@pytest.fixture
def notes(server: Server) -> Notes:
    """What the server's handlers were told of logins."""
    notes = Notes()
    server.node.hooks.bind("notes", notes)
    return notes
