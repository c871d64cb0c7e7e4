"""PostgreSQL: what goes wrong is told promptly, and is over without a restart."""

import os
import signal
from collections.abc import Callable, Iterator
from threading import Event

import pytest
from sqlalchemy import Connection, insert, make_url, text, update

from tests.services.postgres import TmpPostgres
from xmppd.core.shards import StorageUnavailable
from xmppd.storage.faults import SlotElsewhere
from xmppd.storage.jobs import Limits
from xmppd.storage.link import Link
from xmppd.storage.postgres import postgres_engine
from xmppd.storage.slots import slot_of
from xmppd.storage.statements import Prepared
from xmppd.storage.tables import accounts, slot_here

from .deployments import INLINE, Deployment, open_deployment
from .test_sqlite import ROW, open_from

ADD = insert(accounts)
COUNT = text("SELECT count(*) FROM accounts")
BACKEND = text("SELECT pg_backend_pid()")
SLOT = slot_of("romeo@h")


@pytest.fixture(scope="module")
def own_server() -> Iterator[TmpPostgres]:
    """A server that tests may stop, freeze and crash; its data survive that."""
    with TmpPostgres() as server:
        yield server


@pytest.fixture
def fragile(own_server: TmpPostgres) -> Iterator[Deployment]:
    """One shard on that server, reached by TCP through one connection; retried at once."""
    name = own_server.create_database()
    limits = Limits(threads=1, retry=0.0, connect=2.0)
    opened = open_deployment([own_server.url(name, tcp=True)], limits)
    yield opened
    opened.run(opened.shards.close())


@pytest.fixture
def deployment(postgres_urls: Callable[[int], list[str]]) -> Iterator[Deployment]:
    """One shard on a server that stays, with short limits."""
    opened = open_deployment(postgres_urls(1), Limits(threads=2, lock=0.05, statement=0.5))
    yield opened
    opened.run(opened.shards.close())


def fetch(deployment: Deployment, statement: object) -> object:
    return deployment.run(deployment.databases[0].fetch("fetch", statement, {}))[0][0]  # type: ignore[arg-type]


def add(deployment: Deployment, name: str, slot: int | None = None) -> int:
    return deployment.run(deployment.databases[0].write("add", ADD, [{**ROW, "owner": name}], slot))


class TestEngine:
    """How a connection is made."""

    def test_limits_of_a_connection(self, deployment: Deployment) -> None:
        """The server knows how long we wait for locks and statements, and who we are."""
        assert fetch(deployment, text("SHOW lock_timeout")) == "50ms"
        assert fetch(deployment, text("SHOW statement_timeout")) == "500ms"
        assert fetch(deployment, text("SHOW application_name")) == "xmppd"

    def test_parameters_of_the_url(self, postgres: TmpPostgres) -> None:
        """What the URL says comes first."""
        url = make_url(postgres.url("postgres") + "&application_name=mine&options=-c%20work_mem%3D8MB")
        with postgres_engine(url, connect=2, lock=1, statement=1).connect() as connection:
            told = [
                connection.scalar(text(f"SHOW {name}")) for name in ("application_name", "work_mem", "lock_timeout")
            ]
        assert told == ["mine", "8MB", "1s"]

    def test_acknowledged_means_durable(self, deployment: Deployment) -> None:
        """A commit waits for the disk."""
        assert fetch(deployment, text("SHOW synchronous_commit")) == "on"


class TestLimits:
    """Waits are bounded."""

    def test_locked_row(self, deployment: Deployment) -> None:
        """A write that meets somebody's lock is refused after `lock`; it succeeds when the lock has gone."""
        add(deployment, "romeo@h")
        database = deployment.databases[0]
        held, release = Event(), Event()

        def hold(connection: Connection) -> None:
            connection.execute(text("SELECT 1 FROM accounts FOR UPDATE"))
            held.set()
            release.wait()

        holding = database.transaction("hold", hold, None)
        deployment.loop.turn()  # which hands it over
        assert held.wait()
        change = update(accounts).values(role="admin")
        with pytest.raises(StorageUnavailable, match="lock timeout"):
            deployment.run(database.write("change", change, [{}], None))

        release.set()
        deployment.run(holding)
        assert deployment.run(database.write("change", change, [{}], None)) == 1

    def test_slow_statement(self, deployment: Deployment) -> None:
        """A statement that takes longer than `statement` is ended."""
        with pytest.raises(StorageUnavailable, match="statement timeout"):
            fetch(deployment, text("SELECT pg_sleep(600)"))

    def test_read_only_server(self, deployment: Deployment, postgres: TmpPostgres) -> None:
        """A primary that became a standby refuses writes; the connection is given up, so that the next finds a primary."""
        name = deployment.databases[0].engine.url.database
        postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        other = open_from(deployment, deployment.databases[0].engine.url.render_as_string())
        with pytest.raises(StorageUnavailable, match="read-only"):
            add(other, "romeo@h")
        assert fetch(other, COUNT) == 0

        postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        with pytest.raises(StorageUnavailable, match="read-only"):
            add(other, "romeo@h")
        assert add(other, "romeo@h") == 1
        other.run(other.shards.close())


class TestFaults:
    """The server goes away and comes back."""

    def test_unreachable(self, fragile: Deployment, own_server: TmpPostgres) -> None:
        """Nobody listens: told at once, for reads and writes. When somebody listens again, so do we."""
        own_server.shut_down()
        for ask in (lambda: fetch(fragile, COUNT), lambda: add(fragile, "romeo@h")):
            with pytest.raises(StorageUnavailable, match="is down"):
                ask()

        own_server.start()
        assert add(fragile, "romeo@h") == 1
        assert fetch(fragile, COUNT) == 1

    def test_password_is_never_told(self, own_server: TmpPostgres, fragile: Deployment) -> None:
        """Neither the place nor an error has the password of the URL."""
        url = make_url(own_server.url("missing", tcp=True)).set(password="secret")
        other = open_from(fragile, url.render_as_string(hide_password=False))
        with pytest.raises(StorageUnavailable) as raised:
            fetch(other, COUNT)
        assert "does not exist" in str(raised.value)
        assert "secret" not in str(raised.value) + other.databases[0].place
        other.run(other.shards.close())

    def test_restart_is_not_noticed(self, fragile: Deployment, own_server: TmpPostgres) -> None:
        """After a restart the first write and the first read succeed: a dead connection is seen before it is used."""
        add(fragile, "romeo@h")
        own_server.shut_down()
        own_server.start()
        assert add(fragile, "juliet@h") == 1

        own_server.shut_down()
        own_server.start()
        assert fetch(fragile, COUNT) == 2

    def test_crash_loses_nothing_that_was_told(self, fragile: Deployment, own_server: TmpPostgres) -> None:
        """A write that was acknowledged is there after a crash of the server."""
        add(fragile, "romeo@h")
        own_server.crash()
        own_server.start()
        assert fetch(fragile, COUNT) == 1

    def test_connection_that_breaks_in_a_read(self, fragile: Deployment, own_server: TmpPostgres) -> None:
        """A read whose backend is killed in its middle is repeated, on another one."""
        seen = []

        def query(link: Link) -> object:
            seen.append(link.fetch(Prepared(BACKEND, link.connection.dialect, None), {})[0][0])
            if len(seen) == 1:
                own_server.execute(f"SELECT pg_terminate_backend({seen[0]}, 5000)")
            return link.fetch(Prepared(COUNT, link.connection.dialect, None), {})

        assert fragile.run(fragile.databases[0]._reads.submit("query", query, (), True)) == [(0,)]
        assert len(set(seen)) == 2

    def test_connection_that_breaks_in_a_write(self, fragile: Deployment) -> None:
        """A write whose backend is killed in its middle is not repeated: who asked is told. The next one succeeds."""
        calls = []

        def work(connection: Connection) -> None:
            calls.append(1)
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with pytest.raises(StorageUnavailable, match=r"terminating|closed the connection"):
            fragile.run(fragile.databases[0].transaction("work", work, None))
        assert calls == [1]
        assert add(fragile, "romeo@h") == 1

    def test_notices_do_not_cost_the_connection(self, fragile: Deployment, own_server: TmpPostgres) -> None:
        """Something to read on an idle connection may be a mere notice: the server is asked before it is left."""
        before = fetch(fragile, BACKEND)
        fragile.run(fragile.databases[0].write("listen", text("LISTEN everybody"), [{}], None))
        own_server.execute("NOTIFY everybody", fragile.databases[0].engine.url.database or "")
        assert add(fragile, "romeo@h") == 1
        assert before == fetch(fragile, BACKEND)

    def test_frozen_server(self, own_server: TmpPostgres, fragile: Deployment) -> None:
        """A backend that neither answers nor closes is left after `patience`; a new one is found when there is one."""
        url = fragile.databases[0].engine.url.render_as_string()
        impatient = open_from(fragile, url, patience=0.2)
        backend = int(str(fetch(impatient, BACKEND)))
        os.kill(backend, signal.SIGSTOP)
        try:
            with pytest.raises(StorageUnavailable, match=r"closed the connection|could not receive|is down"):
                add(impatient, "romeo@h")
            patient = open_from(fragile, url)
            assert add(patient, "juliet@h") == 1
            patient.run(patient.shards.close())
        finally:
            os.kill(backend, signal.SIGCONT)
        assert backend != fetch(impatient, BACKEND)
        impatient.run(impatient.shards.close())


class TestSlots:
    """A shard refuses writes to slots that it does not hold."""

    @pytest.fixture(autouse=True)
    def closed(self, deployment: Deployment) -> None:
        """The slot has been closed here."""
        close = update(slot_here).where(slot_here.c.slot == SLOT).values(state="closed")
        deployment.run(deployment.databases[0].write("close", close, [{}], None))

    def test_single_row(self, deployment: Deployment) -> None:
        """One row, in one message with the look at the slot."""
        with pytest.raises(SlotElsewhere):
            add(deployment, "romeo@h", SLOT)
        assert fetch(deployment, COUNT) == 0

    def test_many_rows(self, deployment: Deployment) -> None:
        """Many rows, in one transaction with it."""
        rows = [{**ROW, "owner": f"{number}@h"} for number in range(2)]
        with pytest.raises(SlotElsewhere):
            deployment.run(deployment.databases[0].write("add", ADD, rows, SLOT))
        assert fetch(deployment, COUNT) == 0

    def test_transaction(self, deployment: Deployment) -> None:
        """The work is not even begun."""
        began = Event()
        with pytest.raises(SlotElsewhere):
            deployment.run(deployment.databases[0].transaction("work", lambda connection: began.set(), SLOT))
        assert not began.is_set()

    def test_other_slots(self, deployment: Deployment) -> None:
        """Other slots are open."""
        assert add(deployment, "romeo@h", (SLOT + 1) % 1024) == 1

    def test_mover_waits_for_writers(self, deployment: Deployment) -> None:
        """Who takes a slot's lock has it when the last transaction that writes to it has ended."""
        database = deployment.databases[0]
        slot = (SLOT + 1) % 1024
        held, release = Event(), Event()
        writing = database.transaction("write", lambda connection: (held.set(), release.wait())[1], slot)
        deployment.loop.turn()  # which hands it over
        assert held.wait()
        lock = text(f"SELECT pg_try_advisory_lock(1936486260, {slot})")
        assert False is fetch(deployment, lock)

        release.set()
        deployment.run(writing)
        assert True is fetch(deployment, lock)


def test_inline(postgres_urls: Callable[[int], list[str]]) -> None:
    """Tools may ask PostgreSQL without threads too."""
    opened = open_deployment(postgres_urls(1), INLINE)
    assert add(opened, "romeo@h", SLOT) == 1
    assert fetch(opened, COUNT) == 1
    opened.run(opened.shards.close())
