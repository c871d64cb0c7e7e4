"""Everybody comes back at once, as behind a restart: all get in, and the database is asked through a few connections.

500 clients in the normal run; `XMPPD_STORM=2000` lets so many come, and writes a report to `bench/results/`.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stream import HOST, context
from tests.services.postgres import TmpPostgres

from .certificates import self_signed
from .conftest import NODES
from .node import Node
from .storm import PASSWORD, PER_ACCOUNT, WAYS, Returning, account, storm, table

FULL = int(os.environ.get("XMPPD_STORM", "0"))
CLIENTS = FULL or 500
READERS = 4
RESULTS = Path(__file__).parents[2] / "bench" / "results"


@pytest.fixture
def postgres() -> Iterator[TmpPostgres]:
    """A server of this test's own."""
    with TmpPostgres() as server:
        yield server


@pytest.fixture
def node(postgres: TmpPostgres, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Node]:
    """A process on PostgreSQL that lets many come from one address."""
    certificate, key = self_signed(tmp_path, HOST)
    node = Node(
        tmp_path,
        {
            f'hosts."{HOST}"': {"certificate": certificate.name, "key": key.name},
            "shards": [{"url": postgres.url("test1"), "readers": READERS}],
            "limits": {"connections_per_address": 10_000, "sessions_per_account": 2 * PER_ACCOUNT},
        },
        {"c2s": {"kind": "c2s", "tls": "direct"}},
    )
    postgres.create_database()
    request.config.stash[NODES].append(node)
    node.start()
    yield node
    node.running.stop()
    request.config.stash[NODES].remove(node)


async def test_all_get_in(node: Node, postgres: TmpPostgres, tmp_path: Path) -> None:
    """By each way: nobody is refused or waits in vain; connections never exceed the readers and the writer."""
    for localpart in sorted({account(number) for number in range(CLIENTS)}):
        await asyncio.to_thread(node.admin, "account", "add", jid=f"{localpart}@{HOST}", password=PASSWORD)

    def connections() -> int:
        question = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'test1'"
        return int(str(postgres.execute(question)[0][0]))

    trusted = context(tmp_path / f"{HOST}.crt")
    clients = [Returning(node, trusted, number) for number in range(CLIENTS)]
    figures = []
    for name, way in WAYS.items():
        figures.append(await storm(node, clients, name, way, connections))
        for client in clients:
            client.drops()
    print(table(figures))
    if FULL:
        (RESULTS / "login-storm.md").write_text(f"# Everybody comes back at once\n\n{table(figures)}")
    assert max(each.connections for each in figures) <= READERS + 1
