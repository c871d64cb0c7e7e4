"""XEP-0092: Software Version."""

from typing import Any

import pytest

import xmppd
from tests.scenario.server import Server

ASK = "<iq type='get' to='montague.example' id='version_1'><query xmlns='jabber:iq:version'/></iq>"


@pytest.mark.parametrize(
    ("options", "inner"),
    [
        ({}, f"<name>xmppd</name><version>{xmppd.__version__}</version>"),
        ({"show_version": False}, "<name>xmppd</name><version>unknown</version>"),
        ({"os": "Debian"}, f"<name>xmppd</name><version>{xmppd.__version__}</version><os>Debian</os>"),
    ],
)
def test_protocol(options: dict[str, Any], inner: str) -> None:
    """Protocol: name and version are required; the operating system is told only if the administrator wants it."""
    server = Server(modules={"version": options})
    romeo = server.connect("romeo@montague.example/orchard")
    romeo.sends(ASK)
    romeo.receives(
        "<iq type='result' to='romeo@montague.example/orchard' from='montague.example' id='version_1'>"
        f"<query xmlns='jabber:iq:version'>{inner}</query></iq>"
    )


def test_the_servers_own_name(server: Server) -> None:
    """Protocol: the name is what the configuration calls the server, as of now."""
    server.node.config.server.name = "The Globe"
    romeo = server.connect("romeo@montague.example/orchard")
    romeo.sends(ASK)
    assert romeo.receives_any().findtext(".//{jabber:iq:version}name") == "The Globe"


def test_set(server: Server) -> None:
    """Nobody tells the server what version it is."""
    romeo = server.connect("romeo@montague.example/orchard")
    romeo.sends(ASK.replace("'get'", "'set'"))
    romeo.receives_error("feature-not-implemented", id="version_1")
