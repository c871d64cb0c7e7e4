"""What a rehearsal has in place of what would leave it."""

import pytest
from sqlalchemy import func, select
from twisted.internet.task import Clock

from tests.scenario.server import Server, keys
from xmppd.app.stand_ins import Borrowed, Elsewhere, Still, Undone, Unmoved
from xmppd.core.accounts import Role
from xmppd.core.commands import Caller, CommandError, Origin, Registry, command
from xmppd.core.trace import Trace
from xmppd.protocol.jid import Jid
from xmppd.protocol.stanza import Stanza
from xmppd.storage.accounts import SqlAccounts
from xmppd.storage.tables import accounts as table

ROMEO = Jid("romeo@montague.example")


class TestUndone:
    """Databases in which nothing stays."""

    def test_nothing_stays(self, server: Server) -> None:
        """What is written is written, told and undone; what is there is read."""
        trace = Trace()
        server.account(ROMEO)
        store = SqlAccounts(Undone(server.node.shards, trace), server.clock)
        server.wait(store.create(Jid("tybalt@capulet.example"), keys(), Role.USER))
        server.wait(store.set_role(ROMEO, Role.ADMIN))
        assert [step.who for step in trace.steps] == ["storage", "storage"]
        assert all("stores " in step.outcome for step in trace.steps)
        real = server.node.accounts
        assert server.wait(real.get(Jid("tybalt@capulet.example"))) is None
        assert server.wait(store.get(ROMEO)).role is Role.USER

    def test_what_it_would_have_returned(self, server: Server) -> None:
        """Whoever writes goes on as if it had been kept; what fails fails as it would."""
        undone = Undone(server.node.shards, Trace())
        server.account(ROMEO)
        statement = table.delete()
        assert server.wait(undone.write(ROMEO, "x", statement)) == 1
        count = select(func.count()).select_from(table)
        assert server.wait(undone.fetch_all("x", count)) == [(1,)]
        with pytest.raises(ZeroDivisionError):
            server.wait(undone.transaction(ROMEO, "x", lambda connection: 1 // 0))


def test_a_clock_that_calls_nobody() -> None:
    """It tells the time."""
    real = Clock()
    called: list[int] = []
    still = Still(real)
    call = still.callLater(1.0, called.append, 1)
    assert call.active()
    call.cancel()
    real.advance(5)
    assert (still.seconds(), called) == (5.0, [])


class Noun:
    def __init__(self) -> None:
        self.ran = 0

    @command("bell ring")
    async def ring(self, times: int = 1) -> None:
        """Ring the bell."""
        self.ran += 1


class TestCommands:
    """Commands that are there, and are not run."""

    def test_borrowed(self) -> None:
        """All are found; none comes or goes."""
        live = Registry()
        live.register("tests", Noun())
        borrowed = Borrowed(live)
        borrowed.register("other", Noun())
        borrowed.unregister("tests")
        found = borrowed.find(["bell", "ring"])
        assert borrowed.at(found.node) is found
        assert list(borrowed) == [found]

    def test_unmoved(self, server: Server) -> None:
        """Who may not is refused as ever; for others it is noted."""
        noun, trace, live = Noun(), Trace(), Registry()
        live.register("tests", noun)
        unmoved = Unmoved(Borrowed(live), server.node.authority, trace)
        ring = live.find(["bell", "ring"])
        server.wait(unmoved.run(Caller(Origin.SOCKET), ring, {"times": "2"}))
        assert trace.steps[0].outcome == "runs the command bell ring for socket; here it is not run"
        with pytest.raises(CommandError):
            server.wait(unmoved.run(Caller(Origin.ADHOC, ROMEO), ring, {}))
        with pytest.raises(CommandError, match="no whole number"):
            server.wait(unmoved.run(Caller(Origin.SOCKET), ring, {"times": "often"}))
        assert noun.ran == 0


def test_elsewhere(server: Server) -> None:
    """Nothing is sent to other servers."""
    server.wait(Elsewhere().send(Stanza.build("message", to=Jid("a@verona.example"), from_=ROMEO)))
