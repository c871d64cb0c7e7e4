"""XEP-0202: Entity Time."""

import pytest

from tests.scenario.server import Server


@pytest.mark.parametrize(("later", "utc"), [(0.0, "2010-05-31T12:00:00Z"), (1.25, "2010-05-31T12:00:01.25Z")])
def test_query(server: Server, later: float, utc: str) -> None:
    """Protocol Definition: the offset of the server's zone, which is UTC, and the time in the profile of XEP-0082."""
    romeo = server.connect("romeo@montague.example/orchard")
    server.advance(later)
    romeo.sends("<iq type='get' to='montague.example' id='time_1'><time xmlns='urn:xmpp:time'/></iq>")
    romeo.receives(
        "<iq type='result' to='romeo@montague.example/orchard' from='montague.example' id='time_1'>"
        f"<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>{utc}</utc></time></iq>"
    )
