"""Sessions as rows: written late, removed, and found after a crash."""

from typing import Any

import pytest

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.session_rows import SessionRow
from xmppd.core.shards import StorageUnavailable
from xmppd.modules.session_rows import restored
from xmppd.protocol.jid import Jid
from xmppd.storage.session_rows import SqlSessionRows

JULIET = "juliet@capulet.example/balcony"
ROMEO = "romeo@montague.example/orchard"
PRESENCE = f"<presence from='{JULIET}'><show>away</show></presence>".encode()


def rows(server: Server) -> list[SessionRow]:
    """Return all rows of the server's node."""
    return list(server.wait(SqlSessionRows(server.node.shards).page("node1", 1 << 62, None, 100)))


def module(server: Server) -> Any:
    """Return the running module."""
    return server.node.loader.loaded["session_rows"]


def crashed(server: Server, *found: SessionRow) -> None:
    """Let the module start as after a crash that has left these rows."""
    server.wait(server.node.loader.unload("session_rows"))
    for row in found:
        server.wait(SqlSessionRows(server.node.shards).put([row]))
    server.wait(server.node.loader.load("session_rows"))


class TestFollowing:
    """A row follows its session."""

    def test_written_a_second_later(self, server: Server) -> None:
        """A login does not wait for it; what it has shown meanwhile is in it."""
        juliet = server.online(JULIET)
        assert rows(server) == []
        server.advance(1)
        (row,) = rows(server)
        assert (row.jid, row.node, row.directed) == (JULIET, "node1", ())
        assert row.presence == f"<presence from='{JULIET}'/>".encode()
        juliet.sends("<presence><show>dnd</show></presence>")
        server.advance(1)
        (later,) = rows(server)
        assert later.presence == f"<presence from='{JULIET}'><show>dnd</show></presence>".encode()
        assert later.generation == row.generation

    def test_unavailable(self, server: Server) -> None:
        """Presence goes when it is taken back."""
        juliet = server.online(JULIET)
        server.advance(1)
        juliet.sends("<presence type='unavailable'/>")
        server.advance(1)
        assert rows(server)[0].presence is None

    def test_directed(self, server: Server) -> None:
        """Whoever was shown something by name is remembered, until it is taken back."""
        juliet = server.connect(JULIET)
        juliet.sends(f"<presence to='{ROMEO}'/><presence to='room@muc.example/nick'/>")
        server.advance(1)
        assert set(rows(server)[0].directed) == {ROMEO, "room@muc.example/nick"}
        juliet.sends(f"<presence to='{ROMEO}' type='unavailable'/>")
        server.advance(1)
        assert rows(server)[0].directed == ("room@muc.example/nick",)

    def test_end(self, server: Server) -> None:
        """The row goes with its session."""
        juliet = server.online(JULIET)
        server.advance(1)
        juliet.loses_connection()
        server.advance(1)
        assert rows(server) == []
        assert not module(server)._known

    def test_short_session(self, server: Server) -> None:
        """A session that is over before it was written costs the database nothing."""
        juliet = server.online(JULIET)
        server.advance(0.5)
        juliet.disconnects()
        server.advance(5)
        assert module(server).metrics.written == module(server).metrics.removed == 0
        assert not module(server)._known

    def test_next_session_of_the_same_resource(self, server: Server) -> None:
        """A bind takes a higher generation, and what the earlier session leaves changes nothing."""
        server.online(JULIET)
        server.advance(1)
        (first,) = rows(server)
        server.online(JULIET)
        server.advance(1)
        (second,) = rows(server)
        assert second.generation > first.generation

    def test_hibernating_session_stays(self, server: Server) -> None:
        """A session that waits to be resumed is still there for others."""
        juliet = server.online(JULIET)
        juliet.sends("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        juliet.loses_connection()
        server.advance(1)
        assert len(rows(server)) == 1

    def test_database_down(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        """What cannot be written is written when it can."""
        running = module(server)
        server.advance(1)

        async def fails(*_: object) -> None:
            raise StorageUnavailable("down")

        with monkeypatch.context() as patch:
            patch.setattr(running.rows, "put", fails)
            server.online(JULIET)
            server.advance(2)
        assert rows(server) == []
        server.advance(10)
        assert len(rows(server)) == 1

    def test_node_stops(self, server: Server) -> None:
        """A node that is stopped in good order leaves nothing."""
        server.online(JULIET)
        server.advance(1)
        server.wait(server.node.stop())
        assert rows(server) == []

    def test_reload(self, server: Server) -> None:
        """Sessions that are there when the module comes are followed from then on, and not taken for lost ones."""
        juliet, romeo = server.online(JULIET), server.online(ROMEO)
        juliet.sends(f"<presence to='{ROMEO}'/>")
        romeo.forgets()
        server.advance(1)
        server.wait(server.node.loader.reload("session_rows"))
        server.advance(2)
        assert {row.jid for row in rows(server)} == {JULIET, ROMEO}
        romeo.receives_nothing()


class TestCrash:
    """What a crash has left behind."""

    @pytest.fixture
    def romeo(self, server: Server) -> Client:
        romeo = server.online(ROMEO)
        juliet = server.connect(JULIET)
        romeo.sends("<presence to='juliet@capulet.example' type='subscribe'/>")
        juliet.sends("<presence to='romeo@montague.example' type='subscribed'/>")
        juliet.disconnects()
        romeo.forgets()
        return romeo

    def test_contacts_are_told(self, server: Server, romeo: Client) -> None:
        """Contacts learn that the resource is unavailable, and the row is gone."""
        crashed(server, SessionRow(Jid.parse(JULIET), "node1", 1, 0.0, PRESENCE))
        romeo.receives_nothing()
        server.advance(1)
        romeo.receives(f"<presence from='{JULIET}' to='romeo@montague.example' type='unavailable'/>")
        romeo.receives_nothing()
        assert [row.jid for row in rows(server)] == [ROMEO]
        server.advance(5)
        romeo.receives_nothing()

    def test_who_was_shown_something(self, server: Server) -> None:
        """So do those who were shown it by name."""
        nurse = server.online("nurse@capulet.example/pantry")
        crashed(server, SessionRow(Jid.parse(ROMEO), "node1", 1, 0.0, None, (Jid.parse(nurse.jid),)))
        server.advance(1)
        nurse.receives(f"<presence from='{ROMEO}' to='{nurse.jid}' type='unavailable'/>")

    def test_client_is_back_already(self, server: Server, romeo: Client) -> None:
        """Who has logged in again meanwhile stays available for contacts."""
        crashed(server, SessionRow(Jid.parse(JULIET), "node1", 1, 0.0, PRESENCE))
        server.online(JULIET)
        romeo.forgets()
        server.advance(3)
        romeo.receives_nothing()
        assert JULIET in [row.jid for row in rows(server)]

    def test_many(self, server: Server, romeo: Client) -> None:
        """Any number of them."""
        left = [
            SessionRow(Jid.parse(f"juliet@capulet.example/{number}"), "node1", 1, 0.0, PRESENCE)
            for number in range(220)
        ]
        crashed(server, *left)
        server.advance(1)
        assert len({element.get("from") for element in romeo.inbox}) == 220
        assert module(server).metrics.left == 220

    def test_other_nodes(self, server: Server, romeo: Client) -> None:
        """Sessions of other nodes are theirs."""
        crashed(server, SessionRow(Jid.parse(JULIET), "node2", 1, 0.0, PRESENCE))
        server.advance(1)
        romeo.receives_nothing()

    def test_clock_went_back(self, server: Server, romeo: Client) -> None:
        """Generations go on from what was left, whatever the clock says."""
        crashed(server, SessionRow(Jid.parse(JULIET), "node1", 1 << 60, 0.0, PRESENCE))
        server.online(JULIET)
        server.advance(3)
        (row,) = [row for row in rows(server) if row.jid == JULIET]
        assert row.generation > 1 << 60

    def test_database_down_at_first(self, server: Server, romeo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """What cannot be read is read when it can."""
        crashed(server, SessionRow(Jid.parse(JULIET), "node1", 1, 0.0, PRESENCE))

        async def fails(*_: object) -> None:
            raise StorageUnavailable("down")

        with monkeypatch.context() as patch:
            patch.setattr(module(server).rows, "page", fails)
            server.advance(2)
        romeo.receives_nothing()
        server.advance(10)
        assert romeo.receives_any().get("type") == "unavailable"

    def test_takes_nothing(self) -> None:
        """A session that is restored has a wire that leads nowhere."""
        session = restored(SessionRow(Jid.parse(JULIET), "node1", 1, 0.0, PRESENCE, (Jid.parse(ROMEO),)))
        wire = session.wire
        wire.close()
        assert session.is_available
        assert session.directed == {ROMEO}
        assert not wire.write_stanza(b"<presence/>")
        assert (wire.unacknowledged(), wire.room(), wire.is_connected, wire.acknowledges) == ((), None, False, False)
