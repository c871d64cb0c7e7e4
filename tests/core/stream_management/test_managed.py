"""One session whose stanzas are counted."""

from twisted.internet.defer import Deferred

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.events import OutboundMessage
from xmppd.core.hooks import Phase, on
from xmppd.core.shards import StorageUnavailable
from xmppd.core.stream_management.management import managed_of

from .clients import JULIET, NS, REQUEST, ROMEO, SM, a, condition, enables, message, resumable, resumes, stanzas


class Waits:
    """A handler that lets messages wait for the test."""

    def __init__(self) -> None:
        self.waiting: Deferred[None] = Deferred()

    @on(OutboundMessage, Phase.GUARD)
    async def wait(self, event: OutboundMessage) -> None:
        await self.waiting


class TestSettlement:
    """Acknowledge only what is committed (architecture rule 7)."""

    def test_told_when_committed(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A request is answered at once with what is committed, and once more when more is, however many stanzas."""
        enables(romeo)
        server.log.hold()
        romeo.sends("<presence/>" + "".join(message(number) for number in range(20)) + REQUEST)
        romeo.receives_any()
        romeo.receives(a(1))
        romeo.receives_nothing()
        server.log.release()
        romeo.receives(a(21))
        romeo.receives_nothing()

    def test_bit_by_bit(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Each commit is told until all is told that was there when it was asked for."""
        enables(romeo)
        server.log.hold()
        romeo.sends(message(1) + message(2) + REQUEST + message(3))
        romeo.receives(a(0))
        for count in (1, 2):
            server.log.release(1)
            romeo.receives(a(count))
        server.log.release()
        romeo.receives_nothing()

    def test_not_stored(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What cannot be stored is settled by its error."""
        enables(romeo)
        server.log.fail(StorageUnavailable("down"))
        romeo.sends(message() + REQUEST)
        romeo.receives(a(0))
        romeo.receives_error("resource-constraint", id="m1")
        romeo.receives(a(1))

    def test_resumption_waits_for_commits(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What the lost connection has begun is committed before its count is told."""
        id = resumable(romeo)
        server.log.hold()
        romeo.sends(message(1) + message(2))
        romeo.loses_connection()
        again = resumes(server, id, 0, ROMEO)
        again.receives_nothing()
        server.log.release()
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='2'/>")
        assert stanzas(juliet) == ["m1", "m2"]

    def test_resumption_waits_for_handlers(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A stanza that is being handled is finished; what is behind it was never begun, and comes again."""
        waits = Waits()
        server.node.hooks.bind("waits", waits)
        id = resumable(romeo)
        romeo.sends(message(1) + message(2))
        romeo.loses_connection()
        again = resumes(server, id, 0, ROMEO)
        again.receives_nothing()
        server.node.hooks.unbind("waits")
        waits.waiting.callback(None)
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='1'/>")
        again.sends(message(2))
        assert stanzas(juliet) == ["m1", "m2"]

    def test_error_of_what_was_begun(self, server: Server, juliet: Client, romeo: Client) -> None:
        """An answer that the lost connection would have had comes on the new one."""
        waits = Waits()
        server.node.hooks.bind("waits", waits)
        id = resumable(romeo)
        romeo.sends(message(1, "nobody@capulet.example"))
        romeo.loses_connection()
        again = resumes(server, id, 0, ROMEO)
        waits.waiting.callback(None)
        again.receives(f"<resumed xmlns='{NS}' previd='{id}' h='1'/>")
        again.receives_error("service-unavailable", id="m1")

    def test_overtaken(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Of two that come for the same session the later one has it."""
        id = resumable(romeo)
        server.log.hold()
        romeo.sends(message(1))
        romeo.loses_connection()
        first, second = resumes(server, id, 0, ROMEO), resumes(server, id, 0, ROMEO)
        server.log.release()
        first.receives_stream_error("conflict")
        second.receives(f"<resumed xmlns='{NS}' previd='{id}' h='1'/>")

    def test_new_connection_lost(self, server: Server, juliet: Client, romeo: Client) -> None:
        """Who is gone again before the answer leaves the session as it was."""
        id = resumable(romeo)
        server.log.hold()
        romeo.sends(message(1))
        romeo.loses_connection()
        resumes(server, id, 0, ROMEO).loses_connection()
        server.log.release()
        assert resumes(server, id, 0, ROMEO).receives_any().get("h") == "1"

    def test_timed_out_meanwhile(self, server: Server, juliet: Client, romeo: Client) -> None:
        """A session may end while somebody waits for it."""
        id = resumable(romeo, max="10")
        server.log.hold()
        romeo.sends(message(1))
        romeo.loses_connection()
        again = resumes(server, id, 0, ROMEO)
        server.advance(11)
        server.log.release()
        failed = again.receives_any()
        assert (condition(failed), failed.get("h")) == ("item-not-found", "1")


class TestWrappingAround:
    """Acks: behind 2^32-1 the count is 0 again."""

    def test_ours(self, server: Server, romeo: Client) -> None:
        """What the client has sent, as we tell it, also when it comes back."""
        id = resumable(romeo)
        server.node.sessions.of("romeo@montague.example")[0].gate.received += 2**32 - 2
        romeo.sends(f"<presence/>{REQUEST}<presence/>{REQUEST}")
        told = [element.get("h") for element in romeo.inbox if element.tag == f"{SM}a"]
        assert told == ["4294967295", "0"]
        romeo.loses_connection()
        resumes(server, id, 2, ROMEO).receives(f"<resumed xmlns='{NS}' previd='{id}' h='0'/>")

    def test_theirs(self, server: Server, juliet: Client, romeo: Client) -> None:
        """What the client has had, as it tells us."""
        id = resumable(juliet)
        managed = managed_of(server.node.sessions.of("juliet@capulet.example")[0])
        assert managed is not None
        managed.outgoing.acknowledged = 2**32 - 2
        romeo.sends("".join(message(number) for number in range(4)))
        juliet.sends(a(2**32 - 1))
        juliet.loses_connection()
        again = resumes(server, id, 1)
        again.receives_any()
        assert stanzas(again) == ["m3"]


class TestBounds:
    """How much may be unacknowledged."""

    def test_queue_of_a_connection(self, romeo: Client) -> None:
        """A client that reads and never acknowledges is closed; messages are kept."""
        server = Server(modules={"stream_management": {"unacknowledged": 100}})
        juliet, romeo = server.online(JULIET), server.online(ROMEO)
        resumable(juliet)
        for number in range(101):
            romeo.sends(message(number))
        assert juliet.stream_ended
        assert server.node.sessions.of("juliet@capulet.example") == ()
        romeo.receives_nothing()

    def test_catching_up_is_no_flood(self) -> None:
        """Whoever has missed more than may be unacknowledged reads it as fast as it acknowledges."""
        server = Server(modules={"stream_management": {"unacknowledged": 100}})
        romeo = server.online(ROMEO)
        server.account(JULIET)
        for number in range(300):
            romeo.sends(message(number))
        juliet = server.connect(JULIET)
        enables(juliet)
        juliet.sends("<presence/>")
        seen: list[str] = []
        count = 0
        while came := [element for element in juliet.inbox if element.tag.startswith("{jabber:client}")]:
            juliet.inbox.clear()
            count += len(came)
            seen += [element.get("id", "") for element in came if element.tag.endswith("message")]
            juliet.sends(a(count))
        assert seen == [f"m{number}" for number in range(300)]
