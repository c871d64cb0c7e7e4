"""`status`: how the server is."""

import os
from datetime import UTC, datetime

from xmppd import __version__
from xmppd.admin.status import open_files, resident_bytes

from .office import Office


def test_status(office: Office) -> None:
    """The server tells its version, age, hosts and sessions."""
    office.server.connect("romeo@montague.example/orchard")
    office.server.connect("romeo@montague.example/home")
    office.server.advance(90)
    values = office.values("status")
    assert (values["version"], values["node"], values["process"]) == (__version__, "node1", os.getpid())
    assert values["started"] == datetime(2010, 5, 31, 12, tzinfo=UTC)
    assert values["uptime"] == 90
    assert (values["accounts_online"], values["sessions"]) == (1, 2)
    assert values["hosts"] == ["montague.example", "capulet.example", "shakespeare.example"]
    assert "ping" in values["modules"]


def test_units(office: Office) -> None:
    """Numbers with units say so, for those who read them."""
    assert office.run("status").units == {"uptime": "s", "memory": "B"}


def test_resources() -> None:
    """Memory and open files are what the system says, if it says it."""
    assert (resident_bytes() or 1 << 21) > 1 << 20
    assert (open_files() or 3) >= 3
