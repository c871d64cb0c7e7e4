"""How far sessions were that are over."""

from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock

from tests.scenario.client import Client
from tests.scenario.server import Server
from xmppd.core.session import Session
from xmppd.core.stream_management.memory import MOST, Memory
from xmppd.protocol.jid import Jid

from .clients import ROMEO, resumable, resumes


class TestMemory:
    """Resumption: a session that has timed out."""

    def test_count_forgotten(self, server: Server, juliet: Client) -> None:
        """Some time later the count is forgotten; and nobody else was ever told it."""
        id = resumable(juliet)
        juliet.loses_connection()
        server.advance(minutes=11)
        assert resumes(server, id, 1, ROMEO).receives_any().get("h") is None
        assert resumes(server, id, 1).receives_any().get("h") == "0"
        server.advance(minutes=11)
        assert resumes(server, id, 1).receives_any().get("h") is None

    def test_bounded(self) -> None:
        """The oldest are forgotten where there would be too many, and what had no id never was remembered."""
        memory = Memory(Clock())
        for number in range(MOST + 10):
            memory.keep(past(f"id{number}", handled=number))
        memory.keep(past(None))
        assert len(memory) == MOST
        assert memory.handled(OWNER, "id9") is None
        assert memory.handled(OWNER, f"id{MOST}") == MOST

    def test_settled_later(self) -> None:
        """What was on its way when the session ended is counted when it is settled."""
        memory = Memory(Clock())
        managed = past("id", handled=3)
        number = managed.session.gate.begin()
        managed.session.gate.received += 1
        memory.keep(managed)
        assert memory.handled(OWNER, "id") == 3
        managed.session.gate.settle(number)
        assert memory.handled(OWNER, "id") == 4


OWNER = Jid.parse("juliet@capulet.example")


def past(id: str | None, handled: int = 0) -> Any:
    """Return a managed session that is over, as far as the memory looks at it."""
    session = Session(OWNER.with_resource("balcony"), None)  # type: ignore[arg-type]  # nobody writes to it
    session.gate.received = handled
    return SimpleNamespace(id=id, session=session, base=0)
