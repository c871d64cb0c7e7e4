"""PostgreSQL: a batch lands once, whatever happens to the connection, the server and the neighbours."""

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text, update

from tests.services.postgres import TmpPostgres
from tests.storage.deployments import Deployment, open_deployment
from tests.storage.test_sqlite import open_from
from xmppd.core.message_log import Query, StorageUnavailable
from xmppd.protocol.jid import Jid
from xmppd.storage.jobs import Limits
from xmppd.storage.link import Link
from xmppd.storage.message_log import postgres_append
from xmppd.storage.message_log.batch import Batch, Item
from xmppd.storage.message_log.keys import Keys, digest_of
from xmppd.storage.message_log.postgres_append import PostgresAppend, ask, digests, numbers
from xmppd.storage.message_log.writer import RETRY
from xmppd.storage.slots import slot_of
from xmppd.storage.tables import slot_here

from .logs import JULIET, ROMEO, Fixture, bodies, received, sent

KEY = bytes(range(16))


@pytest.fixture(scope="module")
def own_server() -> Iterator[TmpPostgres]:
    """A server that tests may stop, freeze and crash; its data survive that."""
    with TmpPostgres() as server:
        yield server


@pytest.fixture
def fragile(own_server: TmpPostgres) -> Iterator[Fixture]:
    """A log on that server, retried at once."""
    name = own_server.create_database()
    opened = open_deployment([own_server.url(name, tcp=True)], Limits(threads=1, retry=0.0, connect=2.0))
    made = Fixture(opened)
    yield made
    made.run(made.log.close())
    opened.run(opened.shards.close())


@pytest.fixture
def deployment(postgres_urls: Callable[[int], list[str]]) -> Iterator[Deployment]:
    """One shard on a server that stays."""
    opened = open_deployment(postgres_urls(1), Limits(threads=2, lock=0.05))
    yield opened
    opened.run(opened.shards.close())


def lose_connection(monkeypatch: pytest.MonkeyPatch, *, lands: bool) -> None:
    """Let the connection break once, behind a batch or before it."""

    def break_off(link: Link, statement: str) -> Any:
        monkeypatch.setattr(postgres_append, "ask", ask)
        if lands:
            ask(link, statement)
        link.interrupt()
        return ask(link, statement)

    monkeypatch.setattr(postgres_append, "ask", break_off)


class TestLiterals:
    """Statements are made of digits and hexadecimal digits."""

    def test_arrays(self) -> None:
        """As PostgreSQL reads them."""
        assert numbers([1, -2]) == "'{1, -2}'"
        assert numbers([None, 3]) == "'{NULL, 3}'"
        assert numbers(()) == "'{}'"
        assert digests([b"\0\xff", b""]) == r"""'{"\\x00ff","\\x"}'"""

    def test_nothing_needs_quoting(self, fixture: Fixture) -> None:
        """Quotes and backslashes in addresses, ids and stanzas come back as they were."""
        peer = Jid("o!x@capulet.example/'; DROP TABLE log; --\\")
        entry = received('it\'s \\ "fine" {}, %s', peer=peer, origin_id="'\\\"{}%s")
        fixture.add(entry)
        (row,) = fixture.run(fixture.log.page(Query(ROMEO)))
        assert (str(peer), entry.origin_id, entry.stanza) == (row.peer, row.origin_id, row.stanza)

    def test_heads_that_are_known(self) -> None:
        """An owner's head is inserted for the first batch only, or when it turned out to be missing."""
        keys = Keys()
        append = PostgresAppend(keys, 7)
        batch = Batch([Item([received(), sent()], None, 0.0)], keys)
        first = append.prepare(batch, 1)
        append.landed(batch)
        assert append.prepare(batch, 1) != first
        append.forget()
        assert append.prepare(batch, 1) == first

    def test_few_are_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many owners there are; their heads are looked for again then."""
        monkeypatch.setattr(postgres_append, "KNOWN", 1)
        keys = Keys()
        append = PostgresAppend(keys, 7)
        batches = [Batch([Item([entry], None, 0.0)], keys) for entry in (received(), sent(), received())]
        fresh = [append.prepare(batch, 1) for batch in batches]
        append.landed(batches[0])
        append.landed(batches[1])
        append.landed(batches[1])
        assert append.prepare(batches[0], 1) == fresh[0]


class TestOnce:
    """A batch lands once."""

    @pytest.mark.parametrize("lands", (True, False))
    def test_lost_connection(self, fixture: Fixture, monkeypatch: pytest.MonkeyPatch, lands: bool) -> None:
        """The connection breaks behind the batch, or before it: it is committed once, and its ids are known."""
        fixture.add(received("before", key=KEY))
        lose_connection(monkeypatch, lands=lands)
        rows = [received("a"), received(key=KEY, since=1), received("b")]
        told = fixture.begin(rows)
        fixture.until(lambda: fixture.log.metrics.sent_again == 1)
        fixture.clock.advance(RETRY)
        fixture.until(lambda: told.heard == [None])

        found = fixture.run(fixture.log.page(Query(ROMEO)))
        assert bodies(found) == ["before", "a", "b"]
        assert [found[1].id, found[0].id, found[2].id] == [row.id for row in rows]
        assert [found[0].id, found[1].id] == [rows[0].previous, rows[2].previous]

    def test_same_number(self, fixture: Fixture) -> None:
        """A batch that comes again is answered and not done; one that comes behind a later one is refused."""
        keys = Keys()
        append = PostgresAppend(keys, 7)
        database = fixture.database_of(ROMEO)
        statements = [
            append.prepare(Batch([Item([received(body)], None, 0.0)], keys), number)[1]
            for number, body in ((1, "a"), (2, "b"))
        ]
        first = fixture.run(database.read("first", ask, statements[0]))
        assert first == fixture.run(database.read("again", ask, statements[0]))
        fixture.run(database.read("second", ask, statements[1]))
        with pytest.raises(Exception, match="behind"):
            fixture.run(database.read("late", ask, statements[0]))
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["a", "b"]

    def test_terminated_backend(self, fragile: Fixture, own_server: TmpPostgres) -> None:
        """The server ends an idle connection: the next batch takes a new one."""
        fragile.add(received("a"))
        own_server.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'xmppd'"
        )
        assert len(fragile.add(received("b"))) == 1
        assert bodies(fragile.run(fragile.log.page(Query(ROMEO)))) == ["a", "b"]

    def test_two_writers(self, deployment: Deployment) -> None:
        """Two nodes write to the same owners at the same time: ids grow, and each row knows the one before it."""
        one, other = Fixture(deployment), Fixture(deployment)
        entries = [[received(), sent()] if number % 2 else [sent(), received()] for number in range(300)]
        told = [(one, other)[number % 2].begin(group) for number, group in enumerate(entries)]
        one.until(lambda: all(each.heard == [None] for each in told))
        for owner in (ROMEO, JULIET):
            rows = sorted((entry for group in entries for entry in group if entry.owner == owner), key=lambda e: e.id)
            assert [0, *(row.id for row in rows[:-1])] == [row.previous for row in rows]
        for made in (one, other):
            made.run(made.log.close())


class TestFaults:
    """Errors, no acknowledgement, recovery."""

    def test_server_away(self, fragile: Fixture, own_server: TmpPostgres) -> None:
        """A shard that is down refuses; when it is back all is well without a restart."""
        fragile.add(received("a"))
        own_server.shut_down()
        (error,) = fragile.heard([received("lost")])
        assert isinstance(error, StorageUnavailable)
        own_server.start()
        fragile.add(received("b"))
        assert bodies(fragile.run(fragile.log.page(Query(ROMEO)))) == ["a", "b"]

    def test_crash(self, fragile: Fixture, own_server: TmpPostgres) -> None:
        """What was acknowledged before a crash is there after it."""
        ids = fragile.add(received("a"), received("b"))
        own_server.crash()
        own_server.start()
        assert ids == [row.id for row in fragile.run(fragile.log.page(Query(ROMEO)))]
        assert fragile.add(received("c")) > [ids[1]]

    def test_frozen_server(self, fragile: Fixture, own_server: TmpPostgres) -> None:
        """What a frozen server was sent is interrupted when nobody is patient any longer, and told to have failed."""
        fragile.add(received("a"))
        impatient = open_from(
            fragile.deployment, fragile.deployment.databases[0].engine.url.render_as_string(), patience=0.2
        )
        frozen = Fixture(impatient)
        frozen.add(received("b"))
        ((backend,),) = own_server.execute(
            "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT xmppd_log_append%' ORDER BY query_start DESC LIMIT 1"
        )
        os.kill(int(str(backend)), signal.SIGSTOP)
        told = frozen.begin([received("c")])
        frozen.until(lambda: frozen.log.metrics.sent_again == 1)
        assert told.heard == []
        os.kill(int(str(backend)), signal.SIGCONT)
        while told.heard != [None]:
            frozen.clock.advance(RETRY)
            frozen.deployment.loop.turn()
        assert bodies(fragile.run(fragile.log.page(Query(ROMEO)))) == ["a", "b", "c"]
        frozen.run(frozen.log.close())
        frozen.run(impatient.shards.close())

    def test_read_only(self, fragile: Fixture, own_server: TmpPostgres) -> None:
        """A primary that became a standby refuses; nothing is acknowledged, nothing waits."""
        name = fragile.deployment.databases[0].engine.url.database
        own_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        (error,) = fragile.heard([received("lost")])
        assert isinstance(error, StorageUnavailable)
        own_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        fragile.add(received("a"))
        assert bodies(fragile.run(fragile.log.page(Query(ROMEO)))) == ["a"]

    def test_locked_head(self, deployment: Deployment) -> None:
        """Somebody holds an owner's head: the batch is sent again until it comes free."""
        fixture = Fixture(deployment)
        fixture.add(received("a"))
        with deployment.databases[0].blocking() as other:
            with other.begin():
                other.execute(text("SELECT 1 FROM log_head FOR UPDATE"))
                told = fixture.begin([received("b")])
                fixture.until(lambda: fixture.log.metrics.sent_again == 1)
            fixture.clock.advance(RETRY)
            fixture.until(lambda: told.heard == [None])
        fixture.run(fixture.log.close())

    def test_missing_head(self, deployment: Deployment) -> None:
        """Another node has forgotten an owner that this one knows: its head is made anew."""
        fixture, other = Fixture(deployment), Fixture(deployment)
        fixture.add(received("old"), sent())
        fixture.run(other.log.forget(ROMEO))
        fixture.add(received("new"))
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["new"]
        for made in (fixture, other):
            made.run(made.log.close())

    def test_slot_elsewhere(self, deployment: Deployment) -> None:
        """The shard does not hold an owner: only that owner's message fails."""
        fixture = Fixture(deployment)
        close = update(slot_here).where(slot_here.c.slot == slot_of(JULIET)).values(state="closed")
        fixture.run(deployment.databases[0].write("close", close, [{}], None))
        heard = fixture.heard([received("a")], [sent()], [received("b")])
        assert isinstance(heard[1], StorageUnavailable)
        assert [heard[0], heard[2]] == [None, None]
        assert bodies(fixture.run(fixture.log.page(Query(ROMEO)))) == ["a", "b"]
        fixture.run(fixture.log.close())

    def test_digest_is_the_key(self, deployment: Deployment) -> None:
        """Other programs find an owner by the digest of its bare JID."""
        fixture = Fixture(deployment)
        fixture.add(received())
        found = text("SELECT count(*) FROM log WHERE owner = decode(:digest, 'hex')")
        rows = deployment.run(deployment.databases[0].fetch("own", found, {"digest": digest_of(ROMEO).hex()}))
        assert rows == [(1,)]
        fixture.run(fixture.log.close())
