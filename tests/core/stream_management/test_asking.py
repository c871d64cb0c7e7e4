"""When clients are asked for acknowledgements, and what becomes of those that give none."""

from tests.scenario.client import Client
from tests.scenario.server import Server

from .clients import JULIET, REQUEST, SM, a, enables, message, resumable, resumes, stanzas


class TestAsking:
    """Acks: the server asks, too."""

    def test_asked_behind_ten(self, juliet: Client, romeo: Client) -> None:
        """The client is asked once for many stanzas, and not again until it has answered."""
        enables(juliet)
        romeo.sends("".join(message(number) for number in range(25)))
        requests = [number for number, element in enumerate(juliet.inbox) if element.tag == f"{SM}r"]
        assert requests == [10]
        juliet.inbox.clear()
        juliet.sends(a(25))
        romeo.sends("".join(message(number) for number in range(25, 37)))
        assert [element.tag for element in juliet.inbox].count(f"{SM}r") == 1

    def test_asked_for_much(self, juliet: Client, romeo: Client) -> None:
        """A stanza of many bytes is asked for at once."""
        enables(juliet)
        romeo.sends(f"<message to='{JULIET}'><body>{'a' * 20_000}</body></message>")
        assert [element.tag for element in juliet.inbox][-1] == f"{SM}r"

    def test_asked_when_idle(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A few stanzas are asked for once a second, and those that are acknowledged are not."""
        enables(juliet)
        romeo.sends(message())
        assert stanzas(juliet) == ["m1"]
        server.advance(1)
        juliet.receives(REQUEST)
        server.advance(5)
        juliet.receives_nothing()
        juliet.sends(a(1))
        romeo.sends(message(2))
        assert stanzas(juliet) == ["m2"]
        juliet.sends(a(2))
        server.advance(5)
        juliet.receives_nothing()

    def test_late_answer(self, server: Server, juliet: Client, romeo: Client) -> None:
        """An answer that does not count everything is followed by another request."""
        enables(juliet)
        romeo.sends(message(1) + message(2))
        juliet.sends(a(1))
        stanzas(juliet)
        server.advance(1)
        juliet.receives(REQUEST)

    def test_no_answer(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A connection on which no acknowledgement comes is given up, and the session waits."""
        id = resumable(juliet)
        romeo.sends(message())
        server.advance(minutes=2)
        assert juliet.stream_ended
        again = resumes(server, id, 0)
        again.receives_any()
        assert stanzas(again) == ["m1"]

    def test_sign_of_life(self, server: Server, juliet: Client) -> None:
        """A silent client is asked for a count in lieu of a ping, even if there is nothing to count."""
        enables(juliet)
        server.advance(minutes=6)
        juliet.receives(REQUEST)
        juliet.sends(a(0))
        server.advance(minutes=4)
        assert not juliet.stream_ended

    def test_no_sign_of_life(self, server: Server, juliet: Client) -> None:
        """A silent client's session waits, too."""
        id = resumable(juliet)
        server.advance(minutes=8)
        assert juliet.stream_ended
        assert resumes(server, id, 0).receives_any().tag == f"{SM}resumed"
