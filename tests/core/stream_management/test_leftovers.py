"""What is left when a session ends."""

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server

from .clients import (
    JULIET,
    a,
    message,
    resumable,
    stanzas,
)


class TestLeftovers:
    """Acks: what is unacknowledged when the session ends is treated as sent to an unavailable resource."""

    def test_request_is_answered(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A request gets its error."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(f"<iq to='{JULIET}' id='v' type='get'><query xmlns='jabber:iq:version'/></iq>")
        romeo.receives_nothing()
        server.advance(61)
        assert romeo.receives_error("service-unavailable", id="v").get("from") == JULIET

    def test_kept_message_waits(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A message that is kept waits for the next session; its sender hears nothing."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(message())
        server.advance(61)
        romeo.receives_nothing()
        again = server.connect(JULIET)
        again.sends("<presence/>")
        assert "m1" in stanzas(again)

    def test_kept_message_goes_elsewhere(self, server: Server, juliet: Client, romeo: Client) -> None:
        """It goes to another resource at once, if there is one."""
        chamber = server.online("juliet@capulet.example/chamber")
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(message())
        chamber.forgets()
        server.advance(61)
        assert "m1" in stanzas(chamber)

    def test_other_message_is_bounced(self, server: Server, juliet: Client, romeo: Client) -> None:
        """One that is not kept and that nobody takes is bounced."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(
            f"<message to='{JULIET}' id='x' type='chat'><body>psst</body><no-store xmlns='urn:xmpp:hints'/></message>"
        )
        romeo.receives_nothing()
        server.advance(61)
        romeo.receives_error("service-unavailable", id="x")

    @pytest.mark.parametrize("type", ["headline", "error"])
    def test_nobody_hears_of_others(self, server: Server, juliet: Client, romeo: Client, type: str) -> None:
        """Headlines, errors and presence are dropped."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(f"<message to='{JULIET}' type='{type}'><body>x</body></message><presence to='{JULIET}'/>")
        server.advance(61)
        assert [element.get("type") for element in romeo.inbox] == ["unavailable"] * (len(romeo.inbox) > 0)

    def test_acknowledged_is_delivered(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What was acknowledged does not come again in another session."""
        resumable(juliet, max="60")
        romeo.sends(message(1) + message(2))
        juliet.sends(a(1))
        juliet.loses_connection()
        again = server.connect(JULIET)
        again.sends("<presence/>")
        came = stanzas(again)
        assert "m2" in came
        assert "m1" not in came

    def test_copies_and_archived_messages(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What the account had from itself (copies, pages of its archive) is dropped, not bounced to itself."""
        chamber = server.online("juliet@capulet.example/chamber")
        resumable(juliet, max="60")
        juliet.loses_connection()
        chamber.forgets()
        chamber.sends(
            f"<message to='{JULIET}' type='chat' id='own'><active xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        server.advance(61)
        assert "own" not in stanzas(chamber)

    def test_message_to_all_was_taken_by_another(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A message to the bare JID that another resource had as well is not delivered there a second time."""
        chamber = server.online("juliet@capulet.example/chamber")
        resumable(juliet, max="60")
        juliet.loses_connection()
        chamber.forgets()
        romeo.sends(
            "<message to='juliet@capulet.example' type='chat' id='x'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>"
        )
        assert stanzas(chamber) == ["x"]
        server.advance(61)
        assert "x" not in stanzas(chamber)
        romeo.receives_nothing()

    def test_answers(self, server: Server, juliet: Client, romeo: Client) -> None:
        """An answer that nobody reads any more is answered by nobody."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        romeo.sends(f"<iq to='{JULIET}' id='v' type='result'/>")
        server.advance(61)
        romeo.receives_nothing()

    def test_many(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Any number of requests, some in each turn of the loop."""
        resumable(juliet, max="60")
        juliet.loses_connection()
        for number in range(120):
            romeo.sends(f"<iq to='{JULIET}' id='v{number}' type='get'><query xmlns='jabber:iq:version'/></iq>")
        server.advance(61)
        assert stanzas(romeo) == [f"v{number}" for number in range(120)]
