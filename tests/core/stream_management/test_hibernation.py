"""Sessions without a connection."""

from tests.scenario.server import Server

from .clients import JULIET, ROMEO, message, resumable, resumes, stanzas


class TestHibernation:
    """A session that waits to be resumed is written to all the same."""

    def test_queue_of_a_hibernating_session(self) -> None:
        """A session for which too much waits ends, and messages wait in the log."""
        server = Server(modules={"stream_management": {"unacknowledged": 100}})
        juliet, romeo = server.online(JULIET), server.online(ROMEO)
        resumable(juliet)
        juliet.loses_connection()
        for number in range(101):
            romeo.sends(message(number))
        assert server.node.sessions.of("juliet@capulet.example") == ()
        romeo.receives_nothing()
        again = server.connect(JULIET)
        again.sends("<presence/>")
        assert len([id for id in stanzas(again) if id.startswith("m")]) == 101

    def test_client_does_not_read(self) -> None:
        """A client that does not read is cut off; its session waits, with all that was written."""
        server = Server(limits={"send_buffer": 65_536})
        juliet, romeo = server.online(JULIET), server.online(ROMEO)
        id = resumable(juliet)
        juliet.stops_reading()
        for number in range(40):
            romeo.sends(f"<message to='{JULIET}' id='m{number}' type='chat'><body>{'a' * 5000}</body></message>")
        romeo.receives_nothing()
        again = resumes(server, id, 0)
        again.receives_any()
        assert stanzas(again) == [f"m{number}" for number in range(40)]
