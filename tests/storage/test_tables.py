"""The tables are what the migrations make of an empty database."""

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.storage.deployments import INLINE, Deployment, open_deployment
from xmppd.storage.database import Database
from xmppd.storage.tables import accounts, credentials, metadata, slot_here, slot_map

FOUNDATION = {table.name for table in (accounts, credentials, slot_here, slot_map)}


def differences(database: Database) -> list[object]:
    """Return how the foundation's tables differ from the database's schema."""

    def is_ours(item: object, name: str | None, kind: str, *_: object) -> bool:
        table = name if kind == "table" else item.table.name  # type: ignore[attr-defined]
        return table in FOUNDATION

    with database.blocking() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": is_ours, "compare_type": True, "target_metadata": metadata}
        )
        return list(compare_metadata(context, metadata))


def test_sqlite_schema() -> None:
    """On SQLite a migrated shard has exactly these columns, keys and indexes."""
    assert differences(open_deployment(["sqlite://"], INLINE).databases[0]) == []


def test_postgres_schema(postgres_urls: Callable[[int], list[str]]) -> None:
    """On PostgreSQL likewise."""
    assert differences(open_deployment(postgres_urls(1), INLINE).databases[0]) == []


def test_no_keys_without_an_account(deployment: Deployment) -> None:
    """Foreign keys are enforced on every kind of database."""
    orphan = {
        "owner": "nobody@capulet.example",
        "hash_name": "SHA-1",
        "salt": b"",
        "iterations": 1,
        "stored_key": b"",
        "server_key": b"",
    }
    with pytest.raises(IntegrityError):
        deployment.run(deployment.databases[0].write("orphan", credentials.insert(), [orphan], None))


def test_addresses_sort_by_code_point(deployment: Deployment) -> None:
    """The database compares addresses as Python does, whatever its locale."""
    names = ["a@h", "B@h", "a.b@h", "é@h", "z@h"]
    for database in deployment.databases:
        rows = [
            {"owner": name, "host": "h", "role": "user", "enabled": True, "created": 0.0, "last_status": ""}
            for name in names
        ]
        deployment.run(database.write("add", accounts.insert(), rows, None))
        query = select(accounts.c.owner).order_by(accounts.c.owner)
        assert sorted(names) == [row[0] for row in deployment.run(database.fetch("sorted", query, {}))]
