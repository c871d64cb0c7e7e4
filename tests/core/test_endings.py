"""How sessions end: once, and in order."""

from typing import Any

import pytest

from tests.core.logins import Notes
from tests.core.stream_management.clients import resumable
from tests.scenario.server import Server
from xmppd.core.events import SessionEnded
from xmppd.core.hooks import notice

JULIET = "juliet@capulet.example/balcony"
ROMEO = "romeo@montague.example/orchard"


class Order:
    """Notes when a session has ended, by what others had received by then."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.received: list[str | None] = []

    @notice(SessionEnded)
    async def ended(self, event: SessionEnded) -> None:
        self.received = [element.get("type") for element in self._client.inbox]


@pytest.mark.parametrize("way", ["disconnects", "loses_connection"])
def test_once(server: Server, notes: Notes, way: str) -> None:
    """A session ends once, however often it is told to, and is in no registry when that is known."""
    juliet = server.online(JULIET)
    session = server.node.sessions.of("juliet@capulet.example")[0]
    getattr(juliet, way)()
    server.node.clients.endings.end(session, "again")
    assert notes.ended == [JULIET]
    assert len(server.node.sessions) == 0


def test_what_is_left_comes_first(server: Server) -> None:
    """Requests that nobody answers any more are answered before everybody learns that the session is over."""
    romeo, juliet = server.online(ROMEO), server.online(JULIET)
    resumable(juliet, max="10")
    juliet.loses_connection()
    romeo.sends(f"<iq to='{JULIET}' id='v' type='get'><query xmlns='jabber:iq:version'/></iq>")
    order = Order(romeo)
    server.node.hooks.bind("order", order)
    server.advance(11)
    assert order.received == ["error"]


def test_rows_go_to_others(server: Server) -> None:
    """What was sent and not acknowledged goes to the account's other resources."""
    romeo, juliet = server.online(ROMEO), server.online(JULIET)
    chamber = server.online("juliet@capulet.example/chamber")
    juliet.sends("<enable xmlns='urn:xmpp:sm:3'/>")
    romeo.sends(f"<message to='{JULIET}' id='m' type='chat'><body>x</body></message>")
    chamber.forgets()
    juliet.loses_connection()
    server.run()
    assert [element.get("id") for element in chamber.inbox if element.tag.endswith("message")] == ["m"]
